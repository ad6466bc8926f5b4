import { createReadStream } from 'node:fs';
import type {
  Action,
  CopyAction,
  DownloadAction,
  FetchAction,
  HttpRequest,
  HttpResponse,
  RebootAction,
  UploadAction,
  WriteAction,
} from '../core/action.ts';
import { ConnectError, errorMessage, TaskError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput, ReadCommand } from '../core/fact.ts';
import type {
  Batch,
  BatchOutcome,
  HostSession,
  LockAnswer,
  LockRequest,
  RunOptions,
  UnitRecord,
} from '../core/host.ts';
import type { Clock } from '../core/ports.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { trace } from '../util/trace.ts';
import { restart } from './reboot.ts';
import { ReceivedFile } from './received-file.ts';
import type { RemoteShell, ScriptOptions, ShellCommand, ShellOutput } from './remote-shell.ts';

const KILL_TIMEOUT_MS = 20_000;
const RECONNECT_PAUSE_MS = 2000;
/** Kept of one output of an action; what is more goes to the run's folder only. */
const OUTPUT_BYTES = 1024 * 1024;
/** Facts carry whole files, in base64. */
const FACT_BYTES = 12 * 1024 * 1024;
const UPLOAD = { highWaterMark: 1024 * 1024 };

export interface SessionOptions {
  /** Name of the host. */
  host: string;
  /** Shells at a time. */
  limit: number;
  /** The identity is root. */
  root: boolean;
  /** The host is the controller. */
  local: boolean;
  sendHttp: SendHttp;
  /** For the wait for a restart. */
  clock: Clock;
}

export type SendHttp = (request: HttpRequest) => Promise<HttpResponse>;

/** Shells of one identity on one host: usually one, more while several tasks are delegated there. */
export class ShellSession implements HostSession {
  readonly #open: () => Promise<RemoteShell>;
  readonly #sendHttp: SendHttp;
  readonly #idle: RemoteShell[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #limit: number;
  readonly #root: boolean;
  readonly #host: string;
  readonly #local: boolean;
  readonly #clock: Clock;
  #count = 0;

  constructor(
    open: () => Promise<RemoteShell>,
    { host, limit, root, local, sendHttp, clock }: SessionOptions,
  ) {
    this.#open = open;
    this.#limit = limit;
    this.#root = root;
    this.#host = host;
    this.#local = local;
    this.#sendHttp = sendHttp;
    this.#clock = clock;
  }

  captureDir(run: string): string {
    // Only root has a fixed place; for others the shell knows it.
    return this.#root ? `/var/lib/runner/runs/${run}/captures` : `$rn_dir/runs/${run}/captures`;
  }

