import pLimit from 'p-limit';
import { effectOf, type Module } from '../core/module.ts';
import { fieldsAsWritten } from '../core/value.ts';
import type { TaskNode } from '../language/document.ts';

/**
 * Serializes tasks that several hosts delegate to one host: each must find and save the state that
 * the previous one left.
 */
export class Turns {
  readonly #byTarget = new Map<string, ReturnType<typeof pLimit>>();

  take<T>(target: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#byTarget.get(target) ?? pLimit(1);
    this.#byTarget.set(target, turns);
    return turns(work);
  }
}

/**
 * Whether a task takes turns. Commands do not: they may take long, and only their author knows what
 * they change.
 */
export function takesTurns({ delegateTo, args }: TaskNode, module: Module | undefined): boolean {
  if (delegateTo === undefined || !module) return false;
  return effectOf(module, fieldsAsWritten(args)) === 'restores';
}
