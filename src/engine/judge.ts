import { RunnerError } from '../core/errors.ts';
import {
  failureOf,
  failureText,
  isMistake,
  type ConditionFailure,
  type Failure,
} from '../core/failure.ts';
import { failureIn, hasChanged, messageOf, resultOf } from '../core/outcome.ts';
import type { Ending, Outcome } from '../core/outcome.ts';
import type { JsonObject } from '../core/json.ts';
import type { Condition } from '../core/value.ts';
import type { TaskNode } from '../language/document.ts';

/**
 * Whether conditions are true for the result of a task.
 *
 * @throws RunnerError when they cannot be evaluated
 */
export type Holds = (conditions: readonly Condition[], result: JsonObject) => boolean;

/** Whether a task is retried, if attempts are left. */
export function wantsRetry(
  { until }: Pick<TaskNode, 'until'>,
  outcome: Outcome,
  { retries, holds }: { retries: number; holds: Holds },
): boolean {
  if (isFinal(outcome)) return false;
  if (until.length === 0) return outcome.is === 'failed' && retries > 0;
  try {
    return 'result' in outcome && !holds(until, outcome.result ?? {});
  } catch (error) {
    if (error instanceof RunnerError) return true;
    throw error;
  }
}

/** The outcome of a task whose "until" is still false after the last attempt. */
export function untilUnmet(
  { until }: Pick<TaskNode, 'until'>,
  outcome: Outcome,
  tries: number,
): Outcome {
  if (isFinal(outcome) || outcome.is === 'predicted' || outcome.is === 'skipped') return outcome;
  return failed(outcome, {
    kind: 'condition',
    of: 'until',
    text: until.join(' and '),
    tries,
    ...answerOf(outcome),
  });
}

/**
 * Applies `changed_when` and `failed_when` to the result of the last attempt. A read-only task
 * never counts as changed.
 *
 * @param by `isLost`: the output of the task was lost when the run was interrupted
 */
export function verdict(
  task: Pick<TaskNode, 'changedWhen' | 'failedWhen' | 'readOnly'>,
  outcome: Outcome,
  by: { holds: Holds; isLost?: boolean },
): Outcome {
  if (outcome.is === 'skipped') return outcome;
  const judged = isFinal(outcome) ? outcome : withConditions(task, outcome, by);
  return withFlags(task.readOnly ? unchanged(judged) : judged);
}

/**
 * The outcome of a task with `check_mode: true` in a real run: the predicted result, without a
 * change of the host.
 */
export function simulated(outcome: Outcome): Outcome {
  if (outcome.is !== 'predicted' || outcome.change === 'cannot tell') return unchanged(outcome);
  return { is: 'ok', result: outcome.result ?? {} };
}

/** The outcome of a unit as it counts for the run, and whether its failure is ignored. */
export function judge(
  task: Pick<TaskNode, 'ignoreErrors' | 'ignoreUnreachable'>,
  said: Outcome,
  {
    predicted,
    injected,
    stopping,
  }: {
    /** In check mode: an earlier step would have changed one of the hosts. */
    predicted: boolean;
    /** `--fail-at` names the step. */
    injected: boolean;
    /**
     * The run is being interrupted, which may be why the step failed: a resumed run tries it again.
     */
    stopping: boolean;
  },
): Ending {
  const weighed = predicted ? weighPrediction(said) : said;
  const outcome = injected ? inject(weighed) : weighed;
  const failure = failureIn(outcome);
  const tolerates = outcome.is === 'unreachable' ? task.ignoreUnreachable : task.ignoreErrors;
  const ignored = tolerates && !stopping && failure !== undefined && !isMistake(failure);
  return { outcome, ignored };
}

/** Without a result of the module there is nothing to retry or to judge. */
function isFinal(outcome: Outcome): boolean {
  if (outcome.is === 'failed') return outcome.failure.kind === 'timeout';
  if (outcome.is === 'predicted') return outcome.change === 'cannot tell';
  return outcome.is !== 'ok' && outcome.is !== 'changed';
}

type Answered = Extract<Outcome, { is: 'ok' | 'changed' | 'failed' }>;

function withConditions(
  task: Pick<TaskNode, 'changedWhen' | 'failedWhen'>,
  outcome: Outcome,
  { holds, isLost = false }: { holds: Holds; isLost?: boolean },
): Outcome {
  if (outcome.is !== 'ok' && outcome.is !== 'changed' && outcome.is !== 'failed') return outcome;
  let judged: Answered = outcome;
  for (const of of ['changed_when', 'failed_when'] as const) {
    const conditions = of === 'changed_when' ? task.changedWhen : task.failedWhen;
    if (!conditions) continue;
    const condition = { kind: 'condition', of, text: conditions.join(' and '), tries: 1 } as const;
    try {
      const met = holds(conditions, judged.result ?? {});
      judged =
        of === 'changed_when' ? withChange(judged, met) : withFailure(judged, met, condition);
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      const lost = isLost ? { answer: 'lost' as const } : {};
      return failed(judged, {
        ...condition,
        ...lost,
        error: failureOf(error, { place: true }),
      });
    }
  }
  return judged;
}

function withChange(outcome: Answered, changed: boolean): Answered {
  if (outcome.is === 'failed') return { ...outcome, changed };
  return { ...outcome, is: changed ? 'changed' : 'ok' };
}

function withFailure(outcome: Answered, met: boolean, condition: ConditionFailure): Answered {
  if (met)
    return outcome.is === 'failed'
      ? outcome
      : failed(outcome, { ...condition, ...answerOf(outcome) });
  if (outcome.is !== 'failed') return outcome;
  return { is: outcome.changed ? 'changed' : 'ok', result: outcome.result ?? {} };
}

function failed(outcome: Exclude<Outcome, { is: 'skipped' }>, failure: Failure): Answered {
  const result = outcome.result ?? {};
  const message = failureText(failure);
  return {
    is: 'failed',
    failure,
    result: message === undefined ? result : { ...result, msg: message },
    changed: outcome.is === 'changed' || (outcome.is === 'failed' && outcome.changed),
  };
}

function answerOf(outcome: Outcome): Pick<ConditionFailure, 'last' | 'said'> {
  const last = failureIn(outcome);
  if (last) return { last };
  const said = messageOf(outcome);
  return said === undefined ? {} : { said };
}

function unchanged(outcome: Outcome): Outcome {
  if (outcome.is === 'changed') return { ...outcome, is: 'ok' };
  if (outcome.is === 'failed') return { ...outcome, changed: false };
  if (outcome.is === 'predicted' && outcome.change === true) return { ...outcome, change: false };
  return outcome;
}

/** Adds "changed" and "failed" to the result. */
function withFlags(outcome: Outcome): Outcome {
  if (!outcome.result) return outcome;
  const changed = hasChanged(outcome);
  const result = { ...outcome.result, changed, failed: failureIn(outcome) !== undefined };
  return { ...outcome, result };
}

/** In check mode, a step may fail only because an earlier step did not really run. */
function weighPrediction(outcome: Outcome): Outcome {
  if (outcome.is !== 'failed') return outcome;
  const why = `cannot be predicted: ${messageOf(outcome) ?? ''}`;
  return { is: 'predicted', change: 'cannot tell', why };
}

function inject(outcome: Outcome): Outcome {
  const result = resultOf(outcome);
  const failure: Failure = { kind: 'injected' };
  return { is: 'failed', failure, changed: hasChanged(outcome), ...(result ? { result } : {}) };
}
