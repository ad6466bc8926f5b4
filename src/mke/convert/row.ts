import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { targets, type Target } from '../mke4-defaults.ts';
import type { Draft } from './draft.ts';
import type { Advice } from './types.ts';
import { isOff } from './values.ts';

/** Types of a setting, and what a conversion gets to see of one that is absent or has another type. */
export interface ValueTypes {
  text: string | undefined;
  number: number | undefined;
  boolean: boolean;
  list: JsonValue[];
  table: JsonObject;
  any: JsonValue | undefined;
}

/** The same for every release of MKE 4, or for some of them. */
export type PerTarget<T> = T | Partial<Record<Target, T>>;

interface Common {
  /** Dotted key in the TOML, in the spelling of a dump. */
  key: string;
  /** Values of a cluster in which nobody changed the setting. Absent: off, empty or zero. */
  defaults?: readonly JsonValue[];
  /** The switch without which the setting has no effect. */
  needs?: string;
  /** Fields of the tables in a list. */
  fields?: readonly string[];
  /** Reported for a value that nobody gets by default. */
  advice?: PerTarget<Advice>;
  /** Part of MKE 4 that the setting configures and that "mkectl apply" installs: it waits until then. */
  feature?: string;
  /** Where the setting goes besides "spec", in words. */
  elsewhere?: string;
}

interface ValueRow<T extends keyof ValueTypes> extends Common {
  type: T;
  /** Path in "spec". `list[x]` is the item of the list with the name or provider x. */
  to?: PerTarget<string>;
  /** A flag of a component that the setting gives, unless a custom flag does. */
  flag?: { of: string; name: string };
  /** The value in MKE 4. Undefined where there is none, so the field keeps its default. */
  as?(value: ValueTypes[T]): JsonValue | undefined;
  /** Reported for a value that `as` cannot read. */
  unreadable?: Advice;
  /**
   * Any other value refuses the upgrade. An absent setting counts as false if it is boolean, and is accepted if not.
   * `absent` is what to do where the configuration does not have the setting at all, and `moot` names switches with which it
   * means nothing.
   */
  refusal?: Advice & { unless: JsonValue; absent?: Advice; moot?: readonly string[] };
}

/** Custom flags of a component, which become a map at `to`. */
export interface FlagsRow extends Common {
  type: 'flags';
  to: string;
}

/**
 * What becomes of one setting of MKE 3, as data. All rows together are the table of the conversion (table.ts): a setting is
 * converted, reported, refused, or has no counterpart.
 */
export type Row = { [T in keyof ValueTypes]: ValueRow<T> }[keyof ValueTypes] | FlagsRow;

/** Settings whose values need thought, or are understood only together. The function may take some of the rows as they are. */
export interface Group {
  rows: readonly Row[];
  convert: (draft: Draft) => void;
}

/** What is converted together, in the order of the report. */
export type Section = readonly (Row | Group)[];

export function rowsOf(section: Section): Row[] {
  return section.flatMap((entry) => ('convert' in entry ? entry.rows : [entry]));
}

/** The section with all its settings waiting for a part of MKE 4. */
export function waitingFor(feature: string, section: Section): Section {
  return section.map((entry) =>
    'convert' in entry
      ? { ...entry, rows: entry.rows.map((row) => ({ ...row, feature })) }
      : { ...entry, feature },
  );
}

/** Whether the setting belongs to something that is switched off. */
export function isIneffective(
  { needs }: Pick<Row, 'needs'>,
  from: { peek(path: string): JsonValue | undefined },
): boolean {
  return needs !== undefined && from.peek(needs) !== true;
}

/** The rows with a switch that all of them need, which is not among them. */
export function needing(needs: string, rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row, needs }));
}

/** What a row says for one release. */
export function forTarget<T extends string | Advice>(
  value: PerTarget<T> | undefined,
  target: Target,
): T | undefined {
  const split = typeof value === 'object' && targets.some((one) => one in value);
  return split ? (value as Partial<Record<Target, T>>)[target] : (value as T | undefined);
}

/** Whether nobody chose the value: a dump lists every key, so only a value that differs was somebody's choice. */
export function isDefaultOf(
  { defaults = [], type }: Pick<Row, 'defaults'> & Partial<Pick<Row, 'type'>>,
  value: JsonValue,
): boolean {
  if (defaults.some((one) => isDeepStrictEqual(one, value))) return true;
  // A table of the operator's own keys says something with each of them, also without a value.
  if (type === 'table' && isJsonObject(value)) return Object.keys(value).length === 0;
  // Where something is on by default, only a setting without a value is untouched.
  return defaults.every(isOff) ? isOff(value) : value === '';
}
