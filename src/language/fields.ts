import { yamlName, type AnyGroup, type AnyRow, type Fields, type Table } from './table.ts';
import type { KeywordReader } from './types.ts';

/* Reads, inherits and completes the fields of any keyword table. */

type Values = Record<string, unknown>;
/** The fields that a map sets. Undefined: the keyword is absent. */
export type GivenFields<T> = Partial<Fields<T>>;

export function read<T extends Table>(table: T, from: KeywordReader): GivenFields<T> {
  return fieldsOf(table, (field, row) =>
    isGroup(row) ? read(row.rows, from) : row.type.read(from, yamlName(field, row)),
  ) as GivenFields<T>;
}

/** Combines the fields of the enclosing node with those that a node sets. */
export function inherit<T extends Table>(
  table: T,
  outer: Fields<T>,
  own: GivenFields<T>,
): Fields<T> {
  return merge(table, outer, own) as Fields<T>;
}

/** Defaults that depend on other fields. */
export type Derived<T> = { [F in keyof Fields<T>]?: (given: GivenFields<T>) => Fields<T>[F] };

/** Adds derived defaults and fallbacks to the fields that a map sets. */
export function complete<T extends Table>(
  table: T,
  given: GivenFields<T>,
  derived: Derived<T> = {},
): Fields<T> {
  const fields = filled(table, given) as Fields<T>;
  for (const field of Object.keys(derived) as (keyof Fields<T>)[]) {
    const follows = derived[field];
    if (given[field] === undefined && follows) fields[field] = follows(given);
  }
  return fields;
}

/** The fields of an empty map. */
export function fallbacks<T extends Table>(table: T): Fields<T> {
  return complete(table, {});
}

/** Keeps the fields that affect an include or meta task itself; the others get their fallback. */
export function fieldsFor<T extends Table>(
  table: T,
  kind: 'include' | 'meta',
  fields: Fields<T>,
): Fields<T> {
  return fieldsOf(table, (field, row) => {
    const value = (fields as Values)[field];
    if (isGroup(row) || row.alsoFor?.includes(kind) === true) return value;
    return row.fallback;
  }) as Fields<T>;
}

/** Picks the fields of a table from an object. */
export function pick<T extends Table>(table: T, from: Fields<T>): Fields<T> {
  return fieldsOf(table, (field) => (from as Values)[field]) as Fields<T>;
}

function filled(table: Table, given: Values): Values {
  return fieldsOf(table, (field, row) => {
    const value = given[field];
    if (isGroup(row)) return whole(row, filled(row.rows, (value ?? {}) as Values));
    return value === undefined ? row.fallback : value;
  });
}

function merge(table: Table, outer: Values, own: Values): Values {
  return fieldsOf(table, (field, row) => {
    const [inherited, given] = [outer[field], own[field]];
    if (isGroup(row))
      return whole(row, merge(row.rows, (inherited ?? {}) as Values, (given ?? {}) as Values));
    if (row.inherit === undefined) return given === undefined ? row.fallback : given;
    if (given === undefined) return inherited;
    return typeof row.inherit === 'function'
      ? row.inherit(inherited as never, given as never)
      : given;
  });
}

type Rows = readonly (readonly [field: string, row: AnyRow | AnyGroup])[];

/** Rows by table: each task of a playbook reads several tables. */
const rows = new WeakMap<Table, Rows>();

function rowsOf(table: Table): Rows {
  const known = rows.get(table) ?? Object.entries(table);
  rows.set(table, known);
  return known;
}

function fieldsOf(table: Table, value: (field: string, row: AnyRow | AnyGroup) => unknown): Values {
  const fields: Values = {};
  for (const [field, row] of rowsOf(table)) fields[field] = value(field, row);
  return fields;
}

/** For an optional group, drops unset fields; undefined if none is set. */
function whole(group: AnyGroup, fields: Values): Values | undefined {
  if (!group.optional) return fields;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function isGroup(row: AnyRow | AnyGroup): row is AnyGroup {
  return 'rows' in row;
}
