import { basename, extname } from 'node:path';
import { PlaybookError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import {
  handlerNames,
  tasksOf,
  type Expansion,
  type IncludeNode,
  type IncludePart,
  type Play,
  type TaskNode,
} from '../language/document.ts';
import type { Included } from '../journal/records.ts';
import { Template } from '../core/value.ts';
import { slug } from '../util/text.ts';

export interface PlannedPart extends IncludePart {
  hosts: string[];
}

/**
 * Puts hosts together for which an item of an include is the same, in the order of the loop. The names of the parts
 * depend on nothing else than what is included, so that a resumed run finds its steps again.
 * @param included what each host includes, in the order of the hosts
 */
export function includedParts(
  { task }: IncludeNode,
  included: ReadonlyMap<string, readonly Included[]>,
): PlannedPart[] {
  const parts = new Map<string, { index: number; included: Included; hosts: string[] }>();
  for (const [host, items] of included) {
    for (const one of items) {
      const index = one.index ?? 0;
      const key = JSON.stringify([index, one.source, one.item]);
      const known = parts.get(key);
      if (known) known.hosts.push(host);
      else parts.set(key, { index, included: one, hosts: [host] });
    }
  }
  const names = new Set<string>();
  const sorted = [...parts.values()].sort((a, b) => a.index - b.index);
  return sorted.map(({ included: one, hosts }) => {
    const name = unique(partName(one, task.args['name'] instanceof Template), names);
    const loopValues: JsonObject =
      one.index === undefined || one.item === undefined
        ? {}
        : loopVariables(task, one.item, { index: one.index, length: one.length ?? 1 });
    return { source: one.source, name, loopValues, hosts };
  });
}

/**
 * Reads what a part includes. Its handlers become handlers of the play.
 *
 * @throws PlaybookError when it cannot be read, or a task notifies a handler that the play does not have
 */
export function expandPart(
  node: IncludeNode,
  part: IncludePart,
  play: Pick<Play, 'handlers'>,
): Pick<Expansion, 'nodes' | 'files'> {
  const { nodes, handlers, files } = node.expand(part);
  const known = new Set(play.handlers.map(({ id }) => id));
  play.handlers.push(...handlers.filter(({ id }) => !known.has(id)));
  const names = play.handlers.flatMap(handlerNames);
  for (const task of tasksOf(nodes)) {
    const missing = task.notify.find((name) => !names.includes(name));
    if (missing === undefined) continue;
    const message = `Task "${task.name}" notifies "${missing}", which is no handler of this play.`;
    throw new PlaybookError([{ message, at: task.at }]);
  }
  return { nodes, files };
}

/** What a loop defines for one item. `index` counts from zero. */
export function loopVariables(
  { loopVar, indexVar }: Pick<TaskNode, 'loopVar' | 'indexVar'>,
  item: JsonValue,
  { index, length }: { index: number; length: number },
): JsonObject {
  return {
    [loopVar]: item,
    ...(indexVar === undefined ? {} : { [indexVar]: index }),
    loop: {
      index: index + 1,
      index0: index,
      first: index === 0,
      last: index === length - 1,
      length,
    },
  };
}

function partName({ source, index, label }: Included, byTemplate: boolean): string {
  const file = byTemplate ? slug(basename(source, extname(source))) : '';
  const item = index === undefined ? '' : slug(label ?? '') || String(index + 1);
  return [file, item].filter((part) => part !== '').join('-');
}

function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let ordinal = 2; taken.has(free); ordinal++) free = `${name}-${String(ordinal)}`;
  taken.add(free);
  return free;
}
