import type { Condition, Source, SourceObject, Template, Text } from '../core/value.ts';
import type { JsonSchema } from '../core/module.ts';

/** A map of a playbook from which keywords are read. What is wrong with a value is reported where it stands. */
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

/** A number of at least 0, or a template that becomes one. */
export type Limit = number | Template;

/** What a keyword may have as its value: for editors and the reference as JSON Schema, for the loader as a reader. */
export interface ValueType<T> {
  schema: JsonSchema;
  /** Undefined when the keyword is absent, or when its value is wrong, which is reported. */
  read(from: KeywordReader, key: string): T | undefined;
}

export const text: ValueType<string> = {
  schema: { type: 'string' },
  read: (from, key) => from.string(key),
};

/** Text that is rendered when it is needed. */
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

/** @param what completes "must be" */
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

/** Text or a list of text. */
export const texts: ValueType<string[]> = {
  schema: { anyOf: [text.schema, { type: 'array', items: text.schema }] },
  read: (from, key) => (from.has(key) ? from.strings(key) : undefined),
};

/** Conditions, all of which must hold. */
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

/** What is read as one type and kept as another. */
export function as<T, U>(type: ValueType<T>, become: (value: T) => U): ValueType<U> {
  return {
    schema: type.schema,
    read(from, key) {
      const value = type.read(from, key);
      return value === undefined ? undefined : become(value);
    },
  };
}
