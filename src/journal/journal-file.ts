import { readFileSync } from 'node:fs';
import { errorMessage, JournalError } from '../core/errors.ts';
import type { JournalFile } from '../core/ports.ts';
import { trace } from '../util/trace.ts';
import { decodeRecord } from './codec.ts';
import type { StoredRecord } from './records.ts';

/** Where a line stands in the file, in bytes. */
export interface Position {
  offset: number;
  length: number;
}

/**
 * Writes lines to the file of a journal. Writers that arrive while a sync is under way share the next one, so a step costs one
 * sync at any number of hosts.
 */
export class JournalWriter {
  readonly #file: JournalFile;
  /** Bytes that are in the file as whole lines. */
  #size: number;
  /** Where the next line will stand. */
  #end: number;
  #queue: string[] = [];
  /** Lines that are not yet in the file, by where they will stand. */
  readonly #unwritten = new Map<number, string>();
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushing: Promise<void> | undefined;
  #failure: JournalError | undefined;

  /** @param size of the whole lines that the file has */
  constructor(file: JournalFile, size: number) {
    this.#file = file;
    this.#size = size;
    this.#end = size;
  }

  get path(): string {
    return this.#file.path;
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
    if (!this.#failure) this.#flushing ??= this.#flush();
    return position;
  }

  /** A line that was added, end included. */
  read({ offset, length }: Position): string {
    const queued = this.#unwritten.get(offset);
    if (queued !== undefined) return queued;
    return this.#file.read(offset, length).toString('utf8');
  }

  /**
   * Resolves when all lines are on disk.
   * @throws JournalError when they cannot be written; every later call then fails, too
   */
  sync(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#flushing ??= this.#flush();
    return done;
  }

  /** Makes sure there is room for the rollback of that many units. @throws JournalError when there is not */
  reserve(units: number): void {
    try {
      this.#file.reserve(units);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Gives up the room that was kept for the records of a rollback: they are written now. */
  releaseReserve(): void {
    try {
      this.#file.releaseReserve();
    } catch (error) {
      // If the room is needed, the next write fails, and says so.
      trace('journal', () => `The reserve cannot be removed: ${errorMessage(error)}`);
    }
  }

  /**
   * After a failed write: releases the reserve and queues the lost lines again. False when no write had failed.
   * @throws JournalError when what the failed write left in the file cannot be cut off; nothing can be written then
   */
  async recover(): Promise<boolean> {
    // A write that is still under way would fail after the failure is forgotten, and end the run without a rollback.
    await this.#flushing;
    if (!this.#failure) return false;
    this.releaseReserve();
    try {
      this.#file.cut(this.#size);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#failure = undefined;
    return true;
  }

  async close(): Promise<void> {
    await this.#flushing;
    if (!this.#failure && this.#queue.length > 0)
      await this.#file.append(Buffer.from(this.#queue.join('')));
    this.#file.close();
  }

  #fail(error: unknown): JournalError {
    this.#failure ??= new JournalError(
      `The journal "${this.path}" cannot be written: ${errorMessage(error)}.`,
      {
        hint: 'Make room on that disk. Nothing runs that is not recorded first.',
        cause: error,
      },
    );
    return this.#failure;
  }

  async #flush(): Promise<void> {
    await this.#file.gather();
    while ((this.#queue.length > 0 || this.#waiting.length > 0) && !this.#failure) {
      const text = this.#queue.join('');
      const waiting = this.#waiting;
      this.#queue = [];
      this.#waiting = [];
      const bytes = Buffer.from(text);
      try {
        await this.#file.append(bytes);
        if (waiting.length > 0) await this.#file.sync();
        this.#size += bytes.length;
        for (const offset of this.#unwritten.keys())
          if (offset < this.#size) this.#unwritten.delete(offset);
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        if (text !== '') this.#queue.unshift(text);
        this.#fail(error);
        this.#waiting.unshift(...waiting);
      }
    }
    // The failure may be of a reserve that did not fit, made while others wait for their lines.
    if (this.#failure) for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    this.#flushing = undefined;
  }
}

/** @throws JournalError when the file cannot be read, or as `parseJournal` */
export function readJournal(path: string): ParsedJournal {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new JournalError(`The journal "${path}" cannot be read: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
  return parseJournal(bytes, path);
}

export interface ParsedJournal {
  records: StoredRecord[];
  /** Where each of them stands. */
  positions: Position[];
  /** Without a torn last line, which is left out. */
  validBytes: number;
}

/**
 * The records of a journal.
 * @param path for the message
 * @throws JournalError naming the byte of any damage but a torn last line
 */
export function parseJournal(bytes: Buffer, path: string): ParsedJournal {
  const records: StoredRecord[] = [];
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
