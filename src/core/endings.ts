import type { UndoState } from './states.ts';

/** How the forward run ended; what follows is the transaction's decision. */
export type Forward =
  | {
      status: 'done';
      /** Hosts that failed, were tolerated, and were rolled back alone. */
      left: string[];
      /** Not all of their changes could be undone. */
      incomplete: boolean;
    }
  /** Another run holds a host, and nothing was changed. */
  | { status: 'locked'; message: string }
  | { status: 'failed'; message: string; changedAnything: boolean }
  | { status: 'interrupted'; changedAnything: boolean };

/** How a rollback ended. */
export interface RollbackResult {
  complete: boolean;
  /** The operator stopped it: units that are open were not tried. */
  interrupted: boolean;
  undone: number;
  /** Units that are not settled, with what stands in the way. */
  open: { unit: number; host: string; step: string; state: UndoState | undefined }[];
  /** Whether there was a state of before to compare with, and it was compared. */
  verified: boolean;
  /** Names of what is not as before. */
  different: string[];
  /** The point of no return that the run has passed. */
  pastNoReturn: string | undefined;
  /** The commit point that the rollback ended at. */
  backTo?: string | undefined;
}

/** How a transaction ended: forward, and what followed. */
export type TransactionEnd =
  | Extract<Forward, { status: 'done' | 'locked' | 'interrupted' }>
  /** A step failed before anything was changed, or what was changed stays. */
  | { status: 'nothing-changed' | 'left-in-place'; message: string }
  /** @param why message of the failure; undefined after an interruption */
  | { status: 'rolled-back'; undo: RollbackResult; why: string | undefined };
