import type { Forward, RollbackResult, TransactionEnd } from '../core/endings.ts';
import type { OnFailure } from '../language/document.ts';
import type { RollbackRequest } from './undo/rollback.ts';

/** What an operator wants after they stopped a run. */
export type AfterInterrupt = 'leave' | 'rollback' | 'continue';

export interface TransactionParts {
  /** Runs the playbook from where it stands. */
  forward: () => Promise<Forward>;
  rollBack: (request: RollbackRequest) => Promise<RollbackResult>;
  /** Whether another run has taken over the hosts: then nothing more may be done to them. */
  hasLostHosts: () => boolean;
  /** Makes the next interruption count as the first again. */
  rearm: () => void;
  /** Asked when a step failed and the policy says "ask". */
  confirmRollback: () => Promise<boolean>;
  /** Asked after an interruption that left changes behind. */
  afterInterrupt: () => Promise<AfterInterrupt>;
  /** What the playbook says should follow a failure: known once it runs. */
  onFailure: () => OnFailure;
}

/**
 * Forward, and what must follow: nothing, the way back, or a question to the operator. It knows no play and no unit.
 *
 * @throws whatever `forward` and `rollBack` throw
 */
export async function transaction(parts: TransactionParts): Promise<TransactionEnd> {
  for (;;) {
    const result = await parts.forward();
    if (result.status === 'failed') return afterFailure(parts, result);
    if (result.status !== 'interrupted') return result;
    if (!result.changedAnything || parts.hasLostHosts()) return result;
    const choice = await parts.afterInterrupt();
    if (choice === 'leave') return result;
    parts.rearm();
    if (choice === 'rollback') {
      const undo = await parts.rollBack({ reason: 'interrupted', hosts: undefined, skip: [] });
      return { status: 'rolled-back', undo, why: undefined };
    }
  }
}

async function afterFailure(
  parts: TransactionParts,
  { changedAnything, message }: Extract<Forward, { status: 'failed' }>,
): Promise<TransactionEnd> {
  if (!changedAnything) return { status: 'nothing-changed', message };
  const policy = parts.onFailure();
  const goesBack = policy === 'auto' || (policy === 'ask' && (await parts.confirmRollback()));
  if (!goesBack) return { status: 'left-in-place', message };
  parts.rearm();
  const undo = await parts.rollBack({ reason: 'failed', hosts: undefined, skip: [] });
  return { status: 'rolled-back', undo, why: message };
}
