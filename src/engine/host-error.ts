import { errorMessage, InternalError, JournalError, RunnerError } from '../core/errors.ts';
import { trace } from '../util/trace.ts';
import { Interrupted } from './interrupted.ts';

/**
 * What went wrong in the work of a step for one host. An error that nobody expected is an internal one of that host: the others,
 * and the rollback, need not suffer from it.
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
    hint: 'This is a bug. Add --debug errors to see where it happens.',
    cause: error,
  });
}
