import { exitCodes, type RunOutcome } from '../core/states.ts';
import type { RecordedRun } from './recorded-run.ts';

/** The commands that continue a run. */
export type Move = 'resume' | 'rollback';

interface Moves {
  /** `after`: only if the point of no return was passed, so that the run can only be completed. */
  resume: boolean | 'after';
  rollback: boolean;
}

export interface End extends Moves {
  /** The outcome in the journal and in JSON output. */
  outcome: RunOutcome;
  exitCode: number;
  /**
   * The hosts are in the old state, the new state, or a state that the operator accepts. They are
   * unlocked for the next run.
   */
  isClosed: boolean;
}

const open = { isClosed: false };
const closed = { isClosed: true };
const anyWay = { resume: true, rollback: true } as const;
const onlyRollback = { resume: false, rollback: true } as const;
const rollbackOrCompletion = { resume: 'after', rollback: true } as const;
const nothing = { resume: false, rollback: false } as const;

/**
 * The possible ends of a run, and the commands that each allows. docs/architecture.md has the same
 * table.
 */
export const ends = {
  done: { outcome: 'done', exitCode: exitCodes.done, ...closed, ...onlyRollback },
  /** Failed hosts were tolerated and rolled back. */
  done_in_part: {
    outcome: 'done_in_part',
    exitCode: exitCodes.rolled_back,
    ...closed,
    ...onlyRollback,
  },
  /** Failed hosts were tolerated, but could not be rolled back. */
  done_open: {
    outcome: 'done_in_part',
    exitCode: exitCodes.rollback_incomplete,
    ...open,
    ...onlyRollback,
  },
  /** The operator interrupted the run after its first change. */
  stopped: { outcome: 'interrupted', exitCode: exitCodes.interrupted, ...open, ...anyWay },
  /** The operator interrupted the run before its first change. */
  stopped_early: { outcome: 'interrupted', exitCode: exitCodes.interrupted, ...closed, ...anyWay },
  nothing_changed: {
    outcome: 'preflight_failed',
    exitCode: exitCodes.preflight_failed,
    ...closed,
    ...nothing,
  },
  /** Another run has locked the hosts. */
  refused: { outcome: 'locked', exitCode: exitCodes.locked, ...closed, ...anyWay },
  left_in_place: {
    outcome: 'left_in_place',
    exitCode: exitCodes.left_in_place,
    ...closed,
    ...anyWay,
  },
  rolled_back: { outcome: 'rolled_back', exitCode: exitCodes.rolled_back, ...closed, ...nothing },
  rollback_paused: {
    outcome: 'interrupted',
    exitCode: exitCodes.interrupted,
    ...open,
    ...rollbackOrCompletion,
  },
  rollback_open: {
    outcome: 'rollback_incomplete',
    exitCode: exitCodes.rollback_incomplete,
    ...open,
    ...rollbackOrCompletion,
  },
  past_no_return: {
    outcome: 'past_no_return',
    exitCode: exitCodes.past_no_return,
    ...open,
    ...anyWay,
  },
} satisfies Record<string, End>;

export type EndState = keyof typeof ends;

/**
 * The state of a run. A crash is not a state: the records show the state before it, where the next
 * command continues.
 */
export type LifeState = EndState | 'running' | 'rolling_back';

const moves: { readonly [S in LifeState]: Moves } = {
  running: anyWay,
  rolling_back: rollbackOrCompletion,
  ...ends,
};

type StateFields = Pick<RecordedRun, 'end' | 'isRollingBack' | 'isDoneInPart' | 'units'>;

/** Derives the state of a run from its records. */
export function lifeOf({ end, isRollingBack, isDoneInPart, units }: StateFields): LifeState {
  // Another rollback of the failed hosts may have been interrupted, or may have failed again.
  if (isDoneInPart && end?.outcome !== 'done_in_part') return 'done_open';
  if (end === undefined) return isRollingBack ? 'rolling_back' : 'running';
  const { outcome, exitCode } = end;
  switch (outcome) {
    case 'interrupted':
      if (isRollingBack) return 'rollback_paused';
      return units.size > 0 ? 'stopped' : 'stopped_early';
    case 'done_in_part':
      return exitCode === exitCodes.rolled_back ? 'done_in_part' : 'done_open';
    case 'rollback_incomplete':
      return 'rollback_open';
    case 'preflight_failed':
      return 'nothing_changed';
    case 'locked':
      return 'refused';
    case 'done':
    case 'past_no_return':
    case 'rolled_back':
    case 'left_in_place':
      return outcome;
  }
}

/** Whether the run has ended and its hosts can be unlocked. */
export function isOver(run: StateFields): boolean {
  const state = lifeOf(run);
  return state !== 'running' && state !== 'rolling_back' && ends[state].isClosed;
}

/** Whether the state of the run allows the command. */
export function allows(run: StateFields & Pick<RecordedRun, 'noReturn'>, move: Move): boolean {
  const { resume, rollback } = moves[lifeOf(run)];
  if (move === 'rollback') return rollback;
  return resume === 'after' ? run.noReturn !== undefined : resume;
}
