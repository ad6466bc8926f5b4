import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { JournalError, UsageError } from '../core/errors.ts';
import type { PathCopy } from '../core/host-path.ts';
import type { Random } from '../core/ports.ts';
import { copyName } from '../util/copy-name.ts';
import type { Redactor } from '../util/redact.ts';
import { syncDirectory, writeDurably } from './durable.ts';
import { readJournal } from './journal-file.ts';
import { readRun, type RecordedRun } from './recorded-run.ts';
import type { PinnedFile } from './records.ts';

/** Copies of small files of hosts, made before a step changes them. */
export interface CopyStore {
  keep(copy: PathCopy, content: Buffer): void;
  /** Undefined if there is no copy. */
  read(copy: PathCopy): Buffer | undefined;
}

/** IDs per millisecond. Four hexadecimal digits can hold 1000 times as many. */
const SLOTS = 65;

/**
 * The directory with the runs of this user. Each run has a directory with its journal and copies of
 * files.
 */
export class RunStore {
  readonly #root: string;
  readonly #random: Random;

  /** @param random for the IDs of runs */
  constructor(stateDir: string, random: Random) {
    this.#random = random;
    this.#root = join(stateDir, 'runs');
  }

  /**
   * Creates the directory of a new run. IDs sort by creation time in milliseconds, because commands
   * without an ID use the newest run. The last four hexadecimal digits are 65 times the
   * millisecond, plus a random number below 65.
   *
   * @throws JournalError if all IDs of this millisecond are in use
   */
  create(now: Date): string {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const first = this.#random.bytes(4).readUInt32BE() % SLOTS;
    for (let tried = 0; tried < SLOTS; tried++) {
      const within = now.getUTCMilliseconds() * SLOTS + ((first + tried) % SLOTS);
      const id = `${stamp}-${within.toString(16).padStart(4, '0')}`;
      try {
        mkdirSync(join(this.#root, id), { mode: 0o700 });
      } catch (error) {
        // Another run of this user has the same ID.
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      mkdirSync(join(this.#root, id, 'files'), { mode: 0o700 });
      // The directory of the run is synced when its journal is created in it.
      syncDirectory(this.#root);
      return id;
    }
    throw new JournalError('Too many runs started in the same millisecond.', {
      hint: 'Start the run again.',
    });
  }

  directory(id: string): string {
    return join(this.#root, id);
  }

  journalPath(id: string): string {
    return join(this.#root, id, 'journal');
  }

  /** Path of the file with the complete output of a command. `name` is UNIT.ATTEMPT.STREAM. */
  outputPath(id: string, name: string): string {
    return join(this.#root, id, 'output', name);
  }

  /**
   * Copies of small files of hosts, made before a step changes them. Files with secrets are not
   * stored.
   */
  copies(id: string, redactor: Redactor): CopyStore {
    const directory = join(this.#root, id, 'captures');
    const fileOf = (copy: PathCopy) => join(directory, copyName(copy));
    return {
      keep(copy, content) {
        if (redactor.hasSecret(content)) return;
        try {
          mkdirSync(directory, { recursive: true, mode: 0o700 });
          writeFileSync(fileOf(copy), content, { mode: 0o600 });
        } catch {
          // The copy is optional: the host has another one.
        }
      },
      read(copy) {
        const path = fileOf(copy);
        return existsSync(path) ? readFileSync(path) : undefined;
      },
    };
  }

  /**
   * IDs of the runs, newest first. A run that was killed before its first record has contacted no
   * host and is not listed.
   */
  ids(): string[] {
    return this.#idsWhere(() => true);
  }

  /**
   * Applies the test first, because each start of a run reads this directory, and most of its runs
   * are closed.
   */
  #idsWhere(test: (id: string) => boolean): string[] {
    if (!existsSync(this.#root)) return [];
    const hasRecord = (id: string) =>
      (statSync(this.journalPath(id), { throwIfNoEntry: false })?.size ?? 0) > 0;
    return readdirSync(this.#root)
      .filter((id) => test(id) && hasRecord(id))
      .sort()
      .reverse();
  }

  read(id: string): RecordedRun {
    const { records } = readJournal(this.journalPath(id));
    if (records.length > 0) return readRun(records);
    throw new JournalError(`Run ${id} was interrupted before its first record was complete.`, {
      hint: `The run has not contacted a host. Remove ${join(this.#root, id)}.`,
    });
  }

  /**
   * Finds a run by its ID or a unique start or end of it. Undefined finds the newest. @throws
   * UsageError if there is none
   */
  find(wanted: string | undefined): string {
    const ids = this.ids();
    if (wanted === undefined) {
      const [newest] = ids;
      if (newest !== undefined) return newest;
      throw new UsageError('There are no runs.');
    }
    const matching = ids.filter((id) => id.startsWith(wanted) || id.endsWith(wanted));
    const [only] = matching;
    if (matching.length === 1 && only !== undefined) return only;
    throw new UsageError(
      `${matching.length === 0 ? 'No run matches' : 'Several runs match'} "${wanted}".`,
      {
        hint: 'List the runs with: runner runs.',
      },
    );
  }

  /** Runs that are not marked as closed. This does not read their journals. */
  openRuns(): string[] {
    return this.#idsWhere((id) => !this.isClosed(id));
  }

  /** Whether a run exists on this controller and is marked as closed. */
  isClosed(id: string): boolean {
    return existsSync(join(this.#root, id, 'closed'));
  }

  markClosed(id: string): void {
    writeFileSync(join(this.#root, id, 'closed'), '', { mode: 0o600 });
  }

  /**
   * For a closed run that a rollback or resume works on again: its locks count until it is closed
   * again.
   */
  markOpen(id: string): void {
    rmSync(join(this.#root, id, 'closed'), { force: true });
  }

  /** Runs with lost outputs that no command has reported yet. */
  unseen(): string[] {
    return this.#idsWhere((id) => existsSync(this.#unseenMark(id)));
  }

  markUnseen(id: string): void {
    try {
      writeFileSync(this.#unseenMark(id), '', { mode: 0o600 });
    } catch {
      // A full disk must not end the run. The loss is also recorded in the journal.
    }
  }

  markSeen(id: string): void {
    rmSync(this.#unseenMark(id), { force: true });
  }

  #unseenMark(id: string): string {
    return join(this.#root, id, 'unseen');
  }

  /**
   * The content of a file at the time when the run read it, from its copy or from the file if that
   * has not changed.
   * @throws JournalError if both have changed
   */
  pinnedText(id: string, { path, pinned, sha256 }: PinnedFile): string {
    const places = [join(this.#root, id, pinned), path];
    const same = places.find((place) => fileChecksum(place) === sha256);
    if (same !== undefined) return readFileSync(same, 'utf8');
    throw new JournalError(`The copy of ${path} in run ${id} is damaged.`, {
      hint: `Restore ${path} to its state at the start of the run.`,
    });
  }

  /**
   * Stores copies of files under their checksums. They are synced before a record names them.
   * @throws JournalError
   */
  pin(id: string, paths: readonly string[]): PinnedFile[] {
    let path = '';
    try {
      const files = paths.map((next) => this.#pinOne(id, (path = next)));
      syncDirectory(join(this.#root, id, 'files'));
      return files;
    } catch (error) {
      const why = (error as Error).message;
      throw new JournalError(`Cannot store a copy of ${path} with the run: ${why}`, {
        cause: error,
      });
    }
  }

  #pinOne(id: string, path: string): PinnedFile {
    const bytes = readFileSync(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const pinned = join('files', sha256.slice(0, 16));
    const copy = join(this.#root, id, pinned);
    if (fileChecksum(copy) !== sha256) writeDurably(copy, bytes);
    return { path, sha256, pinned };
  }
}

export function fileChecksum(path: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return undefined;
  }
}
