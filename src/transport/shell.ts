import type { UploadAction } from '../core/action.ts';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { OutputSink, Limits } from '../core/host.ts';
import type { Random } from '../core/ports.ts';
import { after } from '../util/time.ts';
import { FrameReader, type Wish } from './frames.ts';
import type { ShellChannel } from './line.ts';
import { always, sections, startText, type Section } from './scripts.ts';
import { uploadedBytes } from './transfers.ts';

/** Kept of one output; what is more goes to `overflow` only. */
const OUTPUT_BYTES = 1024 * 1024;

/** An answer. */
export interface ShellOutput extends CommandOutput {
  /** What comes before the commands failed; none of them ran. */
  prologue?: boolean;
}

export interface AnswerOptions {
  /** Bytes kept of the output of the command with this index. Default: 1 MiB. */
  keepBytes?: (index: number) => number | undefined;
  /** Where the output of the command with this index goes instead of into the answer. */
  sink?: (index: number) => OutputSink | undefined;
  /** The word that frames the answer, when it was made by an earlier shell. */
  nonce?: string;
}

/** What a request in progress does to its shell. */
interface Hooks {
  /** The shell asks for what comes next. */
  wish: (wish: Wish) => void;
  /** Nobody waits for the answer any more. */
  givenUp: () => void;
}

/** The answer that a shell is giving. */
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
      onReady: hooks.wish,
      sink,
    });
    this.#stderr = new FrameReader(nonce, common('stderr'));
    const giveUp = (message: string, hint?: string) => {
      hooks.givenUp();
      this.fail(new TimeoutError(message, { hint }));
    };
    const cancel = after(limits.timeoutMs, () => {
      const seconds = String(Math.round(limits.timeoutMs / 1000));
      const hint = 'Raise "timeout" on the task if it may take longer.';
      giveUp(`No answer from "${host}" within ${seconds} s.`, hint);
    });
    const interrupt = () => {
      giveUp('Interrupted; whether the step still had an effect is not known.');
    };
    limits.signal?.addEventListener('abort', interrupt, { once: true });
    // Not an AbortController for each answer: its abort makes an error with a stack, a few per cent of a run's CPU.
    this.#release = () => {
      cancel();
      limits.signal?.removeEventListener('abort', interrupt);
    };
  }

  /** Whether a process that was left behind holds the output of the shell. */
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
 * One long-lived `sh`, fed scripts over its standard input. Each answer stands between lines that begin with a word
 * the commands cannot know, on both streams, so any bytes may pass between them.
 */
export class RemoteShell {
  /** In the environment of all that this shell starts. */
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
      // The close that follows says why.
    });
    channel.onClose((reason) => {
      this.#closed ??= reason;
      this.#answer?.fail(this.#lost(reason));
    });
  }

  /** Whether it can take another script. */
  get usable(): boolean {
    return this.#closed === undefined && !this.#shared;
  }

  /** Sends the runtime functions and learns the shell's process id. */
  async start(runtime: string, limits: Limits): Promise<void> {
    this.#channel.stdin.write(startText(this.nonce, runtime));
    const script = sections({ commands: [always('echo $$')] });
    const [answer] = await this.run(script, limits);
    this.pid = Number(answer?.stdout.trim());
  }

  /**
   * Sends a script. One round trip, and one more for each file that is uploaded.
   * @returns an output for each command that ran, or one with `prologue` set
   * @throws ConnectError when the line or the shell is lost; TimeoutError when time is up or the signal says so: the
   * shell then takes no more work, and whoever opened it must end its processes and destroy it
   */
  async run(
    script: readonly Section[],
    limits: Limits,
    options: AnswerOptions = {},
  ): Promise<ShellOutput[]> {
    if (this.#closed !== undefined) throw this.#lost(this.#closed);
    // The signal is listened to only: it is not given again.
    if (limits.signal?.aborted) throw new TimeoutError('Interrupted; nothing was sent.');
    let section = 0;
    const answer = new PendingAnswer(
      this.#host,
      limits,
      { nonce: this.nonce, ...options, awaitBegin: this.pid === 0 },
      {
        wish: (wish) => {
          const upload = wish === 'R' || wish === 'W' ? script[section]?.upload : undefined;
          if (wish !== 'W') section++;
          const next = wish === 'W' ? undefined : script[section]?.text;
          this.#send(answer, upload, next).catch((error: unknown) => {
            // The shell waits for bytes that do not come: nothing else can be told to it.
            answer.fail(error instanceof Error ? error : new Error(String(error)));
            this.destroy();
          });
        },
        givenUp: () => {
          this.#closed ??= 'given up';
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
    this.#closed ??= 'given up';
    this.#channel.destroy();
  }

  /** Sends the bytes at the pace the host takes them, then the text that follows. */
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
      // A channel that closes meanwhile does not drain any more.
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