  read(commands: ReadCommand[], options: RunOptions): Promise<CommandOutput[]> {
    trace('ssh', () => `${this.#host}: asks ${commands.map((one) => one.script).join('\n')}`);
    return this.#use((shell) =>
      shell.run(
        commands.map((one) => ({ script: `(eval ${quote(one.script)}) </dev/null` })),
        options,
        { keepGoing: true, keepBytes: FACT_BYTES },
      ),
    );
  }

  async perform(batch: Batch, options: RunOptions): Promise<BatchOutcome> {
    const { record, captures, detach = false } = batch;
    trace('ssh', () => `${this.#host}: does ${batch.actions.map(({ kind }) => kind).join(', ')}`);
    const [only] = batch.actions;
    if (only?.kind === 'reboot') return this.#restart(only, record, options);
    const commands: ShellCommand[] = [];
    const local: CommandOutput[] = [];
    const downloads: Download[] = [];
    for (const action of batch.actions) {
      if (action.kind === 'http') local.push(await this.#http(action.request));
      else if (action.kind === 'reboot') throw new TaskError('A restart stands alone in a step.');
      else if (action.kind === 'fetch') {
        const download = await startDownload(action, commands.at(-1));
        downloads.push(download);
        commands.push(download.command);
      } else commands.push(actionCommand(action, detach));
    }
    if (batch.actions.length > 0 && local.length === batch.actions.length) {
      return { outputs: local, captureError: undefined };
    }
    const kept = new Map<string, Buffer>();
    const copies = record && !detach ? keepCommand(record.run, captures, kept) : [];
    commands.unshift(...copies);
    const script: ScriptOptions = {
      keepBytes: OUTPUT_BYTES,
      ...(record ? recordScripts(record, captures) : {}),
    };
    try {
      const outputs =
        detach && record
          ? await this.#performDetached(commands, options, { ...script, detach: record })
          : await this.#use((shell) => shell.run(commands, options, script));
      const [first] = outputs;
      if (first?.prologue === true) {
        const captureError = first.stderr.trim() || `code ${String(first.code)}`;
        return { outputs: [], captureError };
      }
      const answerOf = (command: ShellCommand) => outputs[commands.indexOf(command)];
      for (const download of downloads) await finishDownload(download, outputs, answerOf);
      return { outputs: outputs.slice(copies.length), captureError: undefined, kept };
    } finally {
      for (const { file } of downloads) await file.discard();
    }
  }

  async #restart(
    action: RebootAction,
    record: Batch['record'],
    options: RunOptions,
  ): Promise<BatchOutcome> {
    if (this.#local) {
      throw new TaskError('The controller cannot restart itself and go on.', {
        hint: 'Leave it out of the hosts of this step.',
      });
    }
    const unit = record && quoteAll([record.run, record.unit]);
    const outputs = await restart(
      action,
      {
        host: this.#host,
        order: (command, limits) =>
          this.#use((shell) =>
            shell.run([actionCommand(command)], limits, {
              keepBytes: OUTPUT_BYTES,
              // What is on record as begun and not as ended was cut off, should the controller be lost meanwhile.
              ...(unit === undefined ? {} : { prologue: `rn_started ${unit}` }),
            }),
          ),
        ask: (script, limits) => this.#ask(script, limits),
        clock: this.#clock,
      },
      options,
    );
    const code = String(outputs.at(-1)?.code ?? 1);
    if (unit !== undefined) await this.#ask(`rn_finished ${unit} ${code}`, options);
    return { outputs, captureError: undefined };
  }

  async fence(run: string, options: RunOptions): Promise<'clear' | 'busy'> {
    const answer = await this.#ask(`rn_fence ${quote(run)}`, options);
    const word = answer.stdout.trim();
    if (word === 'clear' || word === 'busy') return word;
    throw new TaskError(`Earlier connections could not be looked for: ${answer.stderr}`);
  }

  async unitRecord(run: string, unit: string, options: RunOptions): Promise<UnitRecord> {
    const answer = await this.#ask(`rn_unit ${quoteAll([run, unit])}`, options);
    const [word, code] = answer.stdout.trim().split(' ');
    if (word === 'never_started' || word === 'running' || word === 'interrupted')
      return { state: word };
    if (word === 'finished') return { state: 'finished', code: Number(code) };
    throw new TaskError(`The record of unit ${unit} cannot be read: ${answer.stderr}`);
  }

  async lock(
    { run, owner, leaseSeconds, replaced = '' }: LockRequest,
    options: RunOptions,
  ): Promise<LockAnswer> {
    const words = [run, owner, String(leaseSeconds), replaced];
    const answer = await this.#ask(`rn_lock ${quoteAll(words)}`, options);
    const said = answer.stdout.trim();
    if (said === 'held') return undefined;
    const [, other = '', silent] = /^other (.*) (-?\d+)$/.exec(said) ?? [];
    const [holder = '', who = '', since, lease] = other.split('|');
    if (silent === undefined)
      throw new TaskError(`The host cannot be locked: ${answer.stderr.trim() || said}.`, {
        hint: 'The lock is a file in /var/lib/runner, or in .local/state/runner of a user without rights.',
      });
    return {
      run: holder,
      owner: who,
      since: Number(since),
      leaseSeconds: Number(lease),
      silentSeconds: Number(silent),
    };
  }

  async renewLock(run: string, options: RunOptions): Promise<string | undefined> {
    const { stdout } = await this.#ask(`rn_renew ${quote(run)}`, options);
    const [word, other] = stdout.trim().split(' ');
    return word === 'lost' ? (other ?? '') : undefined;
  }

  async unlock(run: string, options: RunOptions): Promise<void> {
    await this.#ask(`rn_unlock ${quote(run)}`, options);
  }

  async #ask(script: string, options: RunOptions): Promise<CommandOutput> {
    const [answer] = await this.#use((shell) =>
      shell.run([{ script }], options, { keepBytes: OUTPUT_BYTES }),
    );
    return answer ?? { code: -1, stdout: '', stderr: 'no answer' };
  }

  /** A lost connection is opened again until time is up; the host's own record says what became of the unit. */
  async #performDetached(
    commands: ShellCommand[],
    options: RunOptions,
    script: ScriptOptions & { detach: { run: string; unit: string } },
  ): Promise<ShellOutput[]> {
    const { run, unit } = script.detach;
    const deadline = Date.now() + options.timeoutMs;
    const left = (): RunOptions => ({ ...options, timeoutMs: Math.max(1, deadline - Date.now()) });
    const progress = { sent: false, nonce: '' };
    for (;;) {
      try {
        if (!progress.sent) {
          return await this.#use((shell) => {
            progress.nonce = shell.nonce;
            progress.sent = true;
            return shell.run(commands, left(), script);
          });
        }
        const { state } = await this.unitRecord(run, unit, left());
        if (state === 'never_started') {
          // What was sent may still be on its way; only when it cannot arrive any more is it sent again.
          const fenced = await this.fence(run, left());
          const again = await this.unitRecord(run, unit, left());
          progress.sent = fenced !== 'clear' || again.state !== 'never_started';
          continue;
        }
        if (state === 'interrupted') {
          throw new TaskError(
            'The connection was lost, and the step was ended on the host before it was done: by a restart of the host, or by somebody.',
            { hint: 'What it had done by then is not known.' },
          );
        }
        const attend = [{ script: `rn_attend ${quoteAll([run, unit])}` }];
        return await this.#use((shell) =>
          shell.run(attend, left(), { keepBytes: OUTPUT_BYTES, nonce: progress.nonce }),
        );
      } catch (error) {
        const again =
          error instanceof ConnectError &&
          error.retryable &&
          Date.now() + RECONNECT_PAUSE_MS < deadline &&
          options.signal?.aborted !== true;
        if (!again) throw error;
        await this.#clock.sleep(RECONNECT_PAUSE_MS, options.signal).catch(() => undefined);
      }
    }
  }

  async #http(request: HttpRequest): Promise<CommandOutput> {
    const response = await this.#sendHttp(request);
    const { status } = response;
    const ok = request.accept?.includes(status) ?? (status >= 200 && status < 300);
    return {
      code: ok ? 0 : 1,
      stdout: response.body,
      stderr: ok ? '' : `HTTP status ${String(status)}`,
    };
  }

  async #use<T>(work: (shell: RemoteShell) => Promise<T>): Promise<T> {
    const shell = await this.#acquire();
    const began = Date.now();
    try {
      const done = await work(shell);
      trace('ssh', () => `${this.#host}: answered in ${String(Date.now() - began)} ms`);
      return done;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      const ended = await this.#endProcesses(shell);
      shell.destroy();
      throw new TimeoutError(`${error.message} ${ended}`, { hint: error.hint, cause: error });
    } finally {
      this.#release(shell);
    }
  }

  /** Ends a given-up shell with all it started. Returns what became of it, in words. */
  async #endProcesses({ pid, mark }: RemoteShell): Promise<string> {
    let shell: RemoteShell | undefined;
    try {
      shell = await this.#open();
      const [answer] = await shell.run(
        [{ script: `rn_end_shell ${quoteAll([String(pid), mark])}` }],
        { timeoutMs: KILL_TIMEOUT_MS },
        { keepBytes: OUTPUT_BYTES },
      );
      if (answer?.stdout.trim() === 'ended') return 'Its processes on the host were ended.';
      return `Some of its processes could not be ended on the host (${answer?.stdout.trim() ?? ''}).`;
    } catch (error) {
      return `Whether its processes still run on the host is not known (${errorMessage(error)}).`;
    } finally {
      shell?.destroy();
    }
  }

  async #acquire(): Promise<RemoteShell> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle?.usable) return idle;
      if (idle) {
        // One that shares its output with a process left behind stays open until the end, unused.
        this.#count--;
        continue;
      }
      if (this.#count < this.#limit) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#count++;
    try {
      return await this.#open();
    } catch (error) {
      this.#count--;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  #release(shell: RemoteShell): void {
    this.#idle.push(shell);
    this.#waiting.shift()?.();
  }
}

