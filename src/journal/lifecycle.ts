import { exitCodes, type RunOutcome } from '../core/states.ts';
import type { RecordedRun } from './recorded-run.ts';

/** How a run may go on: forward, or back. */
export type Move = 'resume' | 'rollback';

interface Moves {
  /** `behind`: only if the point of no return was passed, so that forward is the only way out. */
  resume: boolean | 'behind';
  rollback: boolean;
}

export interface End extends Moves {
  /** What the journal and the JSON output call it. */
  outcome: RunOutcome;
  exitCode: number;
  /** Hosts are as before, as wanted, or as the operator accepts: they are unlocked, and the next run may begin. */
  isClosed: boolean;
}

const open = { isClosed: false };
const closed = { isClosed: true };
const anyWay = { resume: true, rollback: true } as const;
const onlyBack = { resume: false, rollback: true } as const;
const onlyBackOrBehind = { resume: 'behind', rollback: true } as const;
const nothing = { resume: false, rollback: false } as const;

/** How a run can have ended, and what each end allows. The table stands in docs/architecture.md, too. */
export const ends = {
  done: { outcome: 'done', exitCode: exitCodes.done, ...closed, ...onlyBack },
  /** Hosts that failed were tolerated, and are as before. */
  done_in_part: {
    outcome: 'done_in_part',
    exitCode: exitCodes.rolled_back,
    ...closed,
    ...onlyBack,
  },
  /** Hosts that failed were tolerated, and could not be taken back. */
  done_open: {
    outcome: 'done_in_part',
    exitCode: exitCodes.rollback_incomplete,
    ...open,
    ...onlyBack,
  },
  /** By the operator, with changes. */
  stopped: { outcome: 'interrupted', exitCode: exitCodes.interrupted, ...open, ...anyWay },
  /** By the operator, before the first change. */
  stopped_early: { outcome: 'interrupted', exitCode: exitCodes.interrupted, ...closed, ...anyWay },
  nothing_changed: {
    outcome: 'preflight_failed',
    exitCode: exitCodes.preflight_failed,
    ...closed,
    ...nothing,
  },
  /** Other runs hold its hosts. */
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
    ...onlyBackOrBehind,
  },
  rollback_open: {
    outcome: 'rollback_incomplete',
    exitCode: exitCodes.rollback_incomplete,
    ...open,
    ...onlyBackOrBehind,
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
 * Where a run stands. A crash is no state: the last record says where the run stood, and the next move starts there.
 */
export type LifeState = EndState | 'running' | 'rolling_back';

const moves: { readonly [S in LifeState]: Moves } = {
  running: anyWay,
  rolling_back: onlyBackOrBehind,
  ...ends,
};

type Standing = Pick<RecordedRun, 'end' | 'isGoingBack' | 'isDoneInPart' | 'units'>;

/** Where a run stands by its records. */
export function lifeOf({ end, isGoingBack, isDoneInPart, units }: Standing): LifeState {
  // Another rollback of the hosts that failed may have been cut off, or may have failed again.
  if (isDoneInPart && end?.outcome !== 'done_in_part') return 'done_open';
  if (end === undefined) return isGoingBack ? 'rolling_back' : 'running';
  const { outcome, exitCode } = end;
  switch (outcome) {
    case 'interrupted':
      if (isGoingBack) return 'rollback_paused';
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

/** Whether the run has ended and its hosts need not stay locked. */
export function isOver(run: Standing): boolean {
  const state = lifeOf(run);
  return state !== 'running' && state !== 'rolling_back' && ends[state].isClosed;
}

/** Whether a run may go on that way. */
export function allows(run: Standing & Pick<RecordedRun, 'noReturn'>, move: Move): boolean {
  const { resume, rollback } = moves[lifeOf(run)];
  if (move === 'rollback') return rollback;
  return resume === 'behind' ? run.noReturn !== undefined : resume;
}
