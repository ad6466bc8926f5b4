import type { StepInfo, UndoKind } from '../core/states.ts';
import type { FileDiff } from '../core/module.ts';
import type { Difference } from '../core/undo.ts';

/** Events of a run that are sent to the readers of the log, but not recorded. */
export type Signal =
  /** A batch of a play starts. A resumed run sends this for every batch again. */
  | {
      t: 'batch';
      play: string;
      hosts: string[];
      batch: number;
      batches: number;
      /** Hosts of the play that are excluded because they failed earlier. */
      left?: string[];
    }
  | {
      t: 'output';
      step: StepInfo;
      host: string;
      /** The output to which the text belongs: UNIT.ATTEMPT.STREAM. */
      of: string;
      text: string;
      /** The output before this text was dropped. */
      isCut: boolean;
    }
  | {
      t: 'retry';
      step: StepInfo;
      host: string;
      attempt: number;
      attempts: number;
      message: string;
    }
  /** Sent before the result of a unit, with details that are shown but not recorded. */
  | {
      t: 'details';
      unit: number;
      /** Name of the loop item. */
      label: string | undefined;
      undo: UndoKind | undefined;
      actions: string[] | undefined;
      diff: FileDiff[] | undefined;
      stdout: string | undefined;
      stderr: string | undefined;
    }
  | { t: 'step-end'; step: StepInfo; durationMs: number }
  | { t: 'message'; level: 'info' | 'warning' | 'error'; text: string }
  | { t: 'document'; title: string; text: string }
  /** The outcome of all changes is known. `units`: the number of changes to undo. */
  | { t: 'undo-start'; reason: string; units: number }
  /** No further change of the step is undone for now. */
  | { t: 'undo-step-end'; step: StepInfo }
  /**
   * A difference that is ignored because the declared undo of an earlier step refers to the same
   * object.
   */
  | { t: 'not-verified'; host: string; difference: Difference }
  /** The run has ended, and its hosts are unlocked unless they must stay locked. */
  | { t: 'over'; next: string[]; durationMs: number };
