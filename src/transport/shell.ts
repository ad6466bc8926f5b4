import type { UploadAction } from '../core/action.ts';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { OutputSink, Limits } from '../core/host.ts';
import type { Random } from '../core/ports.ts';
import { onAbort } from '../util/abort.ts';
import { after } from '../util/time.ts';
import { FrameReader, type InputRequest } from './frames.ts';
import type { ShellChannel } from './line.ts';
import { always, sections, startText, type Section } from './scripts.ts';
import { uploadedBytes } from './transfers.ts';

/** Maximum bytes to keep of one output. The rest goes only to `overflow`. */
const OUTPUT_BYTES = 1024 * 1024;

/** The output of one command of a script. */
export interface ShellOutput extends CommandOutput {
  /** The output is that of the prologue, which failed; no command ran. */
  prologue?: boolean;
}

export interface AnswerOptions {
  /** Maximum bytes to keep of the output of the command with this index. Default: 1 MiB. */
  keepBytes?: (index: number) => number | undefined;
  /** Returns a sink that gets the output of the command with this index; the answer does not contain it. */
  sink?: (index: number) => OutputSink | undefined;
  /** The nonce in the answer, if an earlier shell wrote it. */
  nonce?: string;
}

/** Callbacks of a pending answer. */
interface Hooks {
  /** The shell requests its next input. */
  onInputRequest: (request: InputRequest) => void;
  /** The answer timed out or was interrupted. */
  onAbort: () => void;
}

/** The answer of a shell to the current script. */
class PendingAnswer {
  readonly outputs: Promise<ShellOutput[]>;
  readonly #stdout: FrameReader;
  readonly #stderr: FrameReader;
  readonly #release: () => void;
  #ended = false;
  #resolve: (outputs: ShellOutput[]) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(
    host: string,
    limits: Limits,
    options: AnswerOptions & { nonce: string; awaitBegin: boolean },
    hooks: Hooks,
  ) {
    const { nonce, awaitBegin, sink } = options;
    const keepBytes = (index: number) => options.keepBytes?.(index) ?? OUTPUT_BYTES;
    const { onOutput } = limits;
    const common = (stream: 'stdout' | 'stderr') => ({
      keepBytes,
      awaitBegin,
      onOutput:
        onOutput &&
        ((text: string, isCut: boolean) => {
          onOutput({ text, stream, isCut });
        }),
      overflow: () => limits.overflow?.(stream),
    });
    this.outputs = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#stdout = new FrameReader(nonce, {
      ...common('stdout'),
      onReady: hooks.onInputRequest,
      sink,
    });
    this.#stderr = new FrameReader(nonce, common('stderr'));
    const giveUp = (message: string, hint?: string) => {
      hooks.onAbort();
      this.fail(new TimeoutError(message, { hint }));
    };
    const cancel = after(limits.timeoutMs, () => {
      const seconds = String(Math.round(limits.timeoutMs / 1000));
      const hint = 'Increase "timeout" on the task if it needs more time.';
      giveUp(`No answer from "${host}" within ${seconds} s.`, hint);
    });
    // No AbortController for each answer: its abort creates an error with a stack trace, several percent of a run's CPU time.
    const forget = onAbort(limits.signal, () => {
      giveUp('Interrupted; the step could have changed the host.');
    });
    this.#release = () => {
      cancel();
      forget();
    };
  }

  /** Whether a background process holds the output of the shell. */
  get shared(): boolean {
    return this.#stdout.frames.some(({ shared }) => shared);
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    (stream === 'stdout' ? this.#stdout : this.#stderr).push(chunk);
    if (!this.#stdout.done || !this.#stderr.done || this.ended) return;
    this.#finish();
    this.#resolve(toOutputs(this.#stdout, this.#stderr));
  }

  fail(error: Error): void {
    if (this.ended) return;
    this.#finish();
    this.#reject(error);
  }

  #finish(): void {
    this.#ended = true;
    this.#release();
    this.#stdout.close();
    this.#stderr.close();
  }
}

/**
 * A long-lived `sh` that reads scripts from standard input. On both streams, answers are framed by lines that begin with a
 * random word (see FrameReader), so commands can print any bytes.
 */
export class RemoteShell {
  /** In the environment of all processes that this shell starts. */
  readonly mark: string;
  readonly nonce: string;
  readonly #host: string;
  readonly #channel: ShellChannel;
  #answer: PendingAnswer | undefined;
  #closed: string | undefined;
  #shared = false;
  /** Process id of the shell on the host. */
  pid = 0;

