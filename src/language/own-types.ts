import {
  isSourceObject,
  Template,
  type Source,
  type SourceObject,
  type Text,
} from '../core/value.ts';
import { limit, oneOf, type KeywordReader, type Limit, type ValueType } from './types.ts';

/* Types of keywords with a syntax or a message of their own. */

const triggers = ['changed', 'failed', 'unknown'] as const;
export type UndoTrigger = (typeof triggers)[number];

/** Outcomes after which a step is undone. */
export const undoTriggers: ValueType<UndoTrigger[] | 'always'> = {
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: oneOf(...triggers).schema }] },
  read(from, key) {
    if (from.value(key) === 'always') return 'always';
    const wanted = from.strings(key);
    for (const one of wanted.filter((word) => !triggers.some((trigger) => trigger === word)))
      from.problem(key, `"${key}" accepts changed, failed, unknown and always, not "${one}".`);
    const chosen = triggers.filter((trigger) => wanted.includes(trigger));
    return chosen.length > 0 ? chosen : undefined;
  },
};

/** `run_once: true` runs once in each batch, `run_once: play` once in the play. */
export const once: ValueType<boolean> = {
  schema: { enum: [true, false, 'play'] },
  read: (from, key) => from.value(key) === 'play' || from.boolean(key),
};

/** True for `run_once: play`. */
export const oncePerPlay: ValueType<boolean> = {
  schema: once.schema,
  read: (from, key) => (from.has(key) ? from.value(key) === 'play' : undefined),
};

/**
 * `check_mode: true` runs a step in check mode in every run. `check_mode: false` is an error: use
 * `read_only`.
 */
export const simulated: ValueType<boolean> = {
  schema: { enum: [true] },
  read(from, key) {
    const wanted = from.boolean(key);
    if (wanted === false)
      from.problem(
        key,
        '"check_mode: false" would change hosts in check mode.',
        'Use "read_only: true" for a command that only reads. It runs in check mode, too.',
      );
    return wanted;
  },
};

/** Keywords that make a loop. */
export const loopWords = ['loop', 'with_items', 'with_dict'] as const;

/** The keyword of a map that makes a loop. */
export function loopWord(source: object): string | undefined {
  return loopWords.find((key) => key in source);
}

/** The items of a task, block or include, for `loopItems`. */
export const loop: ValueType<Source> = {
  schema: {},
  read(from) {
    const list = from.value('loop');
    const items = from.value('with_items');
    const map = from.value('with_dict');
    const [first, second] = loopWords.filter((key) => key in from.source);
    if (first !== undefined && second !== undefined)
      from.problem(second, `"${first}" and "${second}" cannot be combined.`);
    if (items !== undefined) return { with_items: items };
    return map === undefined ? list : { with_dict: map };
  },
};

/** Seconds of `async`, for a detached step. Undefined without it, or for 0. */
export const asyncSeconds: ValueType<Limit> = {
  schema: limit.schema,
  read(from, key) {
    const seconds = from.limit(key);
    const poll = from.number('poll');
    if (seconds === undefined || seconds === 0) return undefined;
    if (poll === 0)
      from.problem(
        'poll',
        '"poll: 0" is not supported: without its outcome, a step cannot be undone.',
        'Use "loop_control: {parallel: N}" for parallel items, or "strategy: free" for independent hosts.',
      );
    return seconds;
  },
};

/** Batch sizes: a number of hosts, a percentage, or a list of these. */
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
        `"${key}" must be a number above 0, a percentage such as "10%", or a list of these.`,
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

/** Part of a batch: a number of hosts or a percentage. */
export const share: ValueType<number | string> = {
  schema: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] },
  read(from, key) {
    const value = from.value(key) ?? 0;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    if (typeof value === 'string' && /^(\d|[1-9]\d|100)%$/.test(value)) return value;
    from.problem(key, `"${key}" must be a number of hosts or a percentage such as "10%".`);
    return undefined;
  },
};

/** Arguments, by module. */
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

/**
 * Whether a keyword has a certain value. The row with the keyword's description reports wrong
 * values.
 */
export function isWord(word: string): ValueType<boolean> {
  return {
    schema: {},
    read: (from, key) => (from.has(key) ? from.value(key) === word : undefined),
  };
}
