import type { FileDiff } from './module.ts';
import type { SourceRef } from './source.ts';

export type UnitState = 'ok' | 'changed' | 'skipped' | 'failed' | 'unreachable' | 'unknown';
export type UndoState = 'undone' | 'undo-failed' | 'undo-skipped' | 'undo-blocked';
/** How a change would be taken back. */
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
  /** Path of names plus an ordinal; stable under edits elsewhere in the file. */
  id: string;
  /** Position in the run, counted from one. */
  number: number;
  play: string;
  name: string;
  module: string;
  at: SourceRef;
  handler: boolean;
  /** Hosts at a time, where the step says so. */
  throttle?: number;
}

/** Everything a run says, in order. Displays, reports and tests read this and nothing else. */
export type RunEvent =
  | {
      type: 'run-start';
      run: string;
      playbook: string;
      check: boolean;
      hosts: string[];
      /** What overlays change in the playbook, each in words. */
      changes: string[];
    }
  | {
      type: 'play-start';
      play: string;
      hosts: string[];
      batch: number;
      batches: number;
      /** Hosts of the play that take no part, since they failed before. */
      left?: string[];
    }
  | { type: 'step-start'; step: StepInfo; hosts: string[] }
  | { type: 'output'; step: StepInfo; host: string; text: string }
  | {
      type: 'unit-retry';
      step: StepInfo;
      host: string;
      attempt: number;
      attempts: number;
      message: string;
    }
  | {
      type: 'unit-end';
      step: StepInfo;
      host: string;
      item?: string | undefined;
      state: UnitState;
      message?: string | undefined;
      ignored?: boolean | undefined;
      durationMs: number;
      undo?: UndoKind | undefined;
      actions?: string[] | undefined;
      diff?: FileDiff[] | undefined;
      stdout?: string | undefined;
      stderr?: string | undefined;
    }
  | { type: 'step-end'; step: StepInfo; durationMs: number }
  | { type: 'message'; level: 'info' | 'warning' | 'error'; text: string }
  | { type: 'commit'; name: string; irreversible: boolean }
  | { type: 'rollback-start'; run: string; reason: string; units: number }
  | {
      type: 'undo-end';
      step: StepInfo;
      host: string;
      item?: string | undefined;
      state: UndoState;
      message?: string | undefined;
      durationMs: number;
    }
  | { type: 'undo-step-end'; step: StepInfo }
  | {
      type: 'fingerprint';
      host: string;
      name: string;
      equal: boolean;
      message?: string | undefined;
      diff?: FileDiff | undefined;
    }
  | { type: 'document'; title: string; text: string }
  | {
      type: 'run-end';
      run: string;
      outcome: RunOutcome;
      message: string;
      next: string[];
      durationMs: number;
    };

export type EventSink = (event: RunEvent) => void;

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
