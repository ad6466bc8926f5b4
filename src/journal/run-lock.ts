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
  /** When the process started, since numbers of processes are used again; empty where that is not known. */
  started: string;
  /** What the user called, such as "runner resume". */
  command: string;
}

const RELEASED = 'released\n';
const NAME = /^lock-([1-9]\d*)$/;

/**
 * Takes the directory of a run for one process: two that write its journal would destroy it. Each taker makes the file
 * that follows the newest, complete and only if it does not exist yet, and only when the holder of the newest is gone.
 * No file is ever removed or replaced, and who is gone stays gone, so two takers can never both succeed.
 *
 * @returns releases the run; or the process that holds it
 * @throws JournalError when the directory cannot be written
 */
export function lockRun(
  directory: string,
  holder: Holder,
  isRunning: (holder: Holder) => boolean,
): (() => void) | Holder {
  // No two processes that run have this name.
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
    throw new JournalError(`The run directory "${directory}" cannot be locked: ${why}.`, {
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

/** Undefined when it has released the run, or the machine lost power before the file was on disk. */
function readHolder(path: string): Holder | undefined {
  const text = readFileSync(path, 'utf8');
  if (text.endsWith(RELEASED)) return undefined;
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** False when another process was first. */
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
    // The end of the process releases it, too.
  }
}
