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

/** In check mode, a value that only a real run can give. */
export const unknownValue: unique symbol = Symbol('unknown');
export type ScopeValue = JsonValue | typeof unknownValue;

type Values = Readonly<Record<string, Source | typeof unknownValue>>;

type LateTable<Place> = ReadonlyMap<string, (place: Place) => JsonValue>;

/** Values that are worked out when they are asked for. The table is made once for all scopes: most tasks need none of it. */
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
  /** Level as an operator calls it, such as "role defaults". */
  name: string;
  values: Values | LateValues;
  /** Data from hosts and results, without templates: it is not searched for any. */
  data?: boolean;
  /** Values are rendered in another scope: `inputs: {port: "{{port}}"}` means the port outside. */
  outer?: () => Scope;
}

/**
 * Variables as one host sees them in one task. Values are rendered when first asked for, and once; what a value
 * refers to is looked up in the whole scope, so a play variable may use a fact.
 */
export class Scope {
  readonly #layers: readonly Layer[];
  readonly #controller: Controller | undefined;
  readonly #rendered = new Map<string, unknown>();
  readonly #pending = new Set<string>();
  #variables: Record<string, unknown> | undefined;

  /**
   * @param layers strongest first
   * @param controller left out where templates may read nothing but variables
   */
  constructor(layers: readonly Layer[], controller?: Controller) {
    this.#layers = layers;
    this.#controller = controller;
  }

  /** The variables as a plain object with lazy values, as templates and conditions want them. */
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

  /** Undefined when no layer has the name. */
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
   * Renders every template in a value. A template that is one expression becomes that expression's value.
   * @throws TemplateError where that is `omit`, or a template fails
   */
  render(value: Source): JsonValue {
    const rendered = this.renderArgument(value);
    if (rendered === OMIT)
      throw new TemplateError('"omit" leaves out an argument. Here a value is needed.');
    return rendered;
  }

  /** The same for a value that may be `omit`, and may have that inside. A condition becomes true, or its text where it does not hold. */
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

  /** This scope with stronger layers on top. */
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
