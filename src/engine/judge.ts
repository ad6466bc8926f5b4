import type { TaskNode } from '../language/document.ts';
import { unknownValue } from '../template/scope.ts';
import type { UnitOutcome } from './unit.ts';

/** What counts for the run of what a unit said, and whether its failure is ignored. */
export function judge(
  task: Pick<TaskNode, 'ignoreErrors' | 'ignoreUnreachable'>,
  outcome: UnitOutcome,
  {
    predicted,
    injected,
  }: {
    /** In check mode: an earlier step would have changed one of the hosts. */
    predicted: boolean;
    /** `--fail-at` names the step. */
    injected: boolean;
  },
): UnitOutcome & { ignored: boolean } {
  const verdict = { ...(predicted ? weighPrediction(outcome) : outcome) };
  if (injected) {
    const message = 'made to fail by --fail-at';
    Object.assign(verdict, {
      state: 'failed',
      failed: true,
      message,
    } satisfies Partial<UnitOutcome>);
  }
  const tolerated = verdict.state === 'unreachable' ? task.ignoreUnreachable : task.ignoreErrors;
  return { ...verdict, ignored: verdict.failed && tolerated && verdict.mistake !== true };
}

/** A step may fail in check mode only because an earlier one was not really done. */
function weighPrediction(outcome: UnitOutcome): UnitOutcome {
  if (!outcome.failed || outcome.state !== 'failed') return outcome;
  const message = `cannot be told before the run: ${outcome.message ?? ''}`;
  return { ...outcome, state: 'unknown', failed: false, result: unknownValue, message };
}
