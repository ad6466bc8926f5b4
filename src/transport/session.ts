import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Action, HttpRequest, HttpResponse } from '../core/action.ts';
import { TaskError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput, ReadCommand } from '../core/fact.ts';
import type { Batch, BatchOutcome, HostSession, RunOptions, UnitRecord } from '../core/host.ts';
import { quote, quoteAll } from '../util/shell.ts';
import type { RemoteShell } from './remote-shell.ts';

const KILL_TIMEOUT_MS = 10_000;

export type SendHttp = (request: HttpRequest) => Promise<HttpResponse>;

/** Shells of one identity on one host: usually one, more while several tasks are delegated there. */
export class ShellSession implements HostSession {
  readonly #open: () => Promise<RemoteShell>;
  readonly #sendHttp: SendHttp;
  readonly #idle: RemoteShell[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #limit: number;
  readonly #root: boolean;
  #count = 0;

  constructor(
    open: () => Promise<RemoteShell>,
    { limit, root, sendHttp }: { limit: number; root: boolean; sendHttp: SendHttp },
  ) {
    this.#open = open;
    this.#limit = limit;
    this.#root = root;
    this.#sendHttp = sendHttp;
  }

  captureDir(run: string): string {
    // Only root has a fixed place; for others the shell knows it.
    return this.#root ? `/var/lib/runner/runs/${run}/captures` : `$RD/runs/${run}/captures`;
  }

