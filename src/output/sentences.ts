import { exitCodes, type RunOutcome } from '../core/states.ts';
import type { Forward, RollbackResult, TransactionEnd } from '../core/endings.ts';
import { allows, lifeOf, type EndState, type LifeState, type Move } from '../journal/lifecycle.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import { plural } from '../util/text.ts';

/** How a run ended: its state, the message for the operator, and the commands to run next. */
export interface Ending {
  state: EndState;
  message: string;
  next: string[];
}

/** Derives the ending of a run from the result of its transaction. */
export function conclude(run: string, end: TransactionEnd): Ending {
  switch (end.status) {
    case 'done':
      return concludeDone(run, end);
    case 'locked':
      return { state: 'refused', message: end.message, next: [] };
    case 'interrupted':
      if (!end.changedAnything) {
        const message = 'Interrupted. Nothing was changed.';
        return { state: 'stopped_early', message, next: [] };
      }
      return {
        state: 'stopped',
        message: 'Interrupted. Changes were left in place.',
        next: recoveryCommands(run),
      };
    case 'nothing-changed':
      return {
        state: 'nothing_changed',
        message: `Failed before anything was changed. ${end.message}.`,
        next: [],
      };
    case 'left-in-place':
      return {
        state: 'left_in_place',
        message: `Failed: ${end.message}. Changes were left in place.`,
        next: recoveryCommands(run),
      };
    case 'rolled-back':
      return concludeRollback(
        run,
        end.undo,
        end.why === undefined ? 'Interrupted.' : `Failed: ${end.why}.`,
      );
  }
}

/**
 * Describes how a rollback ended.
 * @param why reason for the rollback, as a sentence
 */
export function concludeRollback(run: string, undo: RollbackResult, why: string): Ending {
  const { pastNoReturn, backTo = pastNoReturn, different } = undo;
  if (undo.interrupted) {
    return {
      state: 'rollback_paused',
      message: `${why} The rollback was interrupted: ${plural(undo.open.length, 'change')} not undone yet.`,
      next: [`runner rollback ${run}   # resumes the rollback`],
    };
  }
  if (!undo.complete || different.length > 0) {
    const open = undo.open
      .map(({ unit, host, step }) => `change ${String(unit)} "${step}" on ${host}`)
      .join(', ');
    const message =
      different.length > 0
        ? `${why} Rolled back, but the verification found differences: ${different.join(', ')}.`
        : `${why} Rollback incomplete. Not undone: ${open}.`;
    return {
      state: 'rollback_open',
      message,
      next: [
        `runner rollback ${run}                 # retries the remaining undos`,
        `runner rollback ${run} --skip CHANGE   # skips one change, which stays`,
        `runner show ${run}                     # lists the changes`,
      ],
    };
  }
  if (pastNoReturn !== undefined) {
    const from = backTo === pastNoReturn ? 'it' : `commit point "${String(backTo)}"`;
    return {
      state: 'past_no_return',
      message: `${why} The run had passed the point of no return "${pastNoReturn}"; changes after ${from} were rolled back.`,
      next: [`runner resume ${run}`],
    };
  }
  const verification = undo.verified ? 'verified' : 'not verified: no state was recorded';
  const result =
    undo.undone === 0 && !undo.verified
      ? 'There was nothing to undo.'
      : `Rolled back (${plural(undo.undone, 'change')} undone), ${verification}.`;
  return { state: 'rolled_back', message: `${why} ${result}`, next: [] };
}

/** Describes the end of a completed run, with the failed hosts that "max_failures" tolerated. */
export function concludeDone(
  run: string,
  { left, incomplete }: Pick<Extract<Forward, { status: 'done' }>, 'left' | 'incomplete'>,
): Ending {
  if (left.length === 0) return { state: 'done', message: 'Done.', next: [] };
  const names = left.join(', ');
  if (incomplete) {
    return {
      state: 'done_open',
      message: `Done, except ${names}, which failed and could not be rolled back.`,
      next: [...left.map((host) => `runner rollback ${run} --host ${host}`), `runner show ${run}`],
    };
  }
  return {
    state: 'done_in_part',
    message: `Done, except ${names}, which failed and ${left.length === 1 ? 'was' : 'were'} rolled back.`,
    next: [],
  };
}

/**
 * Describes the rollback of the failed hosts that "max_failures" tolerated, in a run that is not
 * complete.
 */
export function concludeAlone(run: string, hosts: readonly string[]): Ending {
  const message = `Rolled back on ${hosts.join(', ')}. Changes on the other hosts were left in place.`;
  return { state: 'stopped', message, next: recoveryCommands(run) };
}

/** Describes how a run in check mode ended. */
export function concludeCheck(result: Forward): {
  outcome: RunOutcome;
  exitCode: number;
  message: string;
} {
  const message = 'Nothing was changed.';
  switch (result.status) {
    case 'locked': // Check mode does not lock hosts.
    case 'done':
      return { outcome: 'done', exitCode: exitCodes.done, message };
    case 'interrupted':
      return { outcome: 'interrupted', exitCode: exitCodes.interrupted, message };
    case 'failed':
      return {
        outcome: 'preflight_failed',
        exitCode: exitCodes.preflight_failed,
        message: `The check failed: ${result.message}. ${message}`,
      };
  }
}

/** The recovery commands that the state of the run allows, without comments. */
export function allowedCommands(run: RecordedRun): string[] {
  const moves = ['resume', 'rollback'] as const;
  return moves
    .filter((move) => allows(run, move))
    .map((move) => `runner ${move} ${run.header.run}`);
}

export function recoveryCommands(run: string): string[] {
  return [
    `runner resume ${run}     # continues the run`,
    `runner rollback ${run}   # undoes its changes`,
  ];
}

/**
 * Why the state of a run does not allow "resume" or "rollback", with a hint. Undefined if it does.
 */
export function refusalOf(
  run: RecordedRun,
  move: Move,
): { message: string; hint?: string } | undefined {
  if (allows(run, move)) return undefined;
  const id = run.header.run;
  const nothing = `there is nothing to ${move === 'resume' ? 'resume' : 'roll back'}`;
  const done = `is done; ${nothing}.`;
  const reasons: Partial<Record<LifeState, string>> = {
    rolled_back: `is already rolled back; ${nothing}.`,
    nothing_changed: `ended before anything was changed; ${nothing}.`,
    done,
    done_in_part: done,
    done_open: done,
  };
  const state = lifeOf(run);
  const reason = reasons[state];
  if (reason === undefined) {
    const message = `The rollback of run ${id} has started, so the run cannot be resumed.`;
    return { message, hint: `Finish the rollback with: runner rollback ${id}.` };
  }
  const again = state === 'rolled_back' ? { hint: 'Start a new run with: runner play.' } : {};
  return { message: `Run ${id} ${reason}`, ...again };
}
