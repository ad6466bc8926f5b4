import { RunnerError } from '../core/errors.ts';

/** An earlier run on the same hosts is not settled. */
export class OpenRunError extends RunnerError {
  readonly code = 'RUN_OPEN';
}
