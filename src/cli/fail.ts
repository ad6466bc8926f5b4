import { exitCodes } from '../core/states.ts';
import {
  ConnectError,
  JournalError,
  PlaybookError,
  RunnerError,
  UsageError,
  describeProblem,
} from '../core/errors.ts';
import { plural, printable } from '../util/text.ts';
import type { World } from './world.ts';

/** An earlier run on the same hosts is not finished, or another command is working on the run. */
export class OpenRunError extends RunnerError {
  readonly code = 'RUN_OPEN';
}

/** Prints a message to standard error, with secrets masked and control characters escaped. */
export function printMessage(world: World, text: string): void {
  world.stderr.write(`${printable(world.redactor.mask(text))}\n`);
}

/**
 * Prints text for people to standard output, with secrets masked and control characters escaped.
 */
export function print(world: World, text: string): void {
  world.stdout.write(`${printable(world.redactor.mask(text))}\n`);
}

/** Prints an error and returns its exit code. */
export function reportError(world: World, error: unknown): number {
  const printLine = (text: string) => {
    printMessage(world, text);
  };
  if (error instanceof PlaybookError) {
    for (const problem of error.problems) printLine(describeProblem(problem));
    printLine(`${plural(error.problems.length, 'problem')}. No host was contacted.`);
    return exitCodes.invalid;
  }
  if (error instanceof UsageError) {
    printLine(`runner: ${error.describe()}`);
    return exitCodes.invalid;
  }
  if (error instanceof JournalError) {
    printLine(`runner: ${error.describe()}`);
    return exitCodes.internal;
  }
  if (error instanceof RunnerError) {
    printLine(`runner: ${error.describe()}`);
    return error instanceof ConnectError ? exitCodes.preflight_failed : exitCodes.invalid;
  }
  printLine(
    `runner: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  printLine(
    'This is a bug in runner. The journal of the run is intact. List the runs with: runner runs',
  );
  return exitCodes.internal;
}
