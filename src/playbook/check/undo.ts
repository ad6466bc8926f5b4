import type { Problem } from '../../core/errors.ts';
import { effectOf, type ModuleRegistry } from '../../core/module.ts';
import { fieldsAsWritten } from '../../core/value.ts';
import type { TaskNode } from '../../language/document.ts';
import { asksOf } from './values.ts';

/** What runs on the way back may do so from another machine, on another day: it is complete in itself. */
export function checkReadsNothing(task: TaskNode): Problem[] {
  return asksOf([task.args, task.loop ?? null, task.delegateTo ?? null, ...task.vars]).map(
    ({ helper }) => ({
      rule: 'broken-template' as const,
      message: `"{{${helper} …}}" reads the controller, which task "${task.name}" cannot: it runs on the way back.`,
      at: task.argsAt,
      hint: 'Put it in "vars" of the play, or in an input: those are recorded with the run.',
    }),
  );
}

/** A task that changes a host must say how it is undone. */
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
      message: `Task "${task.name}" changes the host and does not say how that is undone.`,
      at: task.at,
      hint: 'Add "undo:" with tasks, {none: "why"}, or "irreversible:".',
    },
  ];
}
