import type { JsonValue } from '../core/json.ts';
import { TemplateError, UnknownValueError } from '../core/errors.ts';
import type { Controller } from './controller-helpers.ts';
import { parseTemplate } from './templates.ts';
import { holds } from './conditions.ts';
import {
  Condition,
  isSourceObject,
  OMIT,
  Template,
  type Source,
  type SourceObject,
} from '../core/value.ts';

/** In check mode, a value that only a real run can determine. */
export const unknownValue: unique symbol = Symbol('unknown');
export type ScopeValue = JsonValue | typeof unknownValue;

type Values = Readonly<Record<string, Source | typeof unknownValue>>;

type LateTable<Place> = ReadonlyMap<string, (place: Place) => JsonValue>;

/**
 * Values that are computed on first use. All scopes share the table, because most tasks do not use
 * it.
 */
export class LateValues {
  readonly #table: Pick<LateTable<never>, 'has' | 'keys'>;
  readonly #valueOf: (name: string) => JsonValue | undefined;

  private constructor(
    table: Pick<LateTable<never>, 'has' | 'keys'>,
    valueOf: (name: string) => JsonValue | undefined,
  ) {
    this.#table = table;
    this.#valueOf = valueOf;
  }

  static of<Place>(table: LateTable<Place>, place: Place): LateValues {
    return new LateValues(table, (name) => table.get(name)?.(place));
  }

  has(name: string): boolean {
    return this.#table.has(name);
  }

  get(name: string): JsonValue | undefined {
    return this.#valueOf(name);
  }

  names(): string[] {
    return [...this.#table.keys()];
  }
}

export interface Layer {
  /** Name of the precedence level in messages, such as "role defaults". */
  name: string;
  values: Values | LateValues;
  /** Data from hosts and results, which is never rendered. */
  data?: boolean;
  /**
   * The scope for rendering the values: in `inputs: {port: "{{port}}"}`, the variable is that of
   * the caller.
   */
  outer?: () => Scope;
}

/**
 * The variables of one host in one task. Values are rendered once, on first use. References are
 * looked up in the whole scope, so a play variable can use a fact.
 */
export class Scope {
  readonly #layers: readonly Layer[];
  readonly #controller: Controller | undefined;
  readonly #rendered = new Map<string, unknown>();
  readonly #pending = new Set<string>();
  #variables: Record<string, unknown> | undefined;

  /**
   * @param layers highest precedence first
   * @param controller undefined if templates must not read the controller
   */
  constructor(layers: readonly Layer[], controller?: Controller) {
    this.#layers = layers;
    this.#controller = controller;
  }

  /** The variables as a plain object with lazy values, for templates and conditions. */
  get variables(): Record<string, unknown> {
    return (this.#variables ??= new Proxy<Record<string, unknown>>(
      {},
      {
        get: (_, name) => (typeof name === 'string' ? this.get(name) : undefined),
        has: (_, name) => typeof name === 'string' && this.has(name),
        ownKeys: () => this.names(),
        getOwnPropertyDescriptor: (_, name) =>
          typeof name === 'string' && this.has(name)
            ? { configurable: true, enumerable: true, writable: false, value: this.get(name) }
            : undefined,
      },
    ));
  }

  has(name: string): boolean {
    return (
      name === 'vars' ||
      name === 'omit' ||
      this.#layers.some(({ values }) => hasValue(values, name))
    );
  }

  names(): string[] {
    return [...new Set(this.#layers.flatMap(({ values }) => namesIn(values)))];
  }

  /** Returns undefined if no layer has the name. */
  get(name: string): unknown {
    if (name === 'vars') return this.variables;
    if (name === 'omit') return OMIT;
    if (this.#rendered.has(name)) return this.#rendered.get(name);
    const layer = this.#layers.find(({ values }) => hasValue(values, name));
    if (!layer) return undefined;
    const value = valueIn(layer.values, name);
    if (value === unknownValue) {
      throw new UnknownValueError(`"${name}" is known only in a real run.`);
    }
    if (this.#pending.has(name)) {
      throw new TemplateError(
        `Variable "${name}" refers to itself: ${[...this.#pending, name].join(' → ')}.`,
      );
    }
    this.#pending.add(name);
    try {
      const scope = layer.outer?.() ?? this;
      const rendered = layer.data ? value : scope.renderArgument(value ?? null);
      this.#rendered.set(name, rendered);
      return rendered;
    } finally {
      this.#pending.delete(name);
    }
  }

  /**
   * Renders every template in a value. A template that is a single expression returns the value of
   * the expression.
   * @throws TemplateError if the result is `omit` or a template fails
   */
  render(value: Source): JsonValue {
    const rendered = this.renderArgument(value);
    if (rendered === OMIT)
      throw new TemplateError('"omit" can only omit an argument, but a value is required here.');
    return rendered;
  }

  /** Like `render`, but allows `omit`. A condition becomes true if it holds, otherwise its text. */
  renderArgument(value: Source): JsonValue | typeof OMIT {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Template) return this.#renderTemplate(value) as JsonValue | typeof OMIT;
    if (value instanceof Condition) return holds(value, this) || value.text;
    if (Array.isArray(value)) return value.map((item) => this.renderArgument(item)) as JsonValue[];
    if (!isSourceObject(value)) return value;
    const rendered: SourceObject = {};
    for (const [key, item] of Object.entries(value))
      rendered[key] = this.renderArgument(item) as Source;
    return rendered as JsonValue;
  }

  #renderTemplate({ text }: Template): unknown {
    return parseTemplate(text).render(this.variables, this.#controller) ?? null;
  }

  /** Returns this scope with additional layers of higher precedence. */
  with(...layers: Layer[]): Scope {
    return new Scope([...layers, ...this.#layers], this.#controller);
  }
}

function hasValue(values: Layer['values'], name: string): boolean {
  return values instanceof LateValues ? values.has(name) : Object.hasOwn(values, name);
}

function valueIn(values: Layer['values'], name: string): Values[string] | undefined {
  return values instanceof LateValues ? values.get(name) : values[name];
}

function namesIn(values: Layer['values']): string[] {
  return values instanceof LateValues ? values.names() : Object.keys(values);
}
