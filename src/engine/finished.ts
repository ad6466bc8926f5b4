import { RunnerError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { effectOf, type Module } from '../core/module.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { holdsFor } from './result-conditions.ts';
import { undoKind } from './undo-plan.ts';
import type { UnitOutcome } from './unit.ts';

/**
 * Whether a change that finished before the run was interrupted is done again, because later steps need its answer
 * and doing it twice is harmless: the module compares first, or the task repeats by itself.
 *
 * @param pastNoReturn steps after a point of no return must be repeatable
 */
export function isDoneAgain(task: TaskNode, module: Module, pastNoReturn: boolean): boolean {
  if (task.until.length > 0 || task.retries !== 0) return true;
  return needsAnswer(task) && (pastNoReturn || effectOf(module, task.args) === 'restores');
}

/** The outcome of a change that finished before the run was interrupted. Its exit code is known, its output is not. */
export function finishedOutcome(task: TaskNode, module: Module, scope: Scope): UnitOutcome {
  const result: JsonObject = { rc: 0, changed: true, failed: false };
  let message = 'finished before the run was interrupted; not run again';
  let changed = true;
  let failed = false;
  const holds = (conditions: readonly string[]) => holdsFor(conditions, task, result, scope);
  try {
    if (task.changedWhen) changed = holds(task.changedWhen);
    if (task.failedWhen) failed = holds(task.failedWhen);
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    failed = true;
    message = `The step finished before the run was interrupted, but its output was lost: ${error.describe()}`;
  }
  Object.assign(result, { changed, failed, ...(failed ? { msg: message } : {}) });
  return {
    ...{ state: failed ? 'failed' : changed ? 'changed' : 'ok', result, changed, failed, message },
    ...{ rc: 0, actions: [], diff: undefined, undo: undoKind(task, module, task.args) },
    ...{ setFacts: undefined, joinGroups: undefined, leaveGroups: undefined, addHosts: undefined },
  };
}

function needsAnswer(task: TaskNode): boolean {
  return (
    task.register !== undefined ||
    task.changedWhen !== undefined ||
    task.failedWhen !== undefined ||
    task.breakWhen.length > 0
  );
}
