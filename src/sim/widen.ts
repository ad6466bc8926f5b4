import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Chance } from './chance.ts';

/**
 * Adds kinds of steps to generated plays. They are added here so that old seeds, which found bugs,
 * keep their playbooks.
 */
export function widen(plays: readonly JsonObject[], chance: Chance): JsonObject[] {
  return plays.map((play) => {
    const tasks = listOf(play['tasks']).map((node) => widenNode(node, chance));
    const handlers = [...listOf(play['handlers']), writingHandler, restartAfterwards];
    const wider: JsonObject = { ...play, handlers, tasks };
    const text = JSON.stringify(wider);
    // With "strategy: free", hosts cannot share a step.
    const isFree = !/"(commit|run_once|delegate_to|irreversible)"/.test(text) && chance.is(0.4);
    return isFree ? { ...wider, strategy: 'free' } : wider;
  });
}

/** A handler that changes a file that another handler reads. */
const writingHandler: JsonObject = {
  name: 'Write',
  copy: { content: 'written by a handler\n', dest: '/etc/app.conf' },
  notify: 'Restart after writing',
  listen: 'something was written',
};
const restartAfterwards: JsonObject = {
  name: 'Restart after writing',
  service: { name: 'app', state: 'restarted' },
};

function widenNode(node: JsonObject, chance: Chance): JsonObject {
  if ('commit' in node)
    return chance.is(0.5) ? { ...node, irreversible: 'It cannot be undone.' } : node;
  if ('block' in node) {
    const sections = ['block', 'rescue', 'always'].filter((name) => name in node);
    const inside = sections.map((name): [string, JsonValue] => [
      name,
      listOf(node[name]).map((one) => widenNode(one, chance)),
    ]);
    const undo = [{ name: 'Undo the block', command: 'ok' }];
    return { ...node, ...Object.fromEntries(inside), ...(chance.is(0.4) ? { undo } : {}) };
  }
  const isShared = 'run_once' in node || 'delegate_to' in node;
  const notifies = !isShared && !('notify' in node) && chance.is(0.1);
  return notifies ? { ...node, notify: 'something was written' } : node;
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((one) => isJsonObject(one)) : [];
}
