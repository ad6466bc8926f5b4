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
 * Receives each record when it is written, before it is on disk, and each signal. Both contain
 * plain secrets.
 *
 * @param state the run including the record. Undefined for a signal before the first record.
 */
export type LogReader = (entry: JournalRecord | Signal, state: RecordedRun | undefined) => void;

/**
 * The log of a run, and the only writer of its records. Writing a record updates the state of the
 * run, so this process does not read its own records. With a file, the log is the journal of the
 * run. Check mode and tests use a log without a file.
 */
export class Log {
  readonly #secrets: Secrets;
  readonly #file: JournalWriter | undefined;
  #written = 0;
  #state: RecordedRun | undefined;
  readonly #readers = new Map<LogReader, (error: unknown) => void>();
  /** Entries that the readers have not received yet. */
  readonly #unread: (JournalRecord | Signal)[] = [];

  private constructor(secrets: Secrets, file?: JournalWriter) {
    this.#secrets = secrets;
    this.#file = file;
  }

  /** @param file an empty file */
  static create(file: JournalFile, secrets: Secrets): Log {
    return new Log(secrets, new JournalWriter(file, 0));
  }

  static inMemory(secrets: Secrets): Log {
    return new Log(secrets);
  }

  /**
   * Opens an existing journal. A torn last record is truncated.
   * @throws JournalError if another record is damaged
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

  /** The current state of the run. @throws JournalError before the first record */
  get state(): RecordedRun {
    if (!this.#state) throw new JournalError('The journal does not start with a run record.');
    return this.#state;
  }

  /** Whether a step that can change a host is recorded. */
  get hasIntents(): boolean {
    return (this.#state?.units.size ?? 0) > 0;
  }

  /** Numbers of the steps with the given key, oldest first. */
  executions(key: string): number[] {
    const { executions } = this.state;
    return recordedKeys(key, this.#secrets)
      .flatMap((one) => executions.get(one) ?? [])
      .sort((a, b) => a - b);
  }

  /** Hosts on which a rescue has started for the failure of the step with the given key. */
  rescued(key: string): Set<string> {
    const { rescued } = this.state;
    const hosts = recordedKeys(key, this.#secrets).map((one) => rescued.get(one));
    return new Set(hosts.flatMap((own) => [...(own?.keys() ?? [])]));
  }

  /** Whether the run has passed the commit point with the given key. */
  hasPassed(key: string): boolean {
    return recordedKeys(key, this.#secrets).some((one) => this.state.commits.has(one));
  }

  /**
   * Writes a record without waiting for the disk. It survives a crash of the process; the next sync
   * also covers a power cut.
   */
  write(record: JournalRecord): void {
    trace('journal', () => JSON.stringify(record));
    const stored = storeRecord(record, this.#secrets);
    this.#state ??= beginRun(stored);
    const number = ++this.#written;
    const position = this.#file?.add(encodeRecord(number, stored));
    applyRecord(this.#state, stored, position ? this.#onDemand(position, number) : () => stored);
    this.#notify(record);
  }

  /** Sends a signal, which is not stored, to the readers. */
  signal(signal: Signal): void {
    this.#notify(signal);
  }

  /**
   * Adds a reader for all further entries.
   *
   * @param onFault called with an error of the reader, which is then removed. The run continues.
   */
  subscribe(reader: LogReader, onFault: (error: unknown) => void): void {
    this.#readers.set(reader, onFault);
  }

  /** If a reader causes an entry, all readers receive the current entry first. */
  #notify(entry: JournalRecord | Signal): void {
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
   * Writes a record and waits until it is on disk.
   * @throws JournalError if it cannot be written. All later calls then fail, too, so that no step
   * runs unrecorded.
   */
  async append(record: JournalRecord): Promise<void> {
    if (this.#file?.failure) throw this.#file.failure;
    if (record.t === 'intent') this.#file?.reserve((this.#state?.units.size ?? 0) + 1);
    this.write(record);
    await this.sync();
  }

  /** Waits until all records are on disk. @throws JournalError if they cannot be written */
  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  /** Frees the disk space that was reserved for the records of a rollback. */
  releaseReserve(): void {
    this.#file?.releaseReserve();
  }

  /**
   * After a failed write, releases the reserve and writes the lost records, so that a rollback can
   * be recorded.
   * @throws JournalError if the records still cannot be written
   */
  async recover(): Promise<void> {
    if (await this.#file?.recover()) await this.append({ t: 'recovered' });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** A separate function, so that the closure does not keep the record in memory. */
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
    // The error handler has failed, too. The run continues.
    trace('journal', () => String(error));
  }
}
