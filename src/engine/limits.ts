import { TaskError } from '../core/errors.ts';
import type { Limit, TaskNode } from '../language/document.ts';
import type { Scope } from '../template/scope.ts';

/** Time limit of a step without "timeout", in seconds. */
const DEFAULT_TIMEOUT_SECONDS = 1800;

/**
 * Time limit of one attempt in seconds; infinite for 0.
 *
 * @throws TaskError when it is not a number
 */
export function timeoutOf(task: Pick<TaskNode, 'timeoutSeconds' | 'at'>, scope: Scope): number {
  const wanted = task.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
  const seconds = limitOf('timeout', wanted, { task, scope });
  // As for other limits of a playbook, 0 means no limit.
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds;
}

/** @throws TaskError when one of them is not a number */
export function retriesOf(
  task: Pick<TaskNode, 'retries' | 'delaySeconds' | 'at'>,
  scope: Scope,
): { retries: number; delaySeconds: number } {
  return {
    retries: limitOf('retries', task.retries, { task, scope }),
    delaySeconds: limitOf('delay', task.delaySeconds, { task, scope }),
  };
}

function limitOf(
  key: string,
  value: Limit,
  { task, scope }: { task: Pick<TaskNode, 'at'>; scope: Scope },
): number {
  const rendered = typeof value === 'number' ? value : scope.render(value);
  const found = typeof rendered === 'string' ? Number(rendered || Number.NaN) : rendered;
  if (typeof found === 'number' && found >= 0) return found;
  throw new TaskError(`"${key}" must be a number of at least 0, not ${JSON.stringify(rendered)}.`, {
    at: task.at,
  });
}