  constructor(
    host: string,
    channel: ShellChannel,
    { mark, random }: { mark: string; random: Random },
  ) {
    this.#host = host;
    this.#channel = channel;
    this.mark = mark;
    this.nonce = random.bytes(16).toString('hex');
    for (const stream of ['stdout', 'stderr'] as const)
      channel[stream].on('data', (chunk: Buffer) => this.#answer?.push(stream, chunk));
    channel.stdin.on('error', () => {
      // The close event that follows has the reason.
    });
    channel.onClose((reason) => {
      this.#closed ??= reason;
      this.#answer?.fail(this.#lost(reason));
    });
  }

  /** Whether it can run another script. */
  get usable(): boolean {
    return this.#closed === undefined && !this.#shared;
  }

  /** Sends the runtime functions and reads the shell's process ID. */
  async start(runtime: string, limits: Limits): Promise<void> {
    this.#channel.stdin.write(startText(this.nonce, runtime));
    const script = sections({ commands: [always('echo $$')] });
    const [answer] = await this.run(script, limits);
    this.pid = Number(answer?.stdout.trim());
  }

  /**
   * Runs a script. Takes one round trip, and one more for each uploaded file.
   * @returns an output for each command that ran, or one with `prologue` set
   * @throws ConnectError if the connection or the shell is lost; TimeoutError after the timeout or an abort. After a
   * TimeoutError, the shell is not usable: the caller must kill its processes and destroy it.
   */
  async run(
    script: readonly Section[],
    limits: Limits,
    options: AnswerOptions = {},
  ): Promise<ShellOutput[]> {
    if (this.#closed !== undefined) throw this.#lost(this.#closed);
    // An earlier abort would not trigger the listener.
    if (limits.signal?.aborted) throw new TimeoutError('Interrupted; nothing was sent.');
    let section = 0;
    const answer = new PendingAnswer(
      this.#host,
      limits,
      { nonce: this.nonce, ...options, awaitBegin: this.pid === 0 },
      {
        onInputRequest: (request) => {
          const upload = request === 'R' || request === 'W' ? script[section]?.upload : undefined;
          if (request !== 'W') section++;
          const next = request === 'W' ? undefined : script[section]?.text;
          this.#send(answer, upload, next).catch((error: unknown) => {
            // The shell waits for bytes that never arrive, so it cannot be used any more.
            answer.fail(error instanceof Error ? error : new Error(String(error)));
            this.destroy();
          });
        },
        onAbort: () => {
          this.#closed ??= 'aborted';
        },
      },
    );
    this.#answer = answer;
    this.#channel.stdin.write(script[0]?.text ?? '');
    try {
      return await answer.outputs;
    } finally {
      this.#shared ||= answer.shared;
      this.#answer = undefined;
    }
  }

  destroy(): void {
    this.#closed ??= 'aborted';
    this.#channel.destroy();
  }

  /** Sends the bytes, with backpressure, and then the next text. */
  async #send(
    answer: PendingAnswer,
    upload: UploadAction | undefined,
    next: string | undefined,
  ): Promise<void> {
    const { stdin } = this.#channel;
    if (upload) {
      for await (const chunk of uploadedBytes(upload)) {
        if (answer.ended) return;
        if (!stdin.write(chunk)) await this.#drained();
      }
    }
    if (next !== undefined && !answer.ended) stdin.write(next);
  }

  #drained(): Promise<void> {
    const { stdin } = this.#channel;
    return new Promise((resolve) => {
      const go = () => {
        clearInterval(watch);
        stdin.off('drain', go);
        resolve();
      };
      stdin.once('drain', go);
      // A closed channel never emits "drain".
      const watch = setInterval(() => {
        if (this.#closed !== undefined) go();
      }, 200);
    });
  }

  #lost(reason: string): ConnectError {
    return new ConnectError(`The connection to "${this.#host}" was lost: ${reason}.`, {
      host: this.#host,
      stage: 'lost',
      retryable: true,
    });
  }
}

function toOutputs(stdout: FrameReader, stderr: FrameReader): ShellOutput[] {
  return stdout.frames.map(({ code, bytes, size, prologue }, index) => {
    const error = stderr.frames[index];
    const cut = [stdout.frames[index], error].some((one) => one && one.size > one.bytes.length);
    return {
      code,
      stdout: bytes.toString('utf8'),
      stderr: error?.bytes.toString('utf8') ?? '',
      ...(prologue ? { prologue } : {}),
      ...(cut ? { bytes: { stdout: size, stderr: error?.size ?? 0 } } : {}),
    };
  });
}
