import type { StepInfo, UndoKind } from '../core/states.ts';
import type { FileDiff } from '../core/module.ts';
import type { Difference } from '../core/undo.ts';

/** What a run says beside its records: for whoever watches it now, and never kept. */
export type Signal =
  /** A batch of a play begins. A resumed run says so of each batch again. */
  | {
      t: 'batch';
      play: string;
      hosts: string[];
      batch: number;
      batches: number;
      /** Hosts of the play that take no part, since they failed before. */
      left?: string[];
    }
  | {
      t: 'output';
      step: StepInfo;
      host: string;
      /** Output that it is a piece of: UNIT.ATTEMPT.STREAM. */
      of: string;
      text: string;
      /** What came before it is left out. */
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
  /** Precedes the result of a unit: what is shown of it, and is not kept. */
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
  /** The outcome of all changes is known; this many are to be undone. */
  | { t: 'undo-start'; reason: string; units: number }
  /** Nothing more is undone of the step for now. */
  | { t: 'undo-step-end'; step: StepInfo }
  /** What an automatic undo would still do does not count: the declared undo of an earlier step names it. */
  | { t: 'not-verified'; host: string; difference: Difference }
  /** The run has ended and given back the hosts that it need not keep. */
  | { t: 'over'; next: string[]; durationMs: number };
