import type { JsonSchema } from '../core/module.ts';
import { snakeCase } from '../util/text.ts';
import type { ValueType } from './types.ts';

/** Where a keyword is allowed. */
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

/** A keyword for editor schemas and the reference. */
export interface Keyword {
  name: string;
  on: readonly Place[];
  schema: JsonSchema;
  /** One sentence or two. */
  description: string;
}

interface RowStart<T> {
  /** The keyword, if it differs from the field name in snake_case. */
  yaml?: string;
  on: readonly Place[];
  /** Reader and JSON Schema of the value. */
  type: ValueType<T>;
  /**
   * 'own': a node inherits the value unless it sets its own. A function combines both. Absent: not
   * inherited.
   */
  inherit?: 'own' | ((outer: NoInfer<T>, own: NoInfer<T>) => NoInfer<T>);
  /** Set for keywords that affect an include or meta task itself, not only the steps inside it. */
  alsoFor?: readonly ('include' | 'meta')[];
  /**
   * Description for editors and the reference. A row without it is a further field of another row's
   * keyword.
   */
  doc?: string;
}

/** A field and the keyword that it is read from. */
export interface Row<T> extends RowStart<T> {
  /** Value if the keyword is absent. */
  fallback: T;
}

/** Fields that are grouped in an object of their own, which the YAML does not have. */
export interface Group<T> {
  rows: Table;
  /** The object is undefined if none of its keywords is present. */
  optional: boolean;
  /** Never set; carries the type of the object. */
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

/** The fields that a table describes. */
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

/** Names in YAML by field, because each task of a playbook asks for dozens of them. */
const names = new Map<string, string>();

export function yamlName(field: string, { yaml }: { yaml?: string }): string {
  if (yaml !== undefined) return yaml;
  const name = names.get(field) ?? snakeCase(field);
  names.set(field, name);
  return name;
}

export function keywordsOf(table: Table): Keyword[] {
  return Object.entries(table).flatMap(([field, row]): Keyword[] => {
    if ('rows' in row) return keywordsOf(row.rows);
    const { on, type, doc } = row;
    if (doc === undefined) return [];
    return [{ name: yamlName(field, row), on, schema: type.schema, description: doc }];
  });
}
