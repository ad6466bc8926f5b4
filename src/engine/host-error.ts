import { errorMessage, InternalError, JournalError, RunnerError } from '../core/errors.ts';
import { trace } from '../util/trace.ts';
import { Interrupted } from './interrupted.ts';

/**
 * Converts an error of a step on one host. An unexpected error becomes an internal error of that
 * host only, so that other hosts and the rollback continue.
 *
 * @throws JournalError, Interrupted: they end the run
 */
export function hostError(
  error: unknown,
  { id, module }: { id: string; module: string },
): RunnerError {
  if (error instanceof JournalError || error instanceof Interrupted) throw error;
  if (error instanceof RunnerError) return error;
  trace('errors', () => `${id}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
  return new InternalError(`Internal error in "${module}": ${errorMessage(error)}.`, {
    hint: 'Report this bug. Add --debug errors to see where it happens.',
    cause: error,
  });
}
