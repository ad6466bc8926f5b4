import type { JsonValue } from '../../core/json.ts';
import type { Mke3Config } from '../mke3-config.ts';
import { fillFlag, takeFlags } from './custom-flags.ts';
import type { Draft } from './draft.ts';
import { forTarget, isDefaultOf, type Row, type Section, type ValueTypes } from './row.ts';

const readers: {
  [T in keyof ValueTypes]: (from: Mke3Config, key: string) => ValueTypes[T];
} = {
  text: (from, key) => from.text(key),
  number: (from, key) => from.number(key),
  boolean: (from, key) => from.flag(key),
  list: (from, key) => from.list(key),
  table: (from, key) => from.table(key),
  any: (from, key) => from.get(key),
};

export function takeSection(draft: Draft, section: Section): void {
  for (const entry of section)
    if ('convert' in entry) entry.convert(draft);
    else take(draft, entry);
}

/** Converts, reports or refuses a setting as its row says. */
export function take(draft: Draft, row: Row): void {
  if (row.type === 'flags') takeFlags(draft, row);
  else takeValue(draft, row);
}

function takeValue(draft: Draft, row: Exclude<Row, { type: 'flags' }>): void {
  const { key, flag, refusal, unreadable } = row;
  const value = readers[row.type](draft.from, key);
  const result = row.as === undefined ? value : asOf(row, value);
  const path = forTarget(row.to, draft.target);
  if (path !== undefined) draft.set(path, result);
  if (flag !== undefined) fillFlag(draft, flag, key, result);
  if (value === undefined) return;
  const moot = refusal?.moot?.some((one) => draft.from.flag(one)) === true;
  if (refusal !== undefined && value !== refusal.unless && !moot) {
    const { absent } = refusal;
    const missing = absent !== undefined && !draft.from.has(key);
    const { why, what } = missing ? absent : refusal;
    draft.refusals.push({ key, value: missing ? '(absent)' : String(value), why, what });
  }
  if (unreadable !== undefined && result === undefined) draft.report(key, value, unreadable);
  const advice = forTarget(row.advice, draft.target);
  if (advice !== undefined && !isDefaultOf(row, value)) draft.report(key, value, advice);
}

/** The reader for the row's type has produced the value, so it has the type that `as` expects. */
function asOf(row: Exclude<Row, { type: 'flags' }>, value: unknown): JsonValue | undefined {
  const { as } = row as { as?: (value: unknown) => JsonValue | undefined };
  return as?.(value);
}
