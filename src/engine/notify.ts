import { wholeName, type Play, type TaskNode } from '../language/document.ts';
import type { Learnt } from './knowledge.ts';

/** The handlers that a changed task notifies. */
export function dueHandlers(
  task: TaskNode,
  { handlers: all }: Play,
  by: readonly number[],
): NonNullable<Learnt['due']> {
  const due = all.filter(
    (handler) =>
      (task.notify.includes(handler.name) && handler === namesake(handler.name, task, all)) ||
      (handler.role && task.notify.includes(wholeName(handler))) ||
      handler.listen.some((topic) => task.notify.includes(topic)),
  );
  return due.map(({ id }) => ({ handler: id, by }));
}

/** Of handlers with one name, that of the task's own role, or of the play for its own tasks, or the last. */
function namesake(
  name: string,
  task: TaskNode,
  handlers: readonly TaskNode[],
): TaskNode | undefined {
  const same = handlers.filter((handler) => handler.name === name);
  return same.findLast(({ role }) => role === task.role) ?? same.at(-1);
}
