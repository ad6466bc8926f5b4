import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  openSync,
  readFileSync,
  truncateSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { JournalError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { Redactor } from '../util/redact.ts';
import { trace } from '../util/trace.ts';
import type { JournalRecord } from './records.ts';
import { Reserve } from './reserve.ts';

/**
 * Append-only record of a run: one JSON record a line, with its number in front and its checksum behind.
 * Writers that arrive while a sync is under way share the next one, so a step costs one sync at any number of hosts.
 */
export class Journal {
  readonly path: string;
  readonly #fd: number;
  readonly #redactor: Redactor;
  readonly #reserve: Reserve;
  #sequence: number;
  /** Bytes that are in the file as whole records. */
  #size: number;
  #intents: number;
  #queue: string[] = [];
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushing = false;
  #failure: JournalError | undefined;

  private constructor(
    path: string,
    fd: number,
    { sequence, size, intents }: { sequence: number; size: number; intents: number },
    redactor: Redactor,
  ) {
    this.path = path;
    this.#fd = fd;
    this.#sequence = sequence;
    this.#size = size;
    this.#intents = intents;
    this.#redactor = redactor;
    this.#reserve = new Reserve(join(dirname(path), 'reserve'));
  }

  /** Whether a step that can change a host is on record. */
  get hasIntents(): boolean {
    return this.#intents > 0;
  }

  static create(path: string, redactor: Redactor): Journal {
    return new Journal(
      path,
      openSync(path, 'ax', 0o600),
      { sequence: 0, size: 0, intents: 0 },
      redactor,
    );
  }

  /** Opens a journal to go on with; a torn last record is cut off. */
  static reopen(path: string, redactor: Redactor): { journal: Journal; records: JournalRecord[] } {
    const { records, validBytes } = readJournal(path);
    truncateSync(path, validBytes);
    const intents = records.filter(({ t }) => t === 'intent').length;
    const state = { sequence: records.length, size: validBytes, intents };
    return { journal: new Journal(path, openSync(path, 'a', 0o600), state, redactor), records };
  }

  /**
   * Resolves when the record is on disk.
   * @throws JournalError when it cannot be written; every later call then fails too, so that nothing runs unrecorded
   */
  append(record: JournalRecord): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (record.t === 'intent') {
      this.#intents++;
      try {
        this.#reserve.ensure(this.#intents);
      } catch (error) {
        return Promise.reject(this.#fail(error));
      }
    }
    this.#queue.push(this.#line(record));
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (!this.#flushing) void this.#flush();
    return done;
  }

  /** Gives up the room that was kept for the records of a rollback: they are written now. */
  releaseReserve(): void {
    this.#reserve.release();
  }

  /**
   * After a write failed: gives up the reserve and writes what could not be written, so that a rollback can be recorded.
   * @throws JournalError when that does not help
   */
  async recover(): Promise<void> {
    // A write that is still under way would fail after the failure is forgotten, and end the run without a rollback.
    while (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
    if (!this.#failure) return;
    this.#reserve.release();
    this.#failure = undefined;
    truncateSync(this.path, this.#size);
    await this.append({ t: 'recovered' });
  }

  /** Writes a record without waiting for the disk: it survives the process, and the next sync covers it. */
  note(record: JournalRecord): void {
    this.#queue.push(this.#line(record));
    if (!this.#flushing && !this.#failure) void this.#flush();
  }

  /** Resolves when all that was noted is in the file. @throws JournalError when it cannot be written */
  async drain(): Promise<void> {
    while (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
    if (this.#failure) throw this.#failure;
  }

  async close(): Promise<void> {
    while (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
    if (!this.#failure && this.#queue.length > 0) writeSync(this.#fd, this.#queue.join(''));
    closeSync(this.#fd);
  }

  #line(record: JournalRecord): string {
    trace('journal', () => JSON.stringify(record));
    this.#sequence++;
    const stored = this.#redactor.referenceAll(record as unknown as JsonValue);
    const body = `${String(this.#sequence)} ${JSON.stringify(stored)}`;
    return `${body} ${checksum(body)}\n`;
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
    while (this.#queue.length > 0 && !this.#failure) {
      const text = this.#queue.join('');
      const waiting = this.#waiting;
      this.#queue = [];
      this.#waiting = [];
      const bytes = Buffer.from(text);
      try {
        await writeAll(this.#fd, bytes);
        if (waiting.length > 0) await sync(this.#fd);
        this.#size += bytes.length;
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        this.#queue.unshift(text);
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
 * Reads a journal. A torn last line is left out.
 * @throws JournalError naming the byte of any other damage
 */
export function readJournal(path: string): { records: JournalRecord[]; validBytes: number } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new JournalError(`The journal "${path}" cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const records: JournalRecord[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = bytes.indexOf(0x0a, offset);
    if (end === -1) break;
    const record = parseLine(bytes.subarray(offset, end).toString('utf8'), records.length + 1);
    if (!record) {
      if (end === bytes.length - 1) break;
      throw new JournalError(`The journal "${path}" is damaged at byte ${String(offset)}.`, {
        hint: 'Its records before that byte can be read; nothing was changed.',
      });
    }
    records.push(record);
    offset = end + 1;
  }
  return { records, validBytes: offset };
}

function parseLine(line: string, expected: number): JournalRecord | undefined {
  const start = line.indexOf(' ');
  const end = line.lastIndexOf(' ');
  if (start <= 0 || end <= start) return undefined;
  if (line.slice(end + 1) !== checksum(line.slice(0, end))) return undefined;
  if (Number(line.slice(0, start)) !== expected) return undefined;
  return JSON.parse(line.slice(start + 1, end)) as JournalRecord;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
