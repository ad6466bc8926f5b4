import type { SourceRef } from './source.ts';

export type UnitState = 'ok' | 'changed' | 'skipped' | 'failed' | 'unreachable' | 'unknown';
export type UndoState = 'undone' | 'undo-failed' | 'undo-skipped' | 'undo-blocked';
/** How a change would be undone. */
export type UndoKind = 'auto' | 'declared' | 'none' | 'uncovered' | 'irreversible' | 'not-needed';

export type RunOutcome =
  | 'done'
  | 'done_in_part'
  | 'rolled_back'
  | 'rollback_incomplete'
  | 'left_in_place'
  | 'past_no_return'
  | 'preflight_failed'
  | 'locked'
  | 'interrupted';

export interface StepInfo {
  /** Path of names with an ordinal. Edits elsewhere in the file do not change it. */
  id: string;
  /** Position in the run, counted from one. */
  number: number;
  play: string;
  name: string;
  module: string;
  at: SourceRef;
  handler: boolean;
  /** Limit of hosts at a time, if the step sets one. */
  throttle?: number;
}

export const exitCodes = {
  done: 0,
  invalid: 1,
  preflight_failed: 2,
  rolled_back: 3,
  rollback_incomplete: 4,
  left_in_place: 5,
  past_no_return: 6,
  locked: 7,
  internal: 9,
  differences: 10,
  interrupted: 130,
} as const;
