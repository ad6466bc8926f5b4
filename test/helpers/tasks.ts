import type { InventoryHost } from '../../src/core/inventory.ts';
import { Condition } from '../../src/core/value.ts';
import type { Place } from '../../src/engine/step-key.ts';
import {
  plainTask,
  type Become,
  type Play,
  type RoleContext,
  type RollbackPolicy,
  type TaskNode,
} from '../../src/language/document.ts';
import { fallbacks } from '../../src/language/fields.ts';
import { playKeywords, rollbackKeywords } from '../../src/language/keywords.ts';

export const at = { file: 'p.yml', line: 1, column: 1 };
export const noBecome: Become = { enabled: false, user: 'root', method: 'sudo' };

/** Conditions in the form of the loader. */
export function conditionsOf(...texts: string[]): Condition[] {
  return texts.map((text) => new Condition(text));
}

/** A task with the module "copy" and no other keywords. */
export function taskOf(more: Partial<TaskNode> = {}): TaskNode {
  const own = { id: 'p/copy', name: 'Copy', at, module: 'copy', args: {}, become: noBecome };
  return { ...plainTask(own), ...more };
}

export function policyOf(more: Partial<RollbackPolicy> = {}): RollbackPolicy {
  return { ...fallbacks(rollbackKeywords), before: [], after: [], verify: [], ...more };
}

/** A play with tasks and no other keywords. */
export function playOf({ tasks = [], ...more }: Partial<Play> & { tasks?: TaskNode[] } = {}): Play {
  return {
    ...fallbacks(playKeywords),
    ...{ id: 'p', name: 'P', at, hosts: 'all', vars: {}, handlers: [] },
    rollback: policyOf(),
    sections: [{ name: 'tasks', nodes: tasks }],
    ...more,
  };
}

export function placeOf(more: Partial<Place> = {}): Place {
  return { play: playOf(), batch: ['h1', 'h2'], number: 1, at: 'section', roles: [], ...more };
}

export function roleOf(name: string): RoleContext {
  return {
    name,
    path: `/roles/${name}`,
    defaults: {},
    inputs: {},
    constants: {},
    parent: undefined,
  };
}

/** A host of an inventory without variables. */
export function hostOf(name: string, more: Partial<InventoryHost['address']> = {}): InventoryHost {
  const address = { transport: 'ssh', address: name, port: undefined, user: undefined } as const;
  return { name, address: { name, ...address, keyPath: undefined, ...more }, vars: {} };
}
