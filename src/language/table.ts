import type { JsonSchema } from '../core/module.ts';
import { snakeCase } from '../util/text.ts';
import type { ValueType } from './types.ts';

/** Where a keyword may stand. */
export const places = [
  'playbook',
  'overlay',
  'change',
  'play',
  'role entry',
  'block',
  'task',
  'include',
  'loop_control',
  'commit point',
  'meta',
  'rollback',
  'input',
  'role meta',
] as const;
export type Place = (typeof places)[number];

/** One keyword as editors and the reference show it. */
export interface Keyword {
  name: string;
  on: readonly Place[];
  schema: JsonSchema;
  /** One sentence or two. */
  description: string;
}

interface RowStart<T> {
  /** The keyword, where it is not the name of the field in snake_case. */
  yaml?: string;
  on: readonly Place[];
  /** Reads the value, and is its JSON Schema. */
  type: ValueType<T>;
  /** What a node takes from around it: what it does not say itself, or both together. Otherwise nothing. */
  inherit?: 'own' | ((outer: NoInfer<T>, own: NoInfer<T>) => NoInfer<T>);
  /** Includes and meta tasks ask no host. These have an effect on them, too; the rest is for what is inside. */
  alsoFor?: readonly ('include' | 'meta')[];
  /** For the reference and editors. A row without it is one more field of a keyword that another row describes. */
  doc?: string;
}

/** A field of what is read, and the keyword that it comes from. */
export interface Row<T> extends RowStart<T> {
  /** Where nothing is said. */
  fallback: T;
}

/** Fields that stand together in a map of their own, which is not in the YAML. */
export interface Group<T> {
  rows: Table;
  /** Absent when none of its fields is said. */
  optional: boolean;
  /** No value: the type of the map. */
  readonly map?: (fields: T) => T;
}

type RowsOf<T> = {
  [K in keyof T]-?:
    Row<T[K]> | Row<NonNullable<T[K]>> | Row<NonNullable<T[K]> | undefined> | Group<T[K]>;
};

/** A row of any type, for loops over tables. */
export interface AnyRow extends Omit<RowStart<unknown>, 'inherit'> {
  inherit?: 'own' | ((outer: never, own: never) => unknown);
  fallback: unknown;
}

export interface AnyGroup {
  rows: Table;
  optional: boolean;
}

/** Rows by the name of their field. */
export interface Table {
  readonly [field: string]: AnyRow | AnyGroup;
}

/** What a table describes, as it is once it is read. */
export type Fields<T> = {
  -readonly [K in keyof T]: T[K] extends Row<infer V> ? V : T[K] extends Group<infer G> ? G : never;
};

export function keyword<T>(row: RowStart<T> & { fallback: NoInfer<T> }): Row<T>;
export function keyword<T>(row: RowStart<T>): Row<T | undefined>;
export function keyword<T>(row: RowStart<T> & { fallback?: T }): Row<T | undefined> {
  return { ...row, fallback: row.fallback } as Row<T | undefined>;
}

export function group<T>(rows: RowsOf<T>): Group<T> {
  return { rows, optional: false };
}

export function optionalGroup<T>(rows: RowsOf<T>): Group<T | undefined> {
  return { rows, optional: true };
}

/** The keyword of a row. */
export function yamlName(field: string, { yaml }: { yaml?: string }): string {
  return yaml ?? snakeCase(field);
}

/** The keywords of a table. */
export function keywordsOf(table: Table): Keyword[] {
  return Object.entries(table).flatMap(([field, row]): Keyword[] => {
    if ('rows' in row) return keywordsOf(row.rows);
    const { on, type, doc } = row;
    if (doc === undefined) return [];
    return [{ name: yamlName(field, row), on, schema: type.schema, description: doc }];
  });
}
