import { readFileSync } from 'node:fs';
import { errorMessage, JournalError } from '../core/errors.ts';
import type { JournalFile } from '../core/ports.ts';
import { trace } from '../util/trace.ts';
import { decodeRecord } from './codec.ts';
import type { StoredRecord } from './records.ts';

/** Position of a line in the file, in bytes. */
export interface Position {
  offset: number;
  length: number;
}

/**
 * Writes lines to the file of a journal. Lines that are added during a sync share the next one, so
 * a step costs one sync for any number of hosts.
 */
export class JournalWriter {
  readonly #file: JournalFile;
  /** Length of the complete lines in the file, in bytes. */
  #size: number;
  /** Offset of the next line. */
  #end: number;
  #queue: string[] = [];
  /** Lines that are not yet in the file, by offset. */
  readonly #unwritten = new Map<number, string>();
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushing: Promise<void> | undefined;
  #failure: JournalError | undefined;

  /** @param size length of the complete lines in the file, in bytes */
  constructor(file: JournalFile, size: number) {
    this.#file = file;
    this.#size = size;
    this.#end = size;
  }

  get path(): string {
    return this.#file.path;
  }

  /** The error that prevents further writes. */
  get failure(): JournalError | undefined {
    return this.#failure;
  }

  /**
   * Queues a line with its newline. It survives a crash of the process once it is written, and a
   * power cut once synced.
   */
  add(line: string): Position {
    const position = { offset: this.#end, length: Buffer.byteLength(line) };
    this.#end += position.length;
    this.#unwritten.set(position.offset, line);
    this.#queue.push(line);
    if (!this.#failure) this.#flushing ??= this.#flush();
    return position;
  }

  /** Reads a line with its newline. */
  read({ offset, length }: Position): string {
    const queued = this.#unwritten.get(offset);
    if (queued !== undefined) return queued;
    return this.#file.read(offset, length).toString('utf8');
  }

  /**
   * Waits until all lines are on disk.
   * @throws JournalError if they cannot be written. All later calls then fail, too.
   */
  sync(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#flushing ??= this.#flush();
    return done;
  }

  /**
   * Reserves disk space for the rollback of the given number of units. @throws JournalError if the
   * disk is full
   */
  reserve(units: number): void {
    try {
      this.#file.reserve(units);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Frees the reserved disk space for the records of a rollback. */
  releaseReserve(): void {
    try {
      this.#file.releaseReserve();
    } catch (error) {
      // If the disk is full, the next write reports it.
      trace('journal', () => `Cannot remove the reserve: ${errorMessage(error)}`);
    }
  }

  /**
   * After a failed write, releases the reserve and queues the lost lines again. Returns false if no
   * write failed.
   * @throws JournalError if the incomplete line cannot be removed from the file, after which no
   * writes are possible
   */
  async recover(): Promise<boolean> {
    // A pending write could fail after the failure is cleared, and end the run without a rollback.
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
      `Cannot write the journal "${this.path}": ${errorMessage(error)}.`,
      {
        hint: 'Free space on that disk. Steps must be recorded before they run.',
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
    // A failure of reserve() may have occurred while callers wait for their lines.
    if (this.#failure) for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    this.#flushing = undefined;
  }
}

/** @throws JournalError if the file cannot be read or is damaged, see `parseJournal` */
export function readJournal(path: string): ParsedJournal {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new JournalError(`Cannot read the journal "${path}": ${errorMessage(error)}.`, {
      cause: error,
    });
  }
  return parseJournal(bytes, path);
}

export interface ParsedJournal {
  records: StoredRecord[];
  /** Positions of the records. */
  positions: Position[];
  /** Length without a torn last line, which is ignored. */
  validBytes: number;
}

/**
 * Parses the records of a journal.
 * @param path for error messages
 * @param beginning of the same journal, which is not parsed again
 * @throws JournalError with the position of any damage except a torn last line
 */
export function parseJournal(
  bytes: Buffer,
  path: string,
  beginning?: ParsedJournal,
): ParsedJournal {
  const records = [...(beginning?.records ?? [])];
  const positions = [...(beginning?.positions ?? [])];
  let offset = beginning?.validBytes ?? 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(0x0a, offset);
    if (end === -1) break;
    const record = decodeRecord(bytes.subarray(offset, end).toString('utf8'), records.length + 1);
    if (!record) {
      if (end === bytes.length - 1) break;
      throw new JournalError(`The journal "${path}" is damaged at byte ${String(offset)}.`, {
        hint: 'The records before that byte are readable. Nothing was changed.',
      });
    }
    records.push(record);
    positions.push({ offset, length: end + 1 - offset });
    offset = end + 1;
  }
  return { records, positions, validBytes: offset };
}
