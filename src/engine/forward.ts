import type { Forward } from '../core/endings.ts';
import { JournalError, LockedError, RunnerError, TimeLimitError } from '../core/errors.ts';
import type { Log } from '../journal/log.ts';
import { Interrupted } from './interrupted.ts';

/**
 * Runs the playbook. An error that ends the run becomes its result.
 *
 * @throws any other error: an internal error, or an error of the playbook or journal before the
 * first change
 */
export async function forward(
  log: Pick<Log, 'hasIntents' | 'recover'>,
  walk: () => Promise<Forward>,
): Promise<Forward> {
  try {
    return await walk();
  } catch (error) {
    const end = endBy(error, log.hasIntents);
    if (!end) throw error;
    if (error instanceof JournalError) await log.recover();
    return end;
  }
}

function endBy(error: unknown, changedAnything: boolean): Forward | undefined {
  if (error instanceof Interrupted) return { status: 'interrupted', changedAnything };
  if (!(error instanceof RunnerError)) return undefined;
  const message = error.describe();
  if (error instanceof TimeLimitError) return { status: 'failed', message, changedAnything };
  // A playbook error found during the run is handled like a failed step: the changes are rolled
  // back.
  if (changedAnything) return { status: 'failed', message, changedAnything };
  return error instanceof LockedError ? { status: 'locked', message } : undefined;
}
