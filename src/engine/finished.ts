import { fieldsAsWritten } from '../core/value.ts';
import { effectOf, type Module } from '../core/module.ts';
import type { Outcome } from '../core/outcome.ts';
import type { TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';
import { verdict } from './judge.ts';
import { holdsFor } from './result-conditions.ts';

/**
 * Whether a change that finished before the run was interrupted runs again, because later steps
 * need its result. Running it twice is harmless: the module compares first, or the task has
 * retries.
 *
 * @param pastNoReturn after a point of no return, every step must be repeatable
 */
export function runsAgain(task: TaskNode, module: Module, pastNoReturn: boolean): boolean {
  if (task.until.length > 0 || task.retries !== 0) return true;
  return (
    needsAnswer(task) &&
    (pastNoReturn || effectOf(module, fieldsAsWritten(task.args)) === 'restores')
  );
}

/** The outcome of a change that finished before the run was interrupted. Its exit code is known, its output is not. */
export function finishedOutcome(task: TaskNode, scope: Scope): Outcome {
  const outcome: Outcome = {
    is: 'changed',
    result: { rc: 0, changed: true, failed: false },
    why: 'finished before the run was interrupted; not run again',
  };
  return verdict(task, outcome, {
    holds: (conditions, result) => holdsFor(conditions, task, result, scope),
    isLost: true,
  });
}

function needsAnswer(task: TaskNode): boolean {
  return (
    task.register !== undefined ||
    task.changedWhen !== undefined ||
    task.failedWhen !== undefined ||
    task.breakWhen.length > 0
  );
}
