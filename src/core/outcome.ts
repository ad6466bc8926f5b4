import type { UnitState } from './states.ts';
import { concealFailure, failureText, type Failure } from './failure.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** What a task did on one host. `result` is the registered value; undefined when only a real run provides it. */
export type Outcome = {
  /** The task has `no_log`: the result is for conditions and later steps only. */
  hidden?: true;
} & (
  | {
      is: 'ok' | 'changed';
      result: JsonObject;
      /** Message, if it differs from that of the result. */
      why?: string;
    }
  | { is: 'skipped'; result?: JsonObject; why?: string }
  /** `changed`: the task may have changed the host before it failed. */
  | { is: 'failed'; failure: Failure; result?: JsonObject; changed: boolean }
  /** `unknown`: a change was sent, but no valid reply arrived. Only the host can report whether it was made. */
  | { is: 'unreachable' | 'unknown'; failure: Failure; result?: JsonObject }
  /** Check mode: whether the task would change the host. */
  | { is: 'predicted'; change: boolean | 'cannot tell'; result?: JsonObject; why?: string }
);

/** A step in check mode needs a value that only a real run provides. */
export const needsRealRun: Outcome = {
  is: 'predicted',
  change: 'cannot tell',
  why: 'depends on a value that only a real run provides',
};

/** The status in displays and in the journal, where both uncertain kinds are "unknown". */
export function stateOf(outcome: Outcome): UnitState {
  if (outcome.is !== 'predicted') return outcome.is;
  if (outcome.change === 'cannot tell') return 'unknown';
  return outcome.change ? 'changed' : 'ok';
}

/** Why the task failed; undefined when it did not. */
export function failureIn(outcome: Outcome): Failure | undefined {
  return 'failure' in outcome ? outcome.failure : undefined;
}

export function hasChanged(outcome: Outcome): boolean {
  if (outcome.is === 'failed') return outcome.changed;
  return outcome.is === 'changed' || (outcome.is === 'predicted' && outcome.change === true);
}

/** Whether the state of the host is uncertain. */
export function isUncertain(outcome: Outcome): boolean {
  if (outcome.is === 'predicted') return outcome.change === 'cannot tell';
  return outcome.is === 'unreachable' || outcome.is === 'unknown';
}

/** The registered value; undefined when only a real run provides it. */
export function resultOf(outcome: Outcome): JsonObject | undefined {
  if (outcome.is !== 'skipped') return outcome.result;
  return outcome.result ?? { skipped: true, changed: false, failed: false };
}

/** Its message, in one sentence or more. */
export function messageOf(outcome: Outcome): string | undefined {
  const failure = failureIn(outcome);
  if (failure) return failureText(failure);
  if ('why' in outcome) return outcome.why;
  return outcome.hidden ? undefined : messageIn(outcome.result);
}

/** The outcome of a task with `no_log`. */
export function conceal(outcome: Outcome): Outcome {
  const failure = failureIn(outcome);
  if (!failure) return { ...outcome, hidden: true };
  // An exit code means that the command ran, whatever failed afterwards.
  const told = exitCode(outcome) === undefined ? concealFailure(failure) : HIDDEN;
  return { ...outcome, hidden: true, failure: told } as Outcome;
}

const HIDDEN: Failure = { kind: 'hidden' };

export function messageIn(result: JsonObject | undefined): string | undefined {
  const message = result?.['msg'];
  return typeof message === 'string' ? message : undefined;
}

/** Exit code of the last action. */
export function exitCode(outcome: Outcome): number | undefined {
  const code = resultOf(outcome)?.['rc'];
  return typeof code === 'number' ? code : undefined;
}

/** How a task, or one item of its loop, ended on a host. */
export interface Ending {
  outcome: Outcome;
  /** It failed, and the run continues. */
  ignored: boolean;
}

/** The combined outcome of the items of a loop. */
export function combine(parts: readonly (Ending & { changed: boolean })[], count: number): Ending {
  const failed = parts.filter(({ outcome }) => failureIn(outcome));
  const ignored = failed.length > 0 && failed.every((part) => part.ignored);
  const changed = parts.some((part) => part.changed);
  const skipped = parts.every(({ outcome }) => outcome.is === 'skipped');
  const results = parts.map(({ outcome }) => resultOf(outcome));
  const all = { changed, failed: failed.length > 0, skipped, count };
  const common = {
    ...(parts.some(({ outcome }) => outcome.hidden) ? { hidden: true as const } : {}),
    ...(results.every((one) => one !== undefined) ? { result: { results, ...all } } : {}),
  };
  // The message is that of the last failure that is not ignored.
  const speaker = failed.findLast((part) => !part.ignored) ?? failed.at(-1);
  const failure = speaker && failureIn(speaker.outcome);
  if (failure) {
    const lost = failed.find(({ outcome }) => isUncertain(outcome))?.outcome;
    if (lost?.is === 'unreachable' || lost?.is === 'unknown')
      return { outcome: { ...common, is: lost.is, failure }, ignored };
    return { outcome: { ...common, is: 'failed', failure, changed }, ignored };
  }
  const predicted = parts.flatMap(({ outcome }) => (outcome.is === 'predicted' ? [outcome] : []));
  if (predicted.length > 0) {
    const change = predicted.some((one) => one.change === 'cannot tell') ? 'cannot tell' : changed;
    return { outcome: { ...common, is: 'predicted', change }, ignored };
  }
  const is = changed ? 'changed' : skipped ? 'skipped' : 'ok';
  return { outcome: { ...common, is, result: { results: results as JsonValue, ...all } }, ignored };
}
