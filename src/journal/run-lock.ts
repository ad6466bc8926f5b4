import {
  appendFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorMessage, JournalError } from '../core/errors.ts';

/** A process that works on a run. */
export interface Holder {
  pid: number;
  bootId: string;
  /** Start time of the process, because process IDs are reused. Empty if unknown. */
  started: string;
  /** The command of the user, such as "runner resume". */
  command: string;
}

const RELEASED = 'released\n';
const NAME = /^lock-([1-9]\d*)$/;

/**
 * Locks the directory of a run, because two processes that write its journal would destroy it. If
 * the holder of the newest lock file has released it or ended, a process atomically creates the
 * lock file with the next number. Lock files are never removed or replaced, so only one process can
 * succeed.
 *
 * @returns a function that releases the lock, or the process that holds it
 * @throws JournalError if the directory cannot be written
 */
export function lockRun(
  directory: string,
  holder: Holder,
  isRunning: (holder: Holder) => boolean,
): (() => void) | Holder {
  // The name is unique among running processes.
  const complete = join(directory, `lock.${holder.bootId}.${String(holder.pid)}.new`);
  try {
    for (;;) {
      const newest = newestOf(directory);
      const held = newest === 0 ? undefined : readHolder(join(directory, `lock-${String(newest)}`));
      if (held && isRunning(held)) return held;
      const path = join(directory, `lock-${String(newest + 1)}`);
      writeFileSync(complete, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
      if (isLinked(complete, path))
        return () => {
          release(path);
        };
    }
  } catch (error) {
    const why = errorMessage(error);
    throw new JournalError(`Cannot lock the run directory "${directory}": ${why}.`, {
      cause: error,
    });
  } finally {
    rmSync(complete, { force: true });
  }
}

function newestOf(directory: string): number {
  const numbers = readdirSync(directory).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

/** Undefined if the lock was released, or a power cut occurred before the file was on disk. */
function readHolder(path: string): Holder | undefined {
  const text = readFileSync(path, 'utf8');
  if (text.endsWith(RELEASED)) return undefined;
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** False if another process was first. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function release(path: string): void {
  try {
    appendFileSync(path, RELEASED);
  } catch {
    // The lock also ends with the process.
  }
}
