import pLimit from 'p-limit';
import { effectOf, type Module } from '../core/module.ts';
import { fieldsAsWritten } from '../core/value.ts';
import type { TaskNode } from '../language/document.ts';

/** Hosts that delegate a task to one host take turns there: each must find, and save, what the one before it left. */
export class Turns {
  readonly #byTarget = new Map<string, ReturnType<typeof pLimit>>();

  take<T>(target: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#byTarget.get(target) ?? pLimit(1);
    this.#byTarget.set(target, turns);
    return turns(work);
  }
}

/** Commands do not take turns: they may last long, and only their author knows what they change. */
export function takesTurns({ delegateTo, args }: TaskNode, module: Module | undefined): boolean {
  if (delegateTo === undefined || !module) return false;
  return effectOf(module, fieldsAsWritten(args)) === 'restores';
}
