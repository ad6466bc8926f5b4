import { wholeName, type Play, type TaskNode } from '../language/document.ts';
import type { HandlerRef } from '../journal/records.ts';

/** The handlers that a task notifies when it changes something. */
export function notifiedHandlers(task: TaskNode, { handlers: all }: Play): HandlerRef[] {
  if (task.notify.length === 0) return [];
  return all
    .filter(
      (handler) =>
        (task.notify.includes(handler.name) && handler === namesake(handler.name, task, all)) ||
        (handler.role && task.notify.includes(wholeName(handler))) ||
        handler.listen.some((topic) => task.notify.includes(topic)),
    )
    .map(handlerRef);
}

export function handlerRef(handler: TaskNode): HandlerRef {
  return { id: handler.id, name: wholeName(handler) };
}

/**
 * Of handlers with the same name, the one of the task's role (or of the play, for tasks of the
 * play), otherwise the last.
 */
function namesake(
  name: string,
  task: TaskNode,
  handlers: readonly TaskNode[],
): TaskNode | undefined {
  const same = handlers.filter((handler) => handler.name === name);
  return same.findLast(({ role }) => role === task.role) ?? same.at(-1);
}
