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

/** Maximum length of the file or item in the name of a part. */
const LONGEST_WORD = 40;

/**
 * The name of a part in the ids of its steps: position in the loop, file (if its name is a
 * template) and item. Names of different parts of an include differ, on all hosts and in all
 * batches. A name depends only on the item of its host, so a resumed run finds its steps even with
 * other hosts, and a handler gets the values of its own part.
 *
 * If the words do not identify the item and file, a digest of both is added. For hidden items the
 * digest uses the key of the run. Without a key it does not cover the item, so that the item
 * cannot be guessed from the name.
 *
 * @param name rendered name of the file or role
 * @param loop item and position, from zero
 */
export function partName(
  { module, args, noLog }: Pick<TaskNode, 'module' | 'args' | 'noLog'>,
  name: string,
  loop: { item: JsonValue; index: number } | undefined,
  keys: Keys,
): string {
  const words: { text: string; isWhole: boolean }[] = [];
  if (args['name'] instanceof Template) {
    const path = withoutDirectory(name, args['name'].text);
    const isRole = module === 'include_role';
    const text = isRole ? path : fileWord(path);
    // In "a-b-c", the end of the file and the start of the item are ambiguous.
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

/** Text that can be used in an id unchanged. */
const plain = /^[\w.:-]+$/;

function short(text: string): string {
  return slug(slug(text).slice(0, LONGEST_WORD));
}

function fileWord(path: string): string {
  const relative = path.startsWith('/') ? basename(path) : path;
  return relative.replace(/\.yml$/, '').replaceAll('/', ':');
}

/** The path without the directories that are literal text in the template. */
function withoutDirectory(path: string, template: string): string {
  const constant = template.slice(0, template.indexOf('{'));
  const directory = constant.slice(0, constant.lastIndexOf('/') + 1);
  return path.startsWith(directory) ? path.slice(directory.length) : path;
}

/** The word for an item. It is not the label, which may differ between hosts. */
function itemWord(item: JsonValue): string {
  if (!isJsonObject(item)) return Array.isArray(item) ? '' : String(item);
  const name = item['name'] ?? item['key'];
  return typeof name === 'string' ? name : '';
}

/** Whether the word identifies the item. */
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
 * Groups hosts by the file or role they include for one loop item, in the order of the loop.
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
 * Loads the nodes of a part, and adds its handlers to the play.
 *
 * @throws PlaybookError when the file cannot be read, or a task notifies a handler that the play
 * does not have
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

/** Variables that a loop defines for one item. `index` starts at 0. */
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