  read(commands: ReadCommand[], options: RunOptions): Promise<CommandOutput[]> {
    return this.#use((shell) =>
      shell.run(
        commands.map((one) => `{ ${one.script}\n} </dev/null`),
        options,
        { keepGoing: true },
      ),
    );
  }

  async perform(batch: Batch, options: RunOptions): Promise<BatchOutcome> {
    const scripts: string[] = [];
    const { record, captures } = batch;
    if (record) {
      for (const { path, name } of captures) {
        scripts.push(`capture ${quoteAll([record.run, path, name])}`);
      }
      scripts.push(`started ${quoteAll([record.run, record.unit])}`);
    }
    const before = scripts.length;
    const local: CommandOutput[] = [];
    for (const action of batch.actions) {
      if (action.kind === 'http') local.push(await this.#http(action.request));
      else if (action.kind === 'save') local.push(await saveLocally(action.path, action.content));
      else scripts.push(actionScript(action));
    }
    if (batch.actions.length > 0 && local.length === batch.actions.length) {
      return { outputs: local, captureError: undefined };
    }
    const epilogue = record ? `finished ${quoteAll([record.run, record.unit])} "$RX"` : '';
    const outputs = await this.#use((shell) => shell.run(scripts, options, { epilogue }));
    const failedEarly = outputs.slice(0, before).find((output) => output.code !== 0);
    if (failedEarly) {
      return {
        outputs: [],
        captureError: failedEarly.stderr.trim() || `code ${String(failedEarly.code)}`,
      };
    }
    return { outputs: outputs.slice(before), captureError: undefined };
  }

  async fence(run: string, options: RunOptions): Promise<'clear' | 'busy'> {
    const [answer] = await this.#use((shell) => shell.run([`fence ${quote(run)}`], options));
    const word = answer?.stdout.trim();
    if (word === 'clear' || word === 'busy') return word;
    throw new TaskError(`Earlier connections could not be looked for: ${answer?.stderr ?? ''}`);
  }

  async unitRecord(run: string, unit: string, options: RunOptions): Promise<UnitRecord> {
    const [answer] = await this.#use((shell) =>
      shell.run([`unit ${quoteAll([run, unit])}`], options),
    );
    const [word, code] = (answer?.stdout ?? '').trim().split(' ');
    if (word === 'never_started' || word === 'running' || word === 'interrupted')
      return { state: word };
    if (word === 'finished') return { state: 'finished', code: Number(code) };
    throw new TaskError(`The record of unit ${unit} cannot be read: ${answer?.stderr ?? ''}`);
  }

  async #http(request: HttpRequest): Promise<CommandOutput> {
    const response = await this.#sendHttp(request);
    const ok = response.status >= 200 && response.status < 300;
    return {
      code: ok ? 0 : 1,
      stdout: response.body,
      stderr: ok ? '' : `HTTP status ${String(response.status)}`,
    };
  }

  async #use<T>(work: (shell: RemoteShell) => Promise<T>): Promise<T> {
    const shell = await this.#acquire();
    try {
      return await work(shell);
    } catch (error) {
      if (error instanceof TimeoutError) {
        await this.#endProcesses(shell.pid);
        shell.destroy();
      }
      throw error;
    } finally {
      this.#release(shell);
    }
  }

  /** Ends a given-up shell with all it started: TERM first, KILL for what is left after a moment. */
  async #endProcesses(pid: number): Promise<void> {
    const shell = await this.#open().catch(() => undefined);
    if (!shell) return;
    const target = String(pid);
    const script = `kill_tree ${target} TERM; kill -TERM ${target} 2>/dev/null; sleep 1; kill_tree ${target} KILL; kill -KILL ${target} 2>/dev/null; :`;
    await shell.run([script], { timeoutMs: KILL_TIMEOUT_MS }).catch(() => undefined);
    shell.destroy();
  }

  async #acquire(): Promise<RemoteShell> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle?.alive) return idle;
      if (idle) {
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

async function saveLocally(path: string, content: string): Promise<CommandOutput> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.runner-tmp`, Buffer.from(content, 'base64'), { mode: 0o600 });
  await rename(`${path}.runner-tmp`, path);
  return { code: 0, stdout: '', stderr: '' };
}

/** One action as shell text. Anything that came from a playbook passes `quote`. */
export function actionScript(action: Exclude<Action, { kind: 'http' | 'save' }>): string {
  switch (action.kind) {
    case 'exec':
      return execScript(action);
    case 'write':
      return writeScript(action);
    case 'mkdir':
      return `mkdir -p ${quote(action.path)}`;
    case 'remove':
      return `rm -rf ${quote(action.path)}`;
    case 'symlink':
      return `ln -sfn ${quoteAll([action.target, action.path])}`;
    case 'copy':
      return `rm -rf ${quote(action.path)} && cp -a ${copySource(action.from)} ${quote(action.path)}`;
    case 'chmod':
      return `chmod ${action.recurse ? '-R ' : ''}${quoteAll([action.mode, action.path])}`;
    case 'chown': {
      const who = `${action.owner ?? ''}${action.group ? `:${action.group}` : ''}`;
      return `chown -h ${action.recurse ? '-R ' : ''}${quoteAll([who, action.path])}`;
    }
  }
}

/** A capture folder of a login user is known to its shell only, by the variable RD. */
function copySource(path: string): string {
  return path.startsWith('$RD/') ? `"$RD"${quote(path.slice(3))}` : quote(path);
}

function execScript(action: Extract<Action, { kind: 'exec' }>): string {
  const command = quoteAll(action.argv);
  const changes = [
    ...(action.cwd === undefined ? [] : [`cd ${quote(action.cwd)} || exit 1`]),
    ...Object.entries(action.env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}`),
  ];
  const input = action.stdin === undefined ? '' : `printf %s ${quote(action.stdin)} | `;
  const from = action.stdin === undefined ? ' </dev/null' : '';
  if (changes.length === 0) return `${input}${command}${from}`;
  return `(${changes.join('; ')}; ${input}${command}${from})`;
}

function writeScript(action: Extract<Action, { kind: 'write' }>): string {
  const temporary = `${action.path}.runner-tmp`;
  const source =
    action.encoding === 'base64'
      ? `printf %s ${quote(action.content)} | base64 -d`
      : `printf %s ${quote(action.content)}`;
  const validate =
    action.validate === undefined
      ? ''
      : ` && ${action.validate.replaceAll('%s', quote(temporary))} >&2 </dev/null`;
  const publish = `publish ${quoteAll([temporary, action.path, action.mode ?? '', action.owner ?? '', action.group ?? ''])}`;
  const clean = `{ RC=$?; rm -f ${quote(temporary)}; (exit $RC); }`;
  return `{ umask 077; ${source} >${quote(temporary)}; RC=$?; umask "$RM"; (exit $RC)${validate} && ${publish} || ${clean}; }`;
}
