import type { Problem } from '../../core/errors.ts';
import { effectOf, type ModuleRegistry } from '../../core/module.ts';
import { fieldsAsWritten } from '../../core/value.ts';
import type { TaskNode } from '../../language/document.ts';
import { controllerCallsOf } from './values.ts';

/**
 * Reports rollback tasks that read the controller: a rollback can run later, and from another
 * machine.
 */
export function checkControllerCalls(task: TaskNode): Problem[] {
  return controllerCallsOf([
    task.args,
    task.loop ?? null,
    task.delegateTo ?? null,
    ...task.vars,
  ]).map(({ helper }) => ({
    rule: 'broken-template' as const,
    message: `Task "${task.name}" cannot read the controller with "{{${helper} …}}", because it runs during a rollback.`,
    at: task.argsAt,
    hint: 'Use a variable of the play or an input, which are recorded with the run.',
  }));
}

/** Reports a task that changes a host and has no undo. */
export function checkUndo(task: TaskNode, modules: ModuleRegistry): Problem[] {
  const module = modules.get(task.module);
  const answered =
    task.readOnly ||
    task.irreversible !== undefined ||
    task.undo.kind === 'none' ||
    task.undo.kind === 'tasks' ||
    (module !== undefined && effectOf(module, fieldsAsWritten(task.args)) !== 'changes');
  if (answered) return [];
  return [
    {
      rule: 'no-undo',
      message: `Task "${task.name}" changes the host and has no undo.`,
      at: task.at,
      hint: 'Add "undo:" with tasks or {none: "why"}, or add "irreversible:".',
    },
  ];
}
