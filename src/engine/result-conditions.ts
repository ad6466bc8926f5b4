import type { Condition } from '../core/value.ts';
import type { TaskNode } from '../language/document.ts';
import { allHold } from '../template/conditions.ts';
import type { Scope, ScopeValue } from '../template/scope.ts';

/**
 * Whether conditions are true for the result of a task, available to them as `result` and under its
 * `register` name.
 */
export function holdsFor(
  conditions: readonly Condition[],
  { register }: Pick<TaskNode, 'register'>,
  result: ScopeValue,
  scope: Scope,
): boolean {
  const values: Record<string, ScopeValue> = {
    result,
    ...(register === undefined ? {} : { [register]: result }),
  };
  return allHold(conditions, scope.with({ name: 'result', values, data: true }));
}
