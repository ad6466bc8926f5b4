import type { UndoState } from './states.ts';

/** How the forward run ended. The transaction decides what happens next. */
export type Forward =
  | {
      status: 'done';
      /** Failed hosts within `max_failures` that were rolled back alone. */
      left: string[];
      /** Not all of their changes could be undone. */
      incomplete: boolean;
    }
  /** Another run holds a host, so nothing was changed. */
  | { status: 'locked'; message: string }
  | { status: 'failed'; message: string; changedAnything: boolean }
  | { status: 'interrupted'; changedAnything: boolean };

/** How a rollback ended. */
export interface RollbackResult {
  complete: boolean;
  /** The operator stopped it: the undos of open units were not tried. */
  interrupted: boolean;
  undone: number;
  /** Units that are not settled, each with the reason. */
  open: { unit: number; host: string; step: string; state: UndoState | undefined }[];
  /** Whether a previous state was recorded and compared. */
  verified: boolean;
  /** Names of the fingerprints that differ from the recorded state. */
  different: string[];
  /** The point of no return that the run has passed. */
  pastNoReturn: string | undefined;
  /** The commit point that the rollback ended at. */
  backTo?: string | undefined;
}

/** How a transaction ended: the forward run, then its rollback. */
export type TransactionEnd =
  | Extract<Forward, { status: 'done' | 'locked' | 'interrupted' }>
  /** A step failed, and nothing was changed or the changes stay in place. */
  | { status: 'nothing-changed' | 'left-in-place'; message: string }
  /** @param why message of the failure; undefined after an interruption */
  | { status: 'rolled-back'; undo: RollbackResult; why: string | undefined };
