import type { Forward, RollbackResult, TransactionEnd } from '../core/endings.ts';
import type { OnFailure } from '../language/document.ts';
import type { RollbackRequest } from './undo/rollback.ts';

/** The operator's choice after an interruption. */
export type AfterInterrupt = 'leave' | 'rollback' | 'continue';

export interface TransactionParts {
  /** Runs the playbook from its current position. */
  forward: () => Promise<Forward>;
  rollBack: (request: RollbackRequest) => Promise<RollbackResult>;
  /** Whether another run has taken over the hosts: this run must not change them any more. */
  hasLostHosts: () => boolean;
  /** Treats the next interruption as the first one. */
  rearm: () => void;
  /** Asks the operator after a failure, if the policy is "ask". */
  confirmRollback: () => Promise<boolean>;
  /** Asks the operator after an interruption that left changes in place. */
  afterInterrupt: () => Promise<AfterInterrupt>;
  /** The "on_failure" policy, known after the playbook has started. */
  onFailure: () => OnFailure;
}

/**
 * Runs the playbook, and then what its result requires: nothing, a rollback, or a prompt to the
 * operator. It knows no plays and no units.
 *
 * @throws the errors of `forward` and `rollBack`
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
  const rollsBack = policy === 'auto' || (policy === 'ask' && (await parts.confirmRollback()));
  if (!rollsBack) return { status: 'left-in-place', message };
  parts.rearm();
  const undo = await parts.rollBack({ reason: 'failed', hosts: undefined, skip: [] });
  return { status: 'rolled-back', undo, why: message };
}
