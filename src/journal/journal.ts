import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readFileSync,
  write,
  writeSync,
} from 'node:fs';
import { JournalError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { Redactor } from '../util/redact.ts';
import type { JournalRecord } from './records.ts';

/**
 * Append-only record of a run: one JSON record a line, with its number in front and its checksum behind.
 * Writers that arrive while a sync is under way share the next one, so a step costs one sync at any number of hosts.
 */
export class Journal {
  readonly path: string;
  readonly #fd: number;
  readonly #redactor: Redactor;
  #sequence: number;
  #queue: string[] = [];
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #flushing = false;
  #failure: JournalError | undefined;
  /** Whether a step that can change a host is on record. */
  hasIntents = false;

  private constructor(path: string, fd: number, sequence: number, redactor: Redactor) {
    this.path = path;
    this.#fd = fd;
    this.#sequence = sequence;
    this.#redactor = redactor;
  }

  static create(path: string, redactor: Redactor): Journal {
    return new Journal(path, openSync(path, 'ax', 0o600), 0, redactor);
  }

  /** Opens a journal to go on with; a torn last record is cut off. */
  static reopen(path: string, redactor: Redactor): { journal: Journal; records: JournalRecord[] } {
    const { records, validBytes } = readJournal(path);
    const fd = openSync(path, 'r+', 0o600);
    ftruncateSync(fd, validBytes);
    closeSync(fd);
    return {
      journal: new Journal(path, openSync(path, 'a', 0o600), records.length, redactor),
      records,
    };
  }

  /**
   * Resolves when the record is on disk.
   * @throws JournalError when it cannot be written; every later call then fails too, so that nothing runs unrecorded
   */
  append(record: JournalRecord): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (record.t === 'intent') this.hasIntents = true;
    this.#queue.push(this.#line(record));
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (!this.#flushing) void this.#flush();
    return done;
  }

  /** Writes a record without waiting for the disk: it survives the process, and the next sync covers it. */
  note(record: JournalRecord): void {
    if (this.#failure) return;
    this.#queue.push(this.#line(record));
    if (!this.#flushing) void this.#flush();
  }

  async close(): Promise<void> {
    while (this.#flushing) await new Promise((resolve) => setImmediate(resolve));
    if (!this.#failure && this.#queue.length > 0) writeSync(this.#fd, this.#queue.join(''));
    closeSync(this.#fd);
  }

  #line(record: JournalRecord): string {
    this.#sequence++;
    const stored = this.#redactor.referenceAll(record as unknown as JsonValue);
    const body = `${String(this.#sequence)} ${JSON.stringify(stored)}`;
    return `${body} ${checksum(body)}\n`;
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
      try {
        await writeAll(this.#fd, Buffer.from(text));
        if (waiting.length > 0) await sync(this.#fd);
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        this.#failure = new JournalError(
          `The journal "${this.path}" cannot be written: ${messageOf(error)}.`,
          {
            hint: 'Make room on that disk. Nothing runs that is not recorded first.',
            cause: error,
          },
        );
        for (const { reject } of [...waiting, ...this.#waiting]) reject(this.#failure);
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
