import { JournalError, RunnerError } from '../core/errors.ts';
import type { TaskNode } from '../language/document.ts';
import { failureOf } from '../core/failure.ts';
import { notBegun } from './failures.ts';
import type { Place } from './step-key.ts';
import type { RunStep } from './step.ts';
import { mayChange } from './undo-plan.ts';

/** Locks the hosts and records the fingerprints before the first step that can change a host. */
export function beforeChange(
  step: RunStep,
  {
    lock,
    takeFingerprint,
  }: {
    /** Locks the hosts that are not locked yet. @throws LockedError */
    lock: (task: TaskNode, place: Place) => Promise<void>;
    /** Undefined after the first change: the previous state can no longer be recorded. */
    takeFingerprint: (() => Promise<void>) | undefined;
  },
): RunStep {
  let fingerprint = takeFingerprint ? undefined : Promise.resolve();
  return async (node, hosts, place) => {
    if (node.kind !== 'task' || !mayChange(node)) return step(node, hosts, place);
    await lock(node, place);
    try {
      // With "strategy: free", all hosts wait for the same fingerprint.
      await (fingerprint ??= takeFingerprint?.());
    } catch (error) {
      if (!(error instanceof RunnerError) || error instanceof JournalError) throw error;
      return {
        failed: notBegun(hosts, node, failureOf(error, { place: true })),
        included: new Map(),
      };
    }
    return step(node, hosts, place);
  };
}
