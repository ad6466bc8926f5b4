import type { JsonObject, JsonValue } from './json.ts';
import type { SourceRef } from './source.ts';

/**
 * A template in a playbook or inventory, rendered when it is needed. Only the loader creates templates. Text of a host, a result, `!raw` or an input is a string and is never rendered.
 */
export class Template {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** False if it has only a Jinja statement. That is reported in arguments and is text elsewhere. */
  get hasExpression(): boolean {
    return this.text.includes('{{');
  }
  toString(): string {
    return this.text;
  }
  /** Text for displays; the journal stores it as a structure. */
  toJSON(): string {
    return this.text;
  }
}

/** A condition of a playbook. Only the loader creates conditions; `template/conditions.ts` evaluates them. */
export class Condition {
  readonly text: string;
  /** Position in the file; undefined in the journal. */
  readonly at: SourceRef | undefined;
  constructor(text: string, at?: SourceRef) {
    this.text = text;
    this.at = at;
  }
  toString(): string {
    return this.text;
  }
  /** Text for displays; the journal stores it as a structure. */
  toJSON(): string {
    return this.text;
  }
}

/** A value of a playbook before it is rendered. */
export type Source = JsonValue | Template | Condition | Source[] | SourceObject;
export interface SourceObject {
  [key: string]: Source;
}

/** Text that may be a template. */
export type Text = string | Template;

/** Marks an omitted argument: the value of `{{omit}}`. */
export const OMIT: unique symbol = Symbol('omit');

export function isSourceObject(value: Source | undefined): value is SourceObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Template) &&
    !(value instanceof Condition)
  );
}

export function isText(value: unknown): value is Text {
  return typeof value === 'string' || value instanceof Template;
}

/** Undefined if the value is not text. */
export function textOf(value: Source | undefined): string | undefined {
  return value instanceof Template ? value.text : typeof value === 'string' ? value : undefined;
}

/** All templates in a value. */
export function templatesIn(value: Source): Template[] {
  return partsOf(value).filter((part) => part instanceof Template);
}

/** All conditions in a value. */
export function conditionsIn(value: Source): Condition[] {
  return partsOf(value).filter((part) => part instanceof Condition);
}

function partsOf(value: Source): Source[] {
  if (Array.isArray(value)) return value.flatMap(partsOf);
  return isSourceObject(value) ? Object.values(value).flatMap(partsOf) : [value];
}

/** The value with the source text of templates and conditions, for values that are not rendered. */
export function asWritten(value: Source): JsonValue {
  if (value instanceof Template || value instanceof Condition) return value.text;
  if (Array.isArray(value)) return value.map(asWritten);
  return isSourceObject(value) ? fieldsAsWritten(value) : value;
}

export function fieldsAsWritten(fields: SourceObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, asWritten(one)]));
}
