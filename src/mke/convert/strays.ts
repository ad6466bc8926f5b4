import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { formatSource } from '../../core/source.ts';
import { freeTables, type Mke3Config } from '../mke3-config.ts';
import { didYouMean } from '../../util/text.ts';
import type { Draft } from './draft.ts';
import { rowOf, rows } from './table.ts';
import type { Advice } from './types.ts';

/** Documented keys by their last part. */
const documented = rows.map(({ key }) => key);
const byName = new Map<string, string[]>();
for (const { key } of rows) {
  const name = lastOf(key);
  byName.set(name, [...(byName.get(name) ?? []), key]);
}

/**
 * Reports keys in the wrong table. Most were appended to the file, where TOML counts them to the last table: that can be
 * an item of a list, or a table with user-defined keys.
 */
export function reportStrays(draft: Draft): void {
  const { from } = draft;
  for (const [key, value] of from.entries()) {
    if (isJsonObject(value) && freeTables.has(key))
      for (const field of Object.keys(value)) reportField(draft, key, field);
    const { fields } = rowOf(key) ?? {};
    if (fields === undefined || !Array.isArray(value)) continue;
    for (const item of value.filter(isJsonObject))
      for (const [field, inner] of Object.entries(item))
        if (!fields.includes(field)) reportStray(draft, `${key}.${field}`, inner);
  }
}

/** User-defined keys (labels, ports, options of other programs) have no underscore; MKE 3 settings do. */
function reportField(draft: Draft, key: string, field: string): void {
  const path = `${key}.${field}`;
  if (!field.startsWith('-') && !(field.includes('_') && byName.has(field))) return;
  const value = draft.from.withdraw(key, field);
  if (value !== undefined) reportStray(draft, path, value);
}

function reportStray(draft: Draft, key: string, value: JsonValue): void {
  const advice = adviceOnStray(draft.from, key);
  if (advice !== undefined) draft.report(key, value, advice);
}

/** The advice for a key that is not documented; undefined for a documented key. */
export function adviceOnStray(from: Mke3Config, key: string): Advice | undefined {
  if (rowOf(key) !== undefined) return undefined;
  const name = /(?:^|\.)(-.*)$/.exec(key)?.[1] ?? lastOf(key);
  const table = key.slice(0, -name.length - 1);
  const place = `${table === '' ? 'it is before the first table' : `it is in the table [${table}]`}${where(from, key)}`;
  if (name.startsWith('-'))
    return {
      why: `${place}, and a flag is not a setting`,
      what: 'add it to a list of [cluster_config], such as custom_kubelet_flags = ["--NAME=VALUE"]',
    };
  const only = meantBy(name);
  if (only === undefined)
    return {
      why: `it is not a documented MKE 3 setting${where(from, key)}`,
      what: nearest(key) ?? 'check its spelling, and see the MKE 4 documentation',
    };
  return {
    why: `${place}, where MKE 3 does not read it`,
    what: `move the line to [${only.slice(0, -name.length - 1)}]`,
  };
}

/** Whether a key is a flag or belongs to another table. Such a key is reported even if its value is off or empty. */
export function isMisplaced(key: string): boolean {
  const name = lastOf(key);
  return rowOf(key) === undefined && (/(^|\.)-/.test(key) || meantBy(name) !== undefined);
}

/** The only setting with this name. */
function meantBy(name: string): string | undefined {
  const keys = byName.get(name) ?? [];
  return keys.length === 1 && name.includes('_') ? keys[0] : undefined;
}

function nearest(key: string): string | undefined {
  const found = /"(.+)"/.exec(didYouMean(key, documented))?.[0];
  return found === undefined ? undefined : `write ${found} if you mean that setting`;
}

function where(from: Mke3Config, key: string): string {
  const place = from.placeOf(key);
  return place === undefined ? '' : ` (${formatSource(place)})`;
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}
