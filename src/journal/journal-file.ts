import {
  closeSync,
  fdatasync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { JournalError } from '../core/errors.ts';
import { decodeRecord } from './codec.ts';
import type { JournalRecord } from './records.ts';
import { Reserve } from './reserve.ts';

/** Where a line stands in the file, in bytes. */
export interface Position {
  offset: number;
  length: number;
}

/**
 * The append-only file of a journal. Writers that arrive while a sync is under way share the next one, so a step costs one
 * sync at any number of hosts.
 */
export class JournalFile {
  readonly path: string;
  readonly #fd: number;
  readonly #reserve: Reserve;
  /** Bytes that are in the file as whole lines. */
  #size: number;
  /** Where the next line will stand. */
  #end: number;
  #queue: string[] = [];
  /** Lines that are not yet in the file, by where they will stand. */
  readonly #unwritten = new Map<number, string>();
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushing = false;
  #failure: JournalError | undefined;

  private constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
    this.#end = size;
    this.#reserve = new Reserve(join(dirname(path), 'reserve'));
  }

  static create(path: string): JournalFile {
    return new JournalFile(path, openSync(path, 'ax+', 0o600), 0);
  }

  /** Opens a file to go on with, of which only the first bytes count. */
  static reopen(path: string, size: number): JournalFile {
    truncateSync(path, size);
    return new JournalFile(path, openSync(path, 'a+', 0o600), size);
  }

  /** Why nothing can be written any more. */
  get failure(): JournalError | undefined {
    return this.#failure;
  }

  /** Queues a line, end included. It survives the process once it is in the file, and the next sync covers it. */
  add(line: string): Position {
    const position = { offset: this.#end, length: Buffer.byteLength(line) };
    this.#end += position.length;
    this.#unwritten.set(position.offset, line);
    this.#queue.push(line);
    if (!this.#flushing && !this.#failure) void this.#flush();
    return position;
  }

  /** A line that was added, end included. */
  read({ offset, length }: Position): string {
    const queued = this.#unwritten.get(offset);
    if (queued !== undefined) return queued;
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, offset);
    return bytes.toString('utf8');
  }

  /**
   * Resolves when all lines are on disk.
   * @throws JournalError when they cannot be written; every later call then fails, too
   */
  sync(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (!this.#flushing) void this.#flush();
    return done;
  }

  /** Makes sure there is room for the rollback of that many units. @throws JournalError when there is not */
  reserve(units: number): void {
    try {
      this.#reserve.ensure(units);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Gives up the room that was kept for the records of a rollback: they are written now. */
  releaseReserve(): void {
    this.#reserve.release();
  }

  /** After a failed write: releases the reserve and queues the lost lines again. False when no write had failed. */
  async recover(): Promise<boolean> {
    // A write that is still under way would fail after the failure is forgotten, and end the run without a rollback.
    await this.#idle();
    if (!this.#failure) return false;
    this.#reserve.release();
    this.#failure = undefined;
    truncateSync(this.path, this.#size);
    return true;
  }

  async close(): Promise<void> {
    await this.#idle();
    if (!this.#failure && this.#queue.length > 0) writeSync(this.#fd, this.#queue.join(''));
    closeSync(this.#fd);
  }

  async #idle(): Promise<void> {
    while (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
  }

  #fail(error: unknown): JournalError {
    this.#failure ??= new JournalError(
      `The journal "${this.path}" cannot be written: ${messageOf(error)}.`,
      {
        hint: 'Make room on that disk. Nothing runs that is not recorded first.',
        cause: error,
      },
    );
    return this.#failure;
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // One turn of the loop gathers what all hosts of a step write.
    await new Promise((resolve) => setImmediate(resolve));
    while ((this.#queue.length > 0 || this.#waiting.length > 0) && !this.#failure) {
      const text = this.#queue.join('');
      const waiting = this.#waiting;
      this.#queue = [];
      this.#waiting = [];
      const bytes = Buffer.from(text);
      try {
        await writeAll(this.#fd, bytes);
        if (waiting.length > 0) await sync(this.#fd);
        this.#size += bytes.length;
        for (const offset of this.#unwritten.keys())
          if (offset < this.#size) this.#unwritten.delete(offset);
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        if (text !== '') this.#queue.unshift(text);
        const failure = this.#fail(error);
        for (const { reject } of [...waiting, ...this.#waiting]) reject(failure);
        this.#waiting = [];
      }
    }
    this.#flushing = false;
  }
}

function writeAll(fd: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (offset: number) => {
      if (offset >= bytes.length) {
        resolve();
        return;
      }
      write(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
        if (error) reject(error);
        else next(offset + written);
      });
    };
    next(0);
  });
}

function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/**
 * Reads a journal: its records, and where each stands. A torn last line is left out.
 * @throws JournalError naming the byte of any other damage
 */
export function readJournal(path: string): {
  records: JournalRecord[];
  positions: Position[];
  validBytes: number;
} {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new JournalError(`The journal "${path}" cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const records: JournalRecord[] = [];
  const positions: Position[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(0x0a, offset);
    if (end === -1) break;
    const record = decodeRecord(bytes.subarray(offset, end).toString('utf8'), records.length + 1);
    if (!record) {
      if (end === bytes.length - 1) break;
      throw new JournalError(`The journal "${path}" is damaged at byte ${String(offset)}.`, {
        hint: 'Its records before that byte can be read; nothing was changed.',
      });
    }
    records.push(record);
    positions.push({ offset, length: end + 1 - offset });
    offset = end + 1;
  }
  return { records, positions, validBytes: offset };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
