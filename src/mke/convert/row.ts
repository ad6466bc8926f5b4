import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { targets, type Target } from '../mke4-defaults.ts';
import type { Draft } from './draft.ts';
import type { Advice } from './types.ts';
import { isOff } from './values.ts';

/** Types of a setting: what a conversion gets, also if the setting is absent or has another type. */
export interface ValueTypes {
  text: string | undefined;
  number: number | undefined;
  boolean: boolean;
  list: JsonValue[];
  table: JsonObject;
  any: JsonValue | undefined;
}

/** One value for every MKE 4 release, or one per release. */
export type PerTarget<T> = T | Partial<Record<Target, T>>;

interface Common {
  /** Dotted key in the TOML, spelled as in a configuration downloaded from MKE 3. */
  key: string;
  /** Values of the setting in a cluster where it was never changed. Absent: off, empty or zero. */
  defaults?: readonly JsonValue[];
  /** The boolean setting that must be on for this one to have an effect. */
  needs?: string;
  /** Fields of the tables in a list. */
  fields?: readonly string[];
  /** Reported if the value is not a default. */
  advice?: PerTarget<Advice>;
  /** The MKE 4 feature that the setting configures. "mkectl apply" installs it; until then the setting has no effect. */
  feature?: string;
  /** Where the setting goes if not to "spec", as text for the settings page. */
  elsewhere?: string;
}

interface ValueRow<T extends keyof ValueTypes> extends Common {
  type: T;
  /** Path in "spec". `list[x]` is the item of the list with the name or provider x. */
  to?: PerTarget<string>;
  /** The component flag that the setting sets unless a custom flag sets it. */
  flag?: { of: string; name: string };
  /** Converts the value. If undefined is returned, the field keeps its default. */
  as?(value: ValueTypes[T]): JsonValue | undefined;
  /** Reported for a value that `as` cannot convert. */
  unreadable?: Advice;
  /**
   * Any value other than `unless` prevents the upgrade. An absent boolean counts as false; other absent settings are
   * accepted. `absent` is the advice if the configuration does not have the setting. `moot` names boolean settings that
   * make it meaningless when they are on.
   */
  refusal?: Advice & { unless: JsonValue; absent?: Advice; moot?: readonly string[] };
}

/** Custom flags of a component. They become a map at `to`. */
export interface FlagsRow extends Common {
  type: 'flags';
  to: string;
}

/**
 * The conversion of one MKE 3 setting, as data. All rows together form the conversion table (table.ts).
 */
export type Row = { [T in keyof ValueTypes]: ValueRow<T> }[keyof ValueTypes] | FlagsRow;

/** Settings that are converted by code, together. The function can apply individual rows with `take`. */
export interface Group {
  rows: readonly Row[];
  convert: (draft: Draft) => void;
}

/** Settings of one part of the configuration, in the order of the report. */
export type Section = readonly (Row | Group)[];

export function rowsOf(section: Section): Row[] {
  return section.flatMap((entry) => ('convert' in entry ? entry.rows : [entry]));
}

/** Adds the MKE 4 feature to all rows of a section. */
export function waitingFor(feature: string, section: Section): Section {
  return section.map((entry) =>
    'convert' in entry
      ? { ...entry, rows: entry.rows.map((row) => ({ ...row, feature })) }
      : { ...entry, feature },
  );
}

/** Whether the setting has no effect because the setting that it needs is off. */
export function isIneffective(
  { needs }: Pick<Row, 'needs'>,
  from: { peek(path: string): JsonValue | undefined },
): boolean {
  return needs !== undefined && from.peek(needs) !== true;
}

/** Adds `needs` to all rows. The needed setting must not be among them. */
export function needing(needs: string, rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row, needs }));
}

/** The value for one MKE 4 release. */
export function forTarget<T extends string | Advice>(
  value: PerTarget<T> | undefined,
  target: Target,
): T | undefined {
  const split = typeof value === 'object' && targets.some((one) => one in value);
  return split ? (value as Partial<Record<Target, T>>)[target] : (value as T | undefined);
}

/** Whether the value is a default. A downloaded configuration lists every key, so only other values were set on purpose. */
export function isDefaultOf(
  { defaults = [], type }: Pick<Row, 'defaults'> & Partial<Pick<Row, 'type'>>,
  value: JsonValue,
): boolean {
  if (defaults.some((one) => isDeepStrictEqual(one, value))) return true;
  // In a table with user-defined keys, each key matters, even with an empty value.
  if (type === 'table' && isJsonObject(value)) return Object.keys(value).length === 0;
  // If the default is not "off", an off value was set on purpose; only an empty text counts as default.
  return defaults.every(isOff) ? isOff(value) : value === '';
}
