import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { systemReason } from '../core/errors.ts';

/** An output stream of a command; on a terminal, it also has its size. */
export interface OutputStream extends NodeJS.WritableStream {
  isTTY?: boolean;
  rows?: number;
  columns?: number;
  fd?: number;
}

export type OutputName = 'standard output' | 'standard error';

/** The first failed write of a stream, after which it is closed. */
export interface LostOutput {
  output: OutputName;
  /** Such as EIO, EPIPE or ENOSPC. */
  code: string;
  reason: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/**
 * The only way to write to standard output or standard error. A failed write never reaches the caller: the first one
 * ends the output, and later text is dropped. `lost` and `onLost` report it.
 */
export class OutputWriter extends Writable {
  readonly #name: OutputName;
  readonly #target: OutputStream;
  readonly #now: () => number;
  /** The descriptor of a file on disk, where a write can be short without an error. */
  readonly #file: number | undefined;
  readonly #listeners = new Set<(lost: LostOutput) => void>();
  #lost: LostOutput | undefined;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(name: OutputName, target: OutputStream, now: () => number) {
    super({ decodeStrings: false });
    this.#name = name;
    this.#target = target;
    this.#now = now;
    this.#file = fileOf(target);
    target.on('error', (error: Error) => {
      this.fail(error);
    });
    target.on('resize', () => this.emit('resize'));
  }

  get isTTY(): boolean {
    return this.#target.isTTY === true;
  }

  get rows(): number | undefined {
    return this.#target.rows;
  }

  get columns(): number | undefined {
    return this.#target.columns;
  }

  /** Undefined while the output can be written. */
  get lost(): LostOutput | undefined {
    return this.#lost;
  }

  /** Calls the listener when the output is lost, at once if it already is. Returns a function that removes the listener. */
  onLost(listener: (lost: LostOutput) => void): () => void {
    if (this.#lost) listener(this.#lost);
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the output because of an error of its writer. */
  fail(error: unknown): void {
    if (this.#lost) return;
    const { code = 'ERROR' } = error as NodeJS.ErrnoException;
    this.#lost = { output: this.#name, code, reason: systemReason(error), at: this.#now() };
    for (const listener of this.#listeners) listener(this.#lost);
    this.#listeners.clear();
  }

  /** Resolves when all text is written or lost. Returns the loss, if there is one. */
  async flushed(): Promise<LostOutput | undefined> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#lost;
  }

  // Text is passed on at once, so that both outputs keep their order on a shared terminal.
  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: () => void): void {
    if (!this.#lost) {
      try {
        this.#put(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      } catch (error) {
        this.fail(error);
      }
    }
    done();
  }

  #put(bytes: Buffer): void {
    if (this.#file !== undefined) {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
      return;
    }
    this.#pending++;
    this.#target.write(bytes, (error) => {
      if (error) this.fail(error);
      this.#pending--;
      if (this.#pending > 0) return;
      for (const resolve of this.#waiting) resolve();
      this.#waiting = [];
    });
  }
}

function fileOf({ fd }: OutputStream): number | undefined {
  try {
    return fd !== undefined && fstatSync(fd).isFile() ? fd : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Replaces standard streams on a closed terminal by /dev/null. On exit, Node.js restores the modes of its terminal and
 * crashes where that fails.
 */
export function leaveClosedTerminal(): void {
  for (const fd of [0, 1, 2]) {
    try {
      if (!fstatSync(fd).isCharacterDevice() || isatty(fd)) continue;
      closeSync(fd);
      // The lowest free number: the one that was just closed.
      openSync('/dev/null', 'r+');
    } catch {
      // Already closed by the parent process.
    }
  }
}
