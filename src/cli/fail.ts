import { exitCodes } from '../core/states.ts';
import {
  ConnectError,
  JournalError,
  PlaybookError,
  RunnerError,
  UsageError,
  describeProblem,
} from '../core/errors.ts';
import { printable } from '../util/text.ts';
import type { World } from './world.ts';

/** An earlier run on the same hosts is not settled. */
export class OpenRunError extends RunnerError {
  readonly code = 'RUN_OPEN';
}

/** Writes a line for a person to standard error. Its parts may come from files and hosts: secrets are masked, control characters shown. */
export function tell(world: World, text: string): void {
  world.stderr.write(`${printable(world.redactor.mask(text))}\n`);
}

/** Writes a text for a person to standard output, masked and with its control characters shown as well. */
export function print(world: World, text: string): void {
  world.stdout.write(`${printable(world.redactor.mask(text))}\n`);
}

/** Prints an error for a person and returns the exit code that says what it means. */
export function reportError(world: World, error: unknown): number {
  const say = (text: string) => {
    tell(world, text);
  };
  if (error instanceof PlaybookError) {
    for (const problem of error.problems) say(describeProblem(problem));
    say(
      `${String(error.problems.length)} ${error.problems.length === 1 ? 'problem' : 'problems'}; nothing was contacted.`,
    );
    return exitCodes.invalid;
  }
  if (error instanceof UsageError) {
    say(`runner: ${error.describe()}`);
    return exitCodes.invalid;
  }
  if (error instanceof JournalError) {
    say(`runner: ${error.describe()}`);
    return exitCodes.internal;
  }
  if (error instanceof RunnerError) {
    say(`runner: ${error.describe()}`);
    return error instanceof ConnectError ? exitCodes.preflight_failed : exitCodes.invalid;
  }
  say(
    `runner: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  say('This is a bug. The journal of the run is intact; see: runner runs');
  return exitCodes.internal;
}