/** Copies aside and the record of a step, around its actions. */
function recordScripts(
  { run, unit }: NonNullable<Batch['record']>,
  captures: Batch['captures'],
): Pick<ScriptOptions, 'prologue' | 'epilogue'> {
  const copies = captures.map(({ path, name }) => `rn_capture ${quoteAll([run, path, name])} && `);
  return {
    prologue: `${copies.join('')}rn_started ${quoteAll([run, unit])}`,
    epilogue: `rn_finished ${quoteAll([run, unit])} "$rn_code"`,
  };
}

/** Brings small copies to the controller in the same round trip, should the host's disk be lost or meddled with. */
function keepCommand(
  run: string,
  captures: Batch['captures'],
  kept: Map<string, Buffer>,
): ShellCommand[] {
  if (captures.length === 0) return [];
  const chunks: Buffer[] = [];
  const sink = {
    write: (bytes: Buffer) => {
      chunks.push(bytes);
    },
    end: () => {
      const lines = Buffer.concat(chunks).toString('latin1').split('\n');
      for (let line = 0; line + 1 < lines.length; line += 2) {
        const [name = '', content = ''] = lines.slice(line, line + 2);
        kept.set(name, Buffer.from(content, 'base64'));
      }
    },
  };
  const names = captures.map(({ name }) => name);
  return [{ script: `rn_keep ${quoteAll([run, ...names])} </dev/null || true`, sink }];
}

