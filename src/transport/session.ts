import type { HttpRequest, HttpResponse, RebootAction } from '../core/action.ts';
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
import { trace } from '../util/trace.ts';
import { restart } from './reboot.ts';
import {
  attach,
  change,
  control,
  keepsCopies,
  questions,
  sections,
  type Script,
} from './scripts.ts';
import type { AnswerOptions, RemoteShell, ShellOutput } from './shell.ts';
import { FetchedFiles, KeptCopies } from './transfers.ts';

const KILL_TIMEOUT_MS = 20_000;
const RECONNECT_PAUSE_MS = 2000;
/** Kept of one output of an action; what is more goes to the run's folder only. */
const OUTPUT_BYTES = 1024 * 1024;
/** Facts carry whole files, in base64. */
const FACT_BYTES = 12 * 1024 * 1024;

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
    const script = sections(questions(commands));
    return this.#use((shell) => shell.run(script, options, { keepBytes: FACT_BYTES }));
  }

  async perform(batch: Batch, options: RunOptions): Promise<BatchOutcome> {
    const { record, detach = false } = batch;
    trace('ssh', () => `${this.#host}: does ${batch.actions.map(({ kind }) => kind).join(', ')}`);
    const [only] = batch.actions;
    if (only?.kind === 'reboot') return this.#restart(only, record, options);
    if (batch.actions.some(({ kind }) => kind === 'reboot'))
      throw new TaskError('A restart stands alone in a step.');
    const local: CommandOutput[] = [];
    for (const action of batch.actions)
      if (action.kind === 'http') local.push(await this.#http(action.request));
    if (batch.actions.length > 0 && local.length === batch.actions.length) {
      return { outputs: local, captureError: undefined };
    }
    const script = change(batch);
    const files = await FetchedFiles.create(script.commands);
    const kept = keepsCopies(batch) ? new KeptCopies() : undefined;
    const answerOptions: AnswerOptions = {
      keepBytes: OUTPUT_BYTES,
      sink: (index) => (index === 0 ? kept : undefined) ?? files.sink(index),
    };
    try {
      const outputs =
        detach && record
          ? await this.#performDetached({ ...script, detach: record }, options)
          : await this.#use((shell) => shell.run(sections(script), options, answerOptions));
      const [first] = outputs;
      if (first?.prologue === true) {
        const captureError = first.stderr.trim() || `code ${String(first.code)}`;
        return { outputs: [], captureError };
      }
      await files.finish(outputs);
      return {
        outputs: kept ? outputs.slice(1) : outputs,
        captureError: undefined,
        ...(kept ? { kept: kept.copies } : {}),
      };
    } finally {
      await files.discard();
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
    const outputs = await restart(
      action,
      {
        host: this.#host,
        order: (command, limits) => {
          // What is on record as begun and not as ended was cut off, should the controller be lost meanwhile.
          const { commands, prologue } = change({ actions: [command], captures: [], record });
          return this.#use((shell) =>
            shell.run(sections({ commands, prologue }), limits, { keepBytes: OUTPUT_BYTES }),
          );
        },
        look: (limits) => this.#ask(control.restarted(action.boot, action.test), limits),
        clock: this.#clock,
      },
      options,
    );
    const code = outputs.at(-1)?.code ?? 1;
    if (record) await this.#ask(control.finished(record.run, record.unit, code), options);
    return { outputs, captureError: undefined };
  }

  async fence(run: string, options: RunOptions): Promise<'clear' | 'busy'> {
    const answer = await this.#ask(control.fence(run), options);
    const word = answer.stdout.trim();
    if (word === 'clear' || word === 'busy') return word;
    throw new TaskError(`Earlier connections could not be looked for: ${answer.stderr}`);
  }

  async unitRecord(run: string, unit: string, options: RunOptions): Promise<UnitRecord> {
    const answer = await this.#ask(control.unit(run, unit), options);
    const [word, code] = answer.stdout.trim().split(' ');
    if (word === 'never_started' || word === 'running' || word === 'interrupted')
      return { state: word };
    if (word === 'finished') return { state: 'finished', code: Number(code) };
    throw new TaskError(`The record of unit ${unit} cannot be read: ${answer.stderr}`);
  }

  async lock(request: LockRequest, options: RunOptions): Promise<LockAnswer> {
    const answer = await this.#ask(control.lock(request), options);
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
    const { stdout } = await this.#ask(control.renew(run), options);
    const [word, other] = stdout.trim().split(' ');
    return word === 'lost' ? (other ?? '') : undefined;
  }

  async unlock(run: string, options: RunOptions): Promise<void> {
    await this.#ask(control.unlock(run), options);
  }

  async #ask(script: string, options: RunOptions): Promise<CommandOutput> {
    const [answer] = await this.#use((shell) =>
      shell.run(sections({ commands: [{ script }] }), options, { keepBytes: OUTPUT_BYTES }),
    );
    return answer ?? { code: -1, stdout: '', stderr: 'no answer' };
  }

  /** A lost connection is opened again until time is up; the host's own record says what became of the unit. */
  async #performDetached(
    script: Script & { detach: { run: string; unit: string } },
    options: RunOptions,
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
            return shell.run(sections(script), left(), { keepBytes: OUTPUT_BYTES });
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
        const { nonce } = progress;
        return await this.#use((shell) =>
          shell.run(attach(nonce, run, unit), left(), { keepBytes: OUTPUT_BYTES, nonce }),
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
        sections({ commands: [{ script: control.endShell(pid, mark) }] }),
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
