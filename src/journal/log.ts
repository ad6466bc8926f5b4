import { JournalError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { JournalFile } from '../core/ports.ts';
import type { Redactor } from '../util/redact.ts';
import { trace } from '../util/trace.ts';
import { decodeRecord, encodeRecord } from './codec.ts';
import { JournalWriter, parseJournal } from './journal-file.ts';
import { applyRecord, beginRun, type RecordedRun, type Stored } from './recorded-run.ts';
import type { JournalRecord } from './records.ts';

/**
 * What has happened in a run, and the only writer of it. A record changes the state of the run as it is written, so nobody
 * rereads what this process wrote. With a file it is the run's journal; without one it serves check runs and tests.
 */
export class Log {
  readonly #redactor: Redactor;
  readonly #file: JournalWriter | undefined;
  #written = 0;
  #state: RecordedRun | undefined;

  private constructor(redactor: Redactor, file?: JournalWriter) {
    this.#redactor = redactor;
    this.#file = file;
  }

  /** @param file empty */
  static create(file: JournalFile, redactor: Redactor): Log {
    return new Log(redactor, new JournalWriter(file, 0));
  }

  static inMemory(redactor: Redactor): Log {
    return new Log(redactor);
  }

  /**
   * Opens a journal to go on with; a torn last record is cut off.
   * @throws JournalError when it is damaged elsewhere
   */
  static reopen(file: JournalFile, redactor: Redactor): Log {
    const { size } = file;
    const { records, positions, validBytes } = parseJournal(file.read(0, size), file.path);
    const state = beginRun(records[0]);
    if (validBytes < size) file.cut(validBytes);
    const log = new Log(redactor, new JournalWriter(file, validBytes));
    log.#state = state;
    for (const record of records) {
      const position = positions[log.#written] ?? { offset: 0, length: 0 };
      const number = ++log.#written;
      applyRecord(state, record, () => log.#readAt(position, number));
    }
    return log;
  }

  /** The run as its records tell it, always current. @throws JournalError before the first record */
  get state(): RecordedRun {
    if (!this.#state)
      throw new JournalError('The journal does not begin with the record of a run.');
    return this.#state;
  }

  /** Whether a step that can change a host is on record. */
  get hasIntents(): boolean {
    return (this.#state?.units.size ?? 0) > 0;
  }

  /** Writes a record without waiting for the disk: it survives the process, and the next sync covers it. */
  write(record: JournalRecord): void {
    trace('journal', () => JSON.stringify(record));
    const stored = this.#redactor.referenceAll(record as unknown as JsonValue);
    const kept = stored as unknown as JournalRecord;
    this.#state ??= beginRun(kept);
    const number = ++this.#written;
    const position = this.#file?.add(encodeRecord(number, stored));
    const whole: Stored<JournalRecord> = position
      ? () => this.#readAt(position, number)
      : () => kept;
    applyRecord(this.#state, kept, whole);
  }

  /**
   * Resolves when the record is on disk.
   * @throws JournalError when it cannot be written; every later call then fails too, so that nothing runs unrecorded
   */
  async append(record: JournalRecord): Promise<void> {
    if (this.#file?.failure) throw this.#file.failure;
    if (record.t === 'intent') this.#file?.reserve((this.#state?.units.size ?? 0) + 1);
    this.write(record);
    await this.sync();
  }

  /** Resolves when all that was written is on disk. @throws JournalError when it cannot be written */
  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  /** Gives up the room that was kept for the records of a rollback: they are written now. */
  releaseReserve(): void {
    this.#file?.releaseReserve();
  }

  /**
   * After a write failed: gives up the reserve and writes what could not be written, so that a rollback can be recorded.
   * @throws JournalError when that does not help
   */
  async recover(): Promise<void> {
    if (await this.#file?.recover()) await this.append({ t: 'recovered' });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #readAt(position: { offset: number; length: number }, number: number): JournalRecord {
    const file = this.#file;
    const record = file && decodeRecord(file.read(position).slice(0, -1), number);
    if (record) return record;
    throw new JournalError(
      `The journal "${file?.path ?? ''}" is damaged at byte ${String(position.offset)}.`,
    );
  }
}