interface Download {
  command: ShellCommand;
  /** The command that goes before, whose answer may say which checksum is wanted. */
  before: ShellCommand | undefined;
  action: FetchAction;
  file: ReceivedFile;
}

async function startDownload(
  action: FetchAction,
  before: ShellCommand | undefined,
): Promise<Download> {
  const file = await ReceivedFile.create(action);
  const command = { script: `cat ${quote(action.path)} </dev/null`, sink: file };
  return { command, before, action, file };
}

/** @throws TaskError when the bytes are not those of the file on the host, or cannot be written */
async function finishDownload(
  { action, before, file }: Download,
  answers: readonly CommandOutput[],
  answerOf: (command: ShellCommand) => CommandOutput | undefined,
): Promise<void> {
  if (answers.some(({ code }) => code !== 0)) return;
  const wanted = action.checksum ?? (before && answerOf(before)?.stdout.split(/\s/)[0]);
  await file.complete();
  if (file.checksum !== wanted)
    throw new TaskError(`"${action.path}" changed while it was read.`, { hint: 'Try again.' });
  await file.publish();
}

function actionCommand(
  action: Exclude<Action, { kind: 'http' | 'fetch' | 'reboot' }>,
  detach = false,
): ShellCommand {
  if (action.kind === 'upload') {
    return { script: uploadScript(action), feed: () => exactly(action) };
  }
  return { script: actionScript(action, detach), foreign: action.kind === 'exec' };
}

/**
 * The bytes that were announced, no more and no fewer: the host would wait for what is missing, and take what is too
 * much for commands.
 * @throws TaskError when the file is not any more what it was
 */
