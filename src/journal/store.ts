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

/** Small files of hosts, as they were before a step. */
export interface CopyStore {
  keep(copy: PathCopy, content: Buffer): void;
  /** Undefined when it is not there. */
  read(copy: PathCopy): Buffer | undefined;
}

/** Ids a millisecond has room for: a thousand times as many fit into four digits of 16. */
const SLOTS = 65;

/** The folder of all runs of this user: one folder a run, with its journal and pinned files. */
export class RunStore {
  readonly #root: string;
  readonly #random: Random;

  /** @param random draws the ids of runs */
  constructor(stateDir: string, random: Random) {
    this.#random = random;
    this.#root = join(stateDir, 'runs');
  }

  /**
   * Makes the folder of a new run. Ids sort by when they were made, to the millisecond, since `runner resume` alone
   * means the newest: four digits behind the second are 65 times the millisecond, and a number drawn below 65.
   *
   * @throws JournalError when no id is left in this millisecond
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
        // Another run of this user has drawn the same: its folder is its own.
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      mkdirSync(join(this.#root, id, 'files'), { mode: 0o700 });
      // The directory of the run is synced when its journal is created in it.
      syncDirectory(this.#root);
      return id;
    }
    throw new JournalError('Too many runs began in the same millisecond; start it again.');
  }

  directory(id: string): string {
    return join(this.#root, id);
  }

  journalPath(id: string): string {
    return join(this.#root, id, 'journal');
  }

  /** Where the whole of a long output is kept; `name` is UNIT.ATTEMPT.STREAM. */
  outputPath(id: string, name: string): string {
    return join(this.#root, id, 'output', name);
  }

  /** Copies of small files of the hosts, as they were before a step. Those that hold a secret are not kept. */
  copies(id: string, redactor: Redactor): CopyStore {
    const folder = join(this.#root, id, 'captures');
    const fileOf = (copy: PathCopy) => join(folder, copyName(copy));
    return {
      keep(copy, content) {
        if (redactor.hasSecret(content)) return;
        try {
          mkdirSync(folder, { recursive: true, mode: 0o700 });
          writeFileSync(fileOf(copy), content, { mode: 0o600 });
        } catch {
          // The host has the copy that counts.
        }
      },
      read(copy) {
        const path = fileOf(copy);
        return existsSync(path) ? readFileSync(path) : undefined;
      },
    };
  }

  /** Newest first. A run that was killed before its first record has contacted no host, and is left out. */
  ids(): string[] {
    return this.#idsWhere(() => true);
  }

  /** The test comes first: each start of a run reads this directory, and most of its runs are over. */
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
      hint: `It has contacted no host. Remove ${join(this.#root, id)}.`,
    });
  }

  /** A run by its id, a unique beginning of it, or the newest. @throws UsageError when there is none */
  find(wanted: string | undefined): string {
    const ids = this.ids();
    if (wanted === undefined) {
      const [newest] = ids;
      if (newest !== undefined) return newest;
      throw new UsageError('There are no runs yet.');
    }
    const matching = ids.filter((id) => id.startsWith(wanted) || id.endsWith(wanted));
    const [only] = matching;
    if (matching.length === 1 && only !== undefined) return only;
    throw new UsageError(
      `${matching.length === 0 ? 'No run is' : 'Several runs are'} called "${wanted}".`,
      {
        hint: 'List them with: runner runs.',
      },
    );
  }

  /** Runs that ended without a final record, or left their hosts half-way: the cheap look reads one small file. */
  openRuns(): string[] {
    return this.#idsWhere((id) => !this.isClosed(id));
  }

  /** Whether a run is known here, and is over. */
  isClosed(id: string): boolean {
    return existsSync(join(this.#root, id, 'closed'));
  }

  markClosed(id: string): void {
    writeFileSync(join(this.#root, id, 'closed'), '', { mode: 0o600 });
  }

  /** Runs with lost outputs that no command has reported yet. */
  unseen(): string[] {
    return this.#idsWhere((id) => existsSync(this.#unseenMark(id)));
  }

  markUnseen(id: string): void {
    try {
      writeFileSync(this.#unseenMark(id), '', { mode: 0o600 });
    } catch {
      // A full disk must not end the run. The journal has the record, too.
    }
  }

  markSeen(id: string): void {
    rmSync(this.#unseenMark(id), { force: true });
  }

  #unseenMark(id: string): string {
    return join(this.#root, id, 'unseen');
  }

  /**
   * A file as it was when the run read it: its copy, or the file itself where that is still the same.
   * @throws JournalError when neither is
   */
  pinnedText(id: string, { path, pinned, sha256 }: PinnedFile): string {
    const places = [join(this.#root, id, pinned), path];
    const same = places.find((place) => fileChecksum(place) === sha256);
    if (same !== undefined) return readFileSync(same, 'utf8');
    throw new JournalError(`The copy of ${path} that run ${id} keeps is damaged.`, {
      hint: `Restore ${path} as it was when the run began.`,
    });
  }

  /** Keeps copies of files as the run read them, under their checksums, before a record names them. @throws JournalError */
  pin(id: string, paths: readonly string[]): PinnedFile[] {
    let path = '';
    try {
      const files = paths.map((next) => this.#pinOne(id, (path = next)));
      syncDirectory(join(this.#root, id, 'files'));
      return files;
    } catch (error) {
      const why = (error as Error).message;
      throw new JournalError(`Cannot keep a copy of ${path} with the run: ${why}`, {
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
