import { JournalError } from '../core/errors.ts';
import type { JournalFile } from '../core/ports.ts';
import type { Secrets } from '../util/secrets.ts';
import { trace } from '../util/trace.ts';
import { decodeRecord, encodeRecord, recordedKeys, storeRecord } from './codec.ts';
import { JournalWriter, parseJournal } from './journal-file.ts';
import { applyRecord, beginRun, type RecordedRun } from './recorded-run.ts';
import type { JournalRecord, StoredRecord } from './records.ts';
import type { Signal } from './signals.ts';

/**
 * Follows a run: gets each record as it is written, before it is on disk, and each signal. Both hold secrets in plain.
 *
 * @param state the run with the record applied; undefined for a signal before the first record
 */
export type LogReader = (entry: JournalRecord | Signal, state: RecordedRun | undefined) => void;

/**
 * What has happened in a run, and the only writer of it. A record changes the state of the run as it is written, so nobody
 * rereads what this process wrote. With a file it is the run's journal; without one it serves check runs and tests.
 */
export class Log {
  readonly #secrets: Secrets;
  readonly #file: JournalWriter | undefined;
  #written = 0;
  #state: RecordedRun | undefined;
  readonly #readers = new Map<LogReader, (error: unknown) => void>();
  /** Entries that the readers have not got yet. */
  readonly #unread: (JournalRecord | Signal)[] = [];

  private constructor(secrets: Secrets, file?: JournalWriter) {
    this.#secrets = secrets;
    this.#file = file;
  }

  /** @param file empty */
  static create(file: JournalFile, secrets: Secrets): Log {
    return new Log(secrets, new JournalWriter(file, 0));
  }

  static inMemory(secrets: Secrets): Log {
    return new Log(secrets);
  }

  /**
   * Opens a journal to go on with; a torn last record is cut off.
   * @throws JournalError when it is damaged elsewhere
   */
  static reopen(file: JournalFile, secrets: Secrets): Log {
    const { size } = file;
    const { records, positions, validBytes } = parseJournal(file.read(0, size), file.path);
    const state = beginRun(records[0]);
    if (validBytes < size) file.cut(validBytes);
    const log = new Log(secrets, new JournalWriter(file, validBytes));
    log.#state = state;
    for (const record of records) {
      const position = positions[log.#written] ?? { offset: 0, length: 0 };
      const number = ++log.#written;
      applyRecord(state, record, log.#onDemand(position, number));
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

  /** Numbers of the steps that ran under that key, oldest first. */
  executions(key: string): number[] {
    const { executions } = this.state;
    return recordedKeys(key, this.#secrets)
      .flatMap((one) => executions.get(one) ?? [])
      .sort((a, b) => a - b);
  }

  /** Hosts on which a rescue has begun for the failure of the step with that key. */
  rescued(key: string): Set<string> {
    const { rescued } = this.state;
    const hosts = recordedKeys(key, this.#secrets).map((one) => rescued.get(one));
    return new Set(hosts.flatMap((own) => [...(own?.keys() ?? [])]));
  }

  /** Whether the commit point with that key was passed. */
  hasPassed(key: string): boolean {
    return recordedKeys(key, this.#secrets).some((one) => this.state.commits.has(one));
  }

  /** Writes a record without waiting for the disk: it survives the process, and the next sync covers it. */
  write(record: JournalRecord): void {
    trace('journal', () => JSON.stringify(record));
    const stored = storeRecord(record, this.#secrets);
    this.#state ??= beginRun(stored);
    const number = ++this.#written;
    const position = this.#file?.add(encodeRecord(number, stored));
    applyRecord(this.#state, stored, position ? this.#onDemand(position, number) : () => stored);
    this.#tell(record);
  }

  /** Tells the readers what is not kept. */
  signal(signal: Signal): void {
    this.#tell(signal);
  }

  /**
   * Lets a reader follow from now on.
   *
   * @param onFault called with what the reader threw, which gets nothing more then. The run goes on.
   */
  subscribe(reader: LogReader, onFault: (error: unknown) => void): void {
    this.#readers.set(reader, onFault);
  }

  /** An entry that a reader causes comes after the one that it is reading, for all readers. */
  #tell(entry: JournalRecord | Signal): void {
    if (this.#readers.size === 0) return;
    if (this.#unread.push(entry) > 1) return;
    for (let next = this.#unread[0]; next; next = this.#unread[0]) {
      for (const [reader, onFault] of this.#readers) {
        try {
          reader(next, this.#state);
        } catch (error) {
          this.#readers.delete(reader);
          report(error, onFault);
        }
      }
      this.#unread.shift();
    }
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

  /** In a function of its own: closures made in one call keep alive whatever any of them mentions, here the record. */
  #onDemand(position: { offset: number; length: number }, number: number): () => StoredRecord {
    return () => this.#readAt(position, number);
  }

  #readAt(position: { offset: number; length: number }, number: number): StoredRecord {
    const file = this.#file;
    const record = file && decodeRecord(file.read(position).slice(0, -1), number);
    if (record) return record;
    throw new JournalError(
      `The journal "${file?.path ?? ''}" is damaged at byte ${String(position.offset)}.`,
    );
  }
}

function report(fault: unknown, onFault: (error: unknown) => void): void {
  try {
    onFault(fault);
  } catch (error) {
    // Whoever should hear of it has a fault, too. The run goes on.
    trace('journal', () => String(error));
  }
}
