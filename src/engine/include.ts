import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { PlaybookError } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
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
import { store } from '../journal/stored.ts';
import { Template } from '../core/value.ts';
import { slug } from '../util/text.ts';
import type { Keys } from './hidden-intent.ts';

export interface PlannedPart extends IncludePart {
  hosts: string[];
}

/** Longest text of a file or item in the name of a part. */
const LONGEST_WORD = 40;

/**
 * What the steps of a part are called by: place in the loop, file where that is a template, item. Two parts of an include
 * have different names, on any hosts and in any batch, and nothing but the host's own item decides about the name. So a
 * resumed run finds its steps again whichever hosts take part, and a handler has the values of its own part. Where the
 * words alone do not tell the item or file, a digest of both follows: with the key of the run where the item is hidden, and
 * without the item where the run has no key, so that nobody can try guesses against a name.
 *
 * @param name what the include names, rendered
 * @param loop item and place, from zero
 */
export function partName(
  { module, args, noLog }: Pick<TaskNode, 'module' | 'args' | 'noLog'>,
  name: string,
  loop: { item: JsonValue; index: number } | undefined,
  keys: Keys,
): string {
  const words: { text: string; isWhole: boolean }[] = [];
  if (args['name'] instanceof Template) {
    const path = withoutFolder(name, args['name'].text);
    const isRole = module === 'include_role';
    const text = isRole ? path : fileWord(path);
    // Of "a-b-c" nothing tells where the file ends and the item begins.
    const isClear = !loop || !text.includes('-');
    words.push({ text, isWhole: isClear && (isRole || /^[^/:][^:]*\.yml$/.test(path)) });
  }
  if (loop) words.push({ text: noLog ? '' : itemWord(loop.item), isWhole: isText(loop.item) });
  const shown = words.map(({ text }) => (plain.test(text) ? text : short(text)));
  const isTold = words.every(({ text, isWhole }) => isWhole && plain.test(text));
  return [
    loop ? String(loop.index + 1) : '',
    ...shown,
    isTold ? '' : digest([name, loop?.item ?? null], noLog, keys),
  ]
    .filter((word) => word !== '')
    .join('-');
}

/** Stands in an id as it is. */
const plain = /^[\w.:-]+$/;

function short(text: string): string {
  return slug(slug(text).slice(0, LONGEST_WORD));
}

function fileWord(path: string): string {
  const relative = path.startsWith('/') ? basename(path) : path;
  return relative.replace(/\.yml$/, '').replaceAll('/', ':');
}

/** The path without the directories that stand in the template as plain text. */
function withoutFolder(path: string, template: string): string {
  const constant = template.slice(0, template.indexOf('{'));
  const directory = constant.slice(0, constant.lastIndexOf('/') + 1);
  return path.startsWith(directory) ? path.slice(directory.length) : path;
}

/** A label may differ from host to host. */
function itemWord(item: JsonValue): string {
  if (!isJsonObject(item)) return Array.isArray(item) ? '' : String(item);
  const name = item['name'] ?? item['key'];
  return typeof name === 'string' ? name : '';
}

/** Whether no other item has the same word. */
function isText(item: JsonValue): boolean {
  if (typeof item === 'string') return !/^(true|false|null|-?\d[\d.e+-]*)$/.test(item);
  return !isJsonObject(item) && !Array.isArray(item);
}

function digest(value: [name: string, item: JsonValue], noLog: boolean, keys: Keys): string {
  const whole = JSON.stringify(value);
  const isHidden = noLog || JSON.stringify(store(value, keys.redactor)) !== whole;
  const sum = isHidden ? keys.sealer?.digest(whole) : sha256(whole);
  return (sum ?? sha256(JSON.stringify(store(value[0], keys.redactor)))).slice(0, 8);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Puts hosts together for which an item of an include is the same, in the order of the loop.
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
  const sorted = [...parts.values()].sort((a, b) => a.index - b.index);
  return sorted.map(({ included: one, hosts }) => {
    const loopValues: JsonObject =
      one.index === undefined || one.item === undefined
        ? {}
        : loopVariables(task, one.item, { index: one.index, length: one.length ?? 1 });
    return { source: one.source, name: one.part, loopValues, hosts };
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
    const message = `Task "${task.name}" notifies "${missing}", which is not a handler of this play.`;
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
