import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { RunOptions } from '../core/host.ts';

/** A running shell: its standard streams, and how to end it. */
export interface ShellChannel {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  onClose(listener: (reason: string) => void): void;
  destroy(): void;
}

/** Output kept in memory per command and stream; what comes after is counted and dropped. */
const KEEP_BYTES = 8 * 1024 * 1024;

interface Job {
  options: RunOptions;
  resolve: (outputs: CommandOutput[]) => void;
  reject: (error: Error) => void;
  stdout: FrameReader;
  stderr: FrameReader;
}

/**
 * One long-lived `sh`, fed scripts over its standard input. Each answer stands between lines that begin with a word
 * the commands cannot know, on both streams, so any bytes may pass between them.
 */
export class RemoteShell {
  readonly #host: string;
  readonly #channel: ShellChannel;
  readonly #nonce = randomBytes(16).toString('hex');
  #job: Job | undefined;
  #closed: string | undefined;
  /** Process id of the shell on the host. */
  pid = 0;

  constructor(host: string, channel: ShellChannel) {
    this.#host = host;
    this.#channel = channel;
    channel.stdout.on('data', (chunk: Buffer) => {
      this.#receive('stdout', chunk);
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      this.#receive('stderr', chunk);
    });
    channel.stdin.on('error', () => {
      // The close that follows says why.
    });
    channel.onClose((reason) => {
      this.#closed = reason;
      this.#job?.reject(this.#lost(reason));
      this.#job = undefined;
    });
  }

  get alive(): boolean {
    return this.#closed === undefined;
  }

  /** Sends the runtime functions and learns the shell's process id. */
  async start(runtime: string, options: RunOptions): Promise<void> {
    this.#channel.stdin.write(`RN=${this.#nonce}\n${runtime}\n`);
    const [answer] = await this.run(['echo $$'], options);
    this.pid = Number(answer?.stdout.trim());
  }

  /**
   * Runs commands in order until one fails, then the epilogue whatever happened. One round trip.
   * @returns an output for each command that ran
   * @throws ConnectError when the line or the shell is lost; TimeoutError when time is up: the shell then takes no more
   * work, and whoever opened it must end its processes and destroy it
   */
  run(
    commands: readonly string[],
    options: RunOptions,
    { keepGoing = false, epilogue = '' }: { keepGoing?: boolean; epilogue?: string } = {},
  ): Promise<CommandOutput[]> {
    if (this.#closed !== undefined) return Promise.reject(this.#lost(this.#closed));
    const guard = keepGoing ? '' : '[ "$RX" = 0 ] && ';
    const body = commands.map((command) => `${guard}{ rb\n${command}\nre $?; }\n`).join('');
    const end = `${epilogue}\nprintf '\\n%s D\\n' "$RN"; printf '\\n%s D\\n' "$RN" >&2\n`;
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        this.#job = undefined;
      };
      const onAbort = () => {
        finish();
        this.#closed ??= 'given up';
        reject(new TimeoutError('Interrupted; whether the step still had an effect is not known.'));
      };
      const timer = setTimeout(() => {
        finish();
        this.#closed ??= 'given up';
        const seconds = String(Math.round(options.timeoutMs / 1000));
        reject(
          new TimeoutError(`No answer from "${this.#host}" within ${seconds} s.`, {
            hint: 'Raise "timeout" on the task if it may take longer.',
          }),
        );
      }, options.timeoutMs);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#job = {
        options,
        resolve: (outputs) => {
          finish();
          resolve(outputs);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
        stdout: new FrameReader(this.#nonce, options.onOutput),
        stderr: new FrameReader(this.#nonce, options.onOutput),
      };
      this.#channel.stdin.write(`RX=0\n${body}${end}`);
    });
  }

  destroy(): void {
    this.#closed ??= 'given up';
    this.#channel.destroy();
  }

  #receive(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const job = this.#job;
    if (!job) return;
    job[stream].push(chunk);
    if (!job.stdout.done || !job.stderr.done) return;
    const outputs = job.stdout.frames.map(({ code, bytes }, index) => ({
      code,
      stdout: bytes.toString('utf8'),
      stderr: job.stderr.frames[index]?.bytes.toString('utf8') ?? '',
    }));
    job.resolve(outputs);
  }

  #lost(reason: string): ConnectError {
    return new ConnectError(`The connection to "${this.#host}" was lost: ${reason}.`, {
      host: this.#host,
      stage: 'lost',
      retryable: true,
    });
  }
}

interface Frame {
  code: number;
  bytes: Buffer;
}

/** Cuts one stream into the outputs of its commands. Bytes outside of frames (banners, late children) are dropped. */
export class FrameReader {
  readonly frames: Frame[] = [];
  done = false;
  readonly #marker: Buffer;
  readonly #onOutput: ((text: string) => void) | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #inFrame = false;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(nonce: string, onOutput?: (text: string) => void) {
    this.#marker = Buffer.from(`\n${nonce} `);
    this.#onOutput = onOutput;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#step());
  }

  #step(): boolean {
    const at = this.#buffer.indexOf(this.#marker);
    if (at === -1) {
      // A marker may be cut in two by the chunk's end.
      const safe = Math.max(0, this.#buffer.length - this.#marker.length);
      this.#take(this.#buffer.subarray(0, safe));
      this.#buffer = this.#buffer.subarray(safe);
      return false;
    }
    const lineEnd = this.#buffer.indexOf(0x0a, at + this.#marker.length);
    if (lineEnd === -1) {
      this.#take(this.#buffer.subarray(0, at));
      this.#buffer = this.#buffer.subarray(at);
      return false;
    }
    this.#take(this.#buffer.subarray(0, at));
    const word = this.#buffer.subarray(at + this.#marker.length, lineEnd).toString('latin1');
    this.#buffer = this.#buffer.subarray(lineEnd + 1);
    if (word === 'B') {
      this.#inFrame = true;
      this.#parts = [];
      this.#size = 0;
    } else if (word.startsWith('E ')) {
      this.frames.push({ code: Number(word.slice(2)), bytes: Buffer.concat(this.#parts) });
      this.#inFrame = false;
    } else if (word === 'D') {
      this.done = true;
    }
    return true;
  }

  #take(bytes: Buffer): void {
    if (!this.#inFrame || bytes.length === 0) return;
    if (this.#size < KEEP_BYTES) this.#parts.push(bytes.subarray(0, KEEP_BYTES - this.#size));
    this.#size += bytes.length;
    this.#onOutput?.(bytes.toString('utf8'));
  }
}
