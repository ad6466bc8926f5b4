import { exitCodes, type RunOutcome } from '../core/states.ts';
import type { Forward, RollbackResult, TransactionEnd } from '../core/endings.ts';
import { allows, lifeOf, type EndState, type LifeState, type Move } from '../journal/lifecycle.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import { plural } from '../util/text.ts';

/** How a run ended, in words, with the commands that help. */
export interface Ending {
  state: EndState;
  message: string;
  next: string[];
}

/** What a transaction's end means for the run. */
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
        message: 'Interrupted. What was changed stays.',
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
        message: `Failed: ${end.message}. What was changed stays.`,
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

/** How a rollback ended; @param why what it was for, as a sentence */
export function concludeRollback(run: string, undo: RollbackResult, why: string): Ending {
  const { pastNoReturn, backTo = pastNoReturn, different } = undo;
  if (undo.interrupted) {
    return {
      state: 'rollback_paused',
      message: `${why} The rollback is paused: ${plural(undo.open.length, 'change')} not undone yet.`,
      next: [`runner rollback ${run}   # goes on with it`],
    };
  }
  if (!undo.complete || different.length > 0) {
    const open = undo.open
      .map(({ unit, host, step }) => `unit ${String(unit)} "${step}" on ${host}`)
      .join(', ');
    const message =
      different.length > 0
        ? `${why} Rolled back, but not everything is as before: ${different.join(', ')}.`
        : `${why} Rollback is incomplete: ${open}.`;
    return {
      state: 'rollback_open',
      message,
      next: [
        `runner rollback ${run}                       # goes on with what is not undone`,
        `runner rollback ${run} --skip UNIT           # gives one unit up`,
        `runner show ${run}`,
      ],
    };
  }
  if (pastNoReturn !== undefined) {
    const after = backTo === pastNoReturn ? 'it' : `commit point "${String(backTo)}"`;
    return {
      state: 'past_no_return',
      message: `${why} Failed past the point of no return "${pastNoReturn}"; what came after ${after} is rolled back.`,
      next: [`runner resume ${run}`],
    };
  }
  const proof = undo.verified ? 'verified: all is as before' : 'nothing to compare with';
  return {
    state: 'rolled_back',
    message: `${why} Rolled back (${String(undo.undone)} undone), ${proof}.`,
    next: [],
  };
}

/** How a run ends that came to its end, with the hosts that failed and were tolerated. */
export function concludeDone(
  run: string,
  { left, incomplete }: Pick<Extract<Forward, { status: 'done' }>, 'left' | 'incomplete'>,
): Ending {
  if (left.length === 0) return { state: 'done', message: 'Done.', next: [] };
  const names = left.join(', ');
  if (incomplete) {
    return {
      state: 'done_open',
      message: `Done, but ${names} failed and could not be rolled back.`,
      next: [...left.map((host) => `runner rollback ${run} --host ${host}`), `runner show ${run}`],
    };
  }
  return {
    state: 'done_in_part',
    message: `Done, except ${names}, which failed and ${left.length === 1 ? 'was' : 'were'} rolled back.`,
    next: [],
  };
}

/** Hosts that failed and were tolerated are rolled back, in a run that has not come to its end. */
export function concludeAlone(run: string, hosts: readonly string[]): Ending {
  const message = `Rolled back on ${hosts.join(', ')}. The changes on the other hosts stay.`;
  return { state: 'stopped', message, next: recoveryCommands(run) };
}

/** How a check ended; it leaves nothing to do. */
export function concludeCheck(result: Forward): {
  outcome: RunOutcome;
  exitCode: number;
  message: string;
} {
  const message = 'Nothing was changed.';
  switch (result.status) {
    case 'locked': // Only a run that changes something locks hosts.
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

/** The commands that the run allows, without comments. */
export function allowedCommands(run: RecordedRun): string[] {
  const moves = ['resume', 'rollback'] as const;
  return moves
    .filter((move) => allows(run, move))
    .map((move) => `runner ${move} ${run.header.run}`);
}

export function recoveryCommands(run: string): string[] {
  return [`runner resume ${run}     # goes on`, `runner rollback ${run}   # takes it back`];
}

/** Why a run does not allow a move, and what helps; undefined when it does. */
export function refusalOf(
  run: RecordedRun,
  move: Move,
): { message: string; hint?: string } | undefined {
  if (allows(run, move)) return undefined;
  const id = run.header.run;
  const nothing = `there is nothing to ${move === 'resume' ? 'resume' : 'roll back'}`;
  const done = `is done; ${nothing}.`;
  const reasons: Partial<Record<LifeState, string>> = {
    rolled_back: `is rolled back already; ${nothing}.`,
    nothing_changed: `ended before anything was changed; ${nothing}.`,
    done,
    done_in_part: done,
    done_open: done,
  };
  const state = lifeOf(run);
  const reason = reasons[state];
  if (reason === undefined) {
    const message = `A rollback of run ${id} has begun; it can only be finished.`;
    return { message, hint: `runner rollback ${id}` };
  }
  const again = state === 'rolled_back' ? { hint: 'Start it again with: runner play.' } : {};
  return { message: `Run ${id} ${reason}`, ...again };
}
