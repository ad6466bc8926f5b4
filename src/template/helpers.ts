import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import toml from '@iarna/toml';
import { parse as fromYaml, stringify as toYaml } from 'yaml';
import { isObject } from '../core/json.ts';
import { TemplateError } from '../core/errors.ts';
import { quote } from '../util/shell.ts';
import { compareVersions } from './versions.ts';

const MAX_RANGE = 1_000_000;

type Helper = (...args: unknown[]) => unknown;

const text = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);

function list(value: unknown, helper: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(
    `Helper "${helper}" expects a list, not ${value === null ? 'null' : typeof value}.`,
  );
}

function number(value: unknown, helper: string): number {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof found === 'number' && !Number.isNaN(found)) return found;
  throw new TemplateError(`Helper "${helper}" expects numbers, not ${text(value) || 'nothing'}.`);
}

function map(value: unknown, helper: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new TemplateError(
    `Helper "${helper}" expects a map, not ${value === null ? 'null' : typeof value}.`,
  );
}

const order = (a: unknown, b: unknown): number => Number(a) - Number(b);

/** Helpers for `{{name …}}`, in addition to if, unless, each and with of Handlebars. */
export const helpers: Record<string, Helper> = {
  default: (value, fallback) =>
    value === undefined || value === null || value === '' ? fallback : value,
  required: (value, message) => {
    if (value === undefined || value === null || value === '') {
      throw new TemplateError(
        typeof message === 'string' ? message : 'A required value is missing.',
      );
    }
    return value;
  },
  json: (value) => JSON.stringify(value),
  pretty_json: (value) => JSON.stringify(value, undefined, 2),
  from_json: (value) => {
    try {
      return JSON.parse(text(value)) as unknown;
    } catch (error) {
      throw new TemplateError('Helper "from_json" received text that is not valid JSON.', {
        cause: error,
      });
    }
  },
  yaml: (value) => toYaml(value).trimEnd(),
  from_yaml: (value) => {
    try {
      return fromYaml(text(value)) as unknown;
    } catch (error) {
      throw new TemplateError('Helper "from_yaml" received text that is not valid YAML.', {
        cause: error,
      });
    }
  },
  toml: (value) => toml.stringify(map(value, 'toml') as toml.JsonMap).trimEnd(),
  indent: (value, width) =>
    text(value).replaceAll('\n', `\n${' '.repeat(typeof width === 'number' ? width : 2)}`),
  join: (value, separator) =>
    list(value, 'join')
      .map(text)
      .join(typeof separator === 'string' ? separator : ','),
  split: (value, separator) => text(value).split(typeof separator === 'string' ? separator : ','),
  lines: (value) =>
    text(value)
      .split('\n')
      .filter((line) => line !== ''),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  trim: (value) => text(value).trim(),
  concat: (...parts) => parts.map(text).join(''),
  replace: (value, from, to) => text(value).replaceAll(text(from), text(to)),
  regex_replace: (value, pattern, to) =>
    text(value).replaceAll(new RegExp(text(pattern), 'g'), text(to)),
  b64encode: (value) => Buffer.from(text(value)).toString('base64'),
  b64decode: (value) => Buffer.from(text(value), 'base64').toString('utf8'),
  sha256: (value) => createHash('sha256').update(text(value)).digest('hex'),
  quote: (value) => quote(text(value)),
  basename: (value) => basename(text(value)),
  dirname: (value) => dirname(text(value)),
  merge: (...maps) => Object.assign({}, ...maps.map((one) => map(one, 'merge'))) as unknown,
  keys: (value) => Object.keys(map(value, 'keys')),
  values: (value) => Object.values(map(value, 'values')),
  entries: (value) =>
    Object.entries(map(value, 'entries')).map(([key, one]) => ({ key, value: one })),
  from_entries: (value) =>
    Object.fromEntries(
      list(value, 'from_entries').map((one) => {
        const { key, value: inner } = map(one, 'from_entries');
        return [text(key), inner];
      }),
    ),
  first: (value) => list(value, 'first')[0],
  last: (value) => list(value, 'last').at(-1),
  length: (value) =>
    typeof value === 'string'
      ? value.length
      : isObject(value)
        ? Object.keys(value).length
        : list(value, 'length').length,
  sort: (value) => [...list(value, 'sort')].sort(),
  reverse: (value) => [...list(value, 'reverse')].reverse(),
  unique: (value) => [...new Set(list(value, 'unique'))],
  flatten: (value) => list(value, 'flatten').flat(),
  without: (value, item) => list(value, 'without').filter((one) => one !== item),
  map: (value, name, ...rest) => {
    const helper = Object.hasOwn(helpers, text(name)) ? helpers[text(name)] : undefined;
    if (!helper)
      throw new TemplateError(`Helper "map" expects the name of a helper, not ${text(name)}.`);
    return list(value, 'map').map((item) => helper(item, ...rest));
  },
  pluck: (value, key) => list(value, 'pluck').map((one) => map(one, 'pluck')[text(key)]),
  where: (value, key, wanted) =>
    list(value, 'where').filter((one) => map(one, 'where')[text(key)] === wanted),
  list: (...items) => items,
  range: (from, to) => {
    const [low, high] = [number(from, 'range'), number(to, 'range')];
    if (high - low > MAX_RANGE)
      throw new TemplateError(
        `Helper "range" cannot create a list of more than ${String(MAX_RANGE)} items.`,
      );
    return Array.from({ length: Math.max(0, high - low) }, (_, index) => low + index);
  },
  zip: (...lists) => {
    const all = lists.map((one) => list(one, 'zip'));
    const length = Math.min(...all.map((one) => one.length));
    return Array.from({ length }, (_, index) => all.map((one) => one[index]));
  },
  product: (a, b) =>
    list(a, 'product').flatMap((one) => list(b, 'product').map((other) => [one, other])),
  get: (value, ...keys) =>
    keys.reduce(
      (inner, key) =>
        Array.isArray(inner) ? (inner as unknown[])[Number(key)] : map(inner, 'get')[text(key)],
      value,
    ),
  add: (...values) => values.reduce<number>((sum, value) => sum + number(value, 'add'), 0),
  subtract: (a, b) => number(a, 'subtract') - number(b, 'subtract'),
  multiply: (...values) =>
    values.reduce<number>((product, value) => product * number(value, 'multiply'), 1),
  divide: (a, b) => {
    const by = number(b, 'divide');
    if (by === 0) throw new TemplateError('Helper "divide" cannot divide by 0.');
    return number(a, 'divide') / by;
  },
  min: (...values) => Math.min(...values.flat().map((value) => number(value, 'min'))),
  max: (...values) => Math.max(...values.flat().map((value) => number(value, 'max'))),
  int: (value) => Math.trunc(number(value, 'int')),
  bool: (value) => ['true', 'yes', 'on', '1'].includes(text(value).toLowerCase()),
  string: text,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
  and: (...values) => values.every(Boolean),
  or: (...values) => values.some(Boolean),
  not: (value) => !value,
  in: (item, value) =>
    typeof value === 'string' ? value.includes(text(item)) : list(value, 'in').includes(item),
  ternary: (condition, yes, no) => (condition ? yes : no),
  version: (a, operator, b) => compareVersions(text(a), text(operator), text(b)),
};