async function* exactly({ from, size }: UploadAction): AsyncIterable<Buffer> {
  let sent = 0;
  try {
    for await (const chunk of createReadStream(from, {
      ...UPLOAD,
      end: size - 1,
    }) as AsyncIterable<Buffer>) {
      sent += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw new TaskError(`"${from}" cannot be read: ${errorMessage(error)}.`, { cause: error });
  }
  if (sent < size)
    throw new TaskError(`"${from}" became shorter while it was sent.`, { hint: 'Try again.' });
}

/** One action as shell text. Anything that came from a playbook passes `quote`. */
export function actionScript(
  action: Exclude<Action, { kind: 'http' | 'fetch' | 'upload' | 'reboot' }>,
  detach = false,
): string {
  switch (action.kind) {
    case 'exec':
      return execScript(action, detach);
    case 'write':
      return writeScript(action);
    case 'download':
      return downloadScript(action);
    case 'mkdir':
      return `mkdir -p ${quote(action.path)}`;
    case 'remove':
      return `rn_remove_tree ${quote(action.path)}`;
    case 'symlink':
      return `ln -sfn ${quoteAll([action.target, action.path])}`;
    case 'copy':
      if (action.contentOnly) return copyScript(action);
      return `rn_remove_tree ${quote(action.path)} && cp -a ${copySource(action.from)} ${quote(action.path)}`;
    case 'chmod':
      return `chmod ${action.recurse ? '-R ' : ''}-- ${quoteAll([modeWord(action.mode), action.path])}`;
    case 'chown': {
      const who = `${action.owner ?? ''}${action.group ? `:${action.group}` : ''}`;
      return `chown -h ${action.recurse ? '-R ' : ''}${quoteAll([who, action.path])}`;
    }
  }
}

/** With five digits the set-id bits of directories are cleared too: of four, GNU's chmod keeps them. */
function modeWord(mode: string): string {
  return /^[0-7]+$/.test(mode) ? mode.padStart(5, '0') : mode;
}

/** A capture folder of a login user is known to its shell only, by the variable rn_dir. */
function copySource(path: string): string {
  return path.startsWith('$rn_dir/') ? `"$rn_dir"${quote(path.slice(7))}` : quote(path);
}

/**
 * The program in place of a subshell, which costs no process more than the program itself. It sees no function or variable of
 * the session shell and cannot change that. Only programs run: `cd` or `exit` are none.
 */
function execScript(action: Extract<Action, { kind: 'exec' }>, detach: boolean): string {
  const steps = [
    ...(action.cwd === undefined ? [] : [`cd ${quote(action.cwd)} || exit 1`]),
    ...Object.entries(action.env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}`),
    `exec ${detach ? '$rn_setsid ' : ''}${quoteAll(programWords(action.argv))}`,
  ];
  const program = `(${steps.join('; ')})`;
  if (action.stdin === undefined) return `${program} </dev/null`;
  return `printf %s ${quote(action.stdin)} | ${program}`;
}

/** Some shells have options of `exec`. */
function programWords(argv: readonly string[]): readonly string[] {
  return argv[0]?.startsWith('-') ? ['env', '--', ...argv] : argv;
}

function writeScript(action: Extract<Action, { kind: 'write' }>): string {
  const temporary = `${action.path}.runner-tmp`;
  const source =
    action.encoding === 'base64'
      ? `printf %s ${quote(action.content)} | base64 -d`
      : `printf %s ${quote(action.content)}`;
  return `{ umask 077; ${source} >${quote(temporary)}; rn_wrote $?${publishScript(action)}; }`;
}

function uploadScript(action: UploadAction): string {
  const { path, size, checksum } = action;
  const receive = quoteAll([`${path}.runner-tmp`, String(size), checksum]);
  return `{ rn_receive ${receive}${publishScript(action)}; }`;
}

/** The request goes to curl by its standard input, where no other user sees it. */
function downloadScript(action: DownloadAction): string {
  const { path, url, timeoutSeconds, checksum, headers = {}, login, insecure = false } = action;
  const temporary = `${path}.runner-tmp`;
  const lines = [
    `url = ${curlQuote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `header = ${curlQuote(`${name}: ${value}`)}`),
    ...(login ? [`user = ${curlQuote(`${login.user}:${login.password}`)}`] : []),
    ...(insecure ? ['insecure'] : []),
  ].join('\n');
  const curl = `printf '%s\\n' ${quote(lines)} | curl -fsSL --retry 2 --max-time ${String(timeoutSeconds)} -o ${quote(temporary)} -K -`;
  // wget would show a login in the list of processes.
  const plain = Object.keys(headers).length === 0 && !login && !/^[a-z]+:\/\/[^/]*@/i.test(url);
  const wget = `wget -q ${insecure ? '--no-check-certificate ' : ''}-T 60 -O ${quoteAll([temporary, url])}`;
  const missing = 'echo "there is no curl to download with" >&2; false';
  const get = `if command -v curl >/dev/null; then ${curl}; ${plain ? `elif command -v wget >/dev/null; then ${wget}; ` : ''}else ${missing}; fi </dev/null`;
  const check = checksum
    ? ` && { [ "$(${checksum.algorithm}sum <${quote(temporary)} | cut -d' ' -f1)" = ${quote(checksum.sum)} ] || { echo 'what was downloaded has another checksum' >&2; false; }; }`
    : '';
  return `{ umask 077; ${get}; rn_wrote $?${check}${publishScript(action)}; }`;
}

function copyScript(action: CopyAction): string {
  const [from, temporary] = [quote(action.from), quote(`${action.path}.runner-tmp`)];
  // Until it has its owner and mode nobody else reads it.
  return `{ umask 077; cat <${from} >${temporary}; rn_wrote $?${publishScript(action)}; }`;
}

function curlQuote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** What follows when the temporary file is written: it gets its name, or goes. */
function publishScript({
  path,
  mode = '',
  owner = '',
  group = '',
  validate,
}: Pick<WriteAction, 'path' | 'mode' | 'owner' | 'group' | 'validate'>): string {
  const temporary = `${path}.runner-tmp`;
  const check =
    validate === undefined
      ? ''
      : ` && (exec /bin/sh -c ${quote(validate.replaceAll('%s', () => quote(temporary)))}) >&2 </dev/null`;
  const publish = `rn_publish ${quoteAll([temporary, path, mode, owner, group])}`;
  return `${check} && ${publish} || rn_fail $? ${quote(temporary)}`;
}
