import type { Condition, Source, SourceObject, Template, Text } from '../core/value.ts';
import type { JsonSchema } from '../core/module.ts';

/** Reads keywords from a map of a playbook and reports wrong values with file and line. */
export interface KeywordReader {
  readonly source: SourceObject;
  has(key: string): boolean;
  value(key: string): Source | undefined;
  string(key: string): string | undefined;
  text(key: string): Text | undefined;
  boolean(key: string): boolean | undefined;
  number(key: string): number | undefined;
  limit(key: string): Limit | undefined;
  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined;
  object(key: string): SourceObject | undefined;
  variables(key: string): SourceObject | undefined;
  strings(key: string): string[];
  conditions(key: string): Condition[] | undefined;
  problem(key: string, message: string, hint?: string): void;
}

/** A number of at least 0, or a template that renders to one. */
export type Limit = number | Template;

/** Type of a keyword's value: JSON Schema for editors and the reference, reader for the loader. */
export interface ValueType<T> {
  schema: JsonSchema;
  /** Returns undefined if the keyword is absent, or if its value is wrong (which it reports). */
  read(from: KeywordReader, key: string): T | undefined;
}

export const text: ValueType<string> = {
  schema: { type: 'string' },
  read: (from, key) => from.string(key),
};

/** Text that can be a template. */
export const rendered: ValueType<Text> = {
  schema: text.schema,
  read: (from, key) => from.text(key),
};

export const flag: ValueType<boolean> = {
  schema: { type: 'boolean' },
  read: (from, key) => from.boolean(key),
};

export const number: ValueType<number> = {
  schema: { type: 'number', minimum: 0 },
  read: (from, key) => from.number(key),
};

export const limit: ValueType<Limit> = {
  schema: { anyOf: [number.schema, text.schema] },
  read: (from, key) => from.limit(key),
};

/** @param what completes the message "must be …" */
export function wholeNumber(minimum: number, what: string): ValueType<number> {
  return {
    schema: { type: 'integer', minimum },
    read(from, key) {
      const value = from.number(key);
      if (value === undefined || (Number.isInteger(value) && value >= minimum)) return value;
      from.problem(key, `"${key}" must be ${what}.`);
      return undefined;
    },
  };
}

/** A string or a list of strings. */
export const texts: ValueType<string[]> = {
  schema: { anyOf: [text.schema, { type: 'array', items: text.schema }] },
  read: (from, key) => (from.has(key) ? from.strings(key) : undefined),
};

/** A condition or a list of conditions, all of which must hold. */
export const conditions: ValueType<Condition[]> = {
  schema: {
    anyOf: [
      text.schema,
      flag.schema,
      { type: 'array', items: { anyOf: [text.schema, flag.schema] } },
    ],
  },
  read: (from, key) => from.conditions(key),
};

export const map: ValueType<SourceObject> = {
  schema: { type: 'object' },
  read: (from, key) => from.object(key),
};

export const variables: ValueType<SourceObject> = {
  schema: map.schema,
  read: (from, key) => from.variables(key),
};

export function oneOf<T extends string>(...choices: readonly T[]): ValueType<T> {
  return { schema: { enum: choices }, read: (from, key) => from.oneOf(key, choices) };
}

/** Reads a value as one type and converts it to another. */
export function as<T, U>(type: ValueType<T>, become: (value: T) => U): ValueType<U> {
  return {
    schema: type.schema,
    read(from, key) {
      const value = type.read(from, key);
      return value === undefined ? undefined : become(value);
    },
  };
}
