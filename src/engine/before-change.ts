import { JournalError, RunnerError } from '../core/errors.ts';
import type { TaskNode } from '../language/document.ts';
import { failureOf } from '../core/failure.ts';
import { notBegun } from './failures.ts';
import type { Place } from './step-key.ts';
import type { RunStep } from './step.ts';
import { mayChange } from './undo-plan.ts';

/** Before the first step that can change a host, hosts are locked, and the state that must come back is on record. */
export function beforeChange(
  step: RunStep,
  {
    lock,
    takeFingerprint,
  }: {
    /** Locks the hosts that are not locked yet. @throws LockedError */
    lock: (task: TaskNode, place: Place) => Promise<void>;
    /** Undefined when it was taken before the run was interrupted. */
    takeFingerprint: (() => Promise<void>) | undefined;
  },
): RunStep {
  let fingerprint = takeFingerprint ? undefined : Promise.resolve();
  return async (node, hosts, place) => {
    if (node.kind !== 'task' || !mayChange(node)) return step(node, hosts, place);
    await lock(node, place);
    try {
      // Hosts that go their own ways all wait for it.
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
