import {
  isSourceObject,
  Template,
  type Source,
  type SourceObject,
  type Text,
} from '../core/value.ts';
import { limit, oneOf, type KeywordReader, type Limit, type ValueType } from './types.ts';

/* Types of single keywords, which have a form or a message of their own. */

const triggers = ['changed', 'failed', 'unknown'] as const;
export type UndoTrigger = (typeof triggers)[number];

/** Outcomes after which a step is undone. */
export const undoTriggers: ValueType<UndoTrigger[] | 'always'> = {
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: oneOf(...triggers).schema }] },
  read(from, key) {
    if (from.value(key) === 'always') return 'always';
    const wanted = from.strings(key);
    for (const one of wanted.filter((word) => !triggers.some((trigger) => trigger === word)))
      from.problem(key, `"${key}" knows changed, failed, unknown and always, not "${one}".`);
    const chosen = triggers.filter((trigger) => wanted.includes(trigger));
    return chosen.length > 0 ? chosen : undefined;
  },
};

/** `run_once: true` is once in each batch, `run_once: play` once in all of them. */
export const once: ValueType<boolean> = {
  schema: { enum: [true, false, 'play'] },
  read: (from, key) => from.value(key) === 'play' || from.boolean(key),
};

/** Of the same keyword: whether it is once in all batches. */
export const oncePerPlay: ValueType<boolean> = {
  schema: once.schema,
  read: (from, key) => (from.has(key) ? from.value(key) === 'play' : undefined),
};

/** Whether a step is only simulated in a real run. What is done in a simulated run is for steps that only read. */
export const simulated: ValueType<boolean> = {
  schema: { enum: [true] },
  read(from, key) {
    const wanted = from.boolean(key);
    if (wanted === false)
      from.problem(
        key,
        '"check_mode: false" would change hosts while everything else is simulated.',
        'A command that only looks runs in check mode with "read_only: true".',
      );
    return wanted;
  },
};

/** Keywords that make a loop. */
export const loopWords = ['loop', 'with_items', 'with_dict'] as const;

/** The keyword of these that a map has. */
export function loopWord(source: object): string | undefined {
  return loopWords.find((key) => key in source);
}

/** What a task, block or include is done for, as `loopItems` takes it. */
export const loop: ValueType<Source> = {
  schema: {},
  read(from) {
    const list = from.value('loop');
    const items = from.value('with_items');
    const map = from.value('with_dict');
    const [first, second] = loopWords.filter((key) => key in from.source);
    if (first !== undefined && second !== undefined)
      from.problem(second, `"${first}" and "${second}" stand in each other's place.`);
    if (items !== undefined) return { with_items: items };
    return map === undefined ? list : { with_dict: map };
  },
};

/** Seconds of Ansible's word for a step that goes on without its connection; undefined for one that does not. */
export const asyncSeconds: ValueType<Limit> = {
  schema: limit.schema,
  read(from, key) {
    const seconds = from.limit(key);
    const poll = from.number('poll');
    if (seconds === undefined || seconds === 0) return undefined;
    if (poll === 0)
      from.problem(
        'poll',
        'A step that nobody waits for ("poll: 0") has no outcome that could be taken back.',
        'Items run side by side with "loop_control: {parallel: N}", hosts with "strategy: free".',
      );
    return seconds;
  },
};

/** Hosts a batch: a count, a percentage, or a list of these. */
export const batches: ValueType<(number | Text)[]> = {
  schema: {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string' },
      { type: 'array', items: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] } },
    ],
  },
  read(from, key) {
    const value = from.value(key);
    if (value === undefined) return undefined;
    return [value].flat().flatMap((item) => {
      if (isBatch(item)) return [item];
      from.problem(
        key,
        `"${key}" must be a count above 0, a percentage such as "10%", or a list of these.`,
      );
      return [];
    });
  },
};

function isBatch(item: Source): item is number | Text {
  return (
    (typeof item === 'number' && Number.isInteger(item) && item > 0) ||
    item instanceof Template ||
    (typeof item === 'string' && /^[1-9]\d*%?$/.test(item))
  );
}

/** Hosts of a batch: a count, or a percentage of it. */
export const share: ValueType<number | string> = {
  schema: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] },
  read(from, key) {
    const value = from.value(key) ?? 0;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    if (typeof value === 'string' && /^(\d|[1-9]\d|100)%$/.test(value)) return value;
    from.problem(key, `"${key}" must be a count, or a percentage such as "10%".`);
    return undefined;
  },
};

/** Arguments by module. */
export const argumentsByModule: ValueType<Record<string, SourceObject>> = {
  schema: { type: 'object', additionalProperties: { type: 'object' } },
  read: (from, key) => readArguments(from, key),
};

function readArguments(from: KeywordReader, key: string): Record<string, SourceObject> | undefined {
  const modules = from.object(key);
  if (!modules) return undefined;
  const found: Record<string, SourceObject> = {};
  for (const [module, args] of Object.entries(modules)) {
    if (isSourceObject(args)) found[module] = args;
    else from.problem(key, `"${key}" of "${module}" must be a map.`);
  }
  return found;
}

/** Whether a keyword has a certain value; a wrong one is reported by the row that describes the keyword. */
export function isWord(word: string): ValueType<boolean> {
  return {
    schema: {},
    read: (from, key) => (from.has(key) ? from.value(key) === word : undefined),
  };
}
