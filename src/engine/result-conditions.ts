import type { TaskNode } from '../language/document.ts';
import { parseCondition } from '../template/conditions.ts';
import type { Scope, ScopeValue } from '../template/scope.ts';

/** Whether conditions hold for what a task has returned, which they know as `result` and by its `register`. */
export function holdsFor(
  conditions: readonly string[],
  { register }: Pick<TaskNode, 'register'>,
  result: ScopeValue,
  scope: Scope,
): boolean {
  const values: Record<string, ScopeValue> = {
    result,
    ...(register === undefined ? {} : { [register]: result }),
  };
  const { variables } = scope.with({ name: 'result', values, data: true });
  return conditions.every((condition) => parseCondition(condition).test(variables));
}
