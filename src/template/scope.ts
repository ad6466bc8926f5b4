import type { JsonObject, JsonValue } from '../core/json.ts';
import { TemplateError, UnknownValueError } from '../core/errors.ts';
import type { Controller } from './controller-helpers.ts';
import { isTemplate, parseTemplate } from './templates.ts';

/** Stands for "{" where that begins what must not be read (`!raw`): characters of Unicode's private use area. */
const RAW = '\uE000';
const RAW_BRACES = `${RAW}\uE001`;

export function protectRaw(text: string): string {
  return text.replaceAll('{{', RAW_BRACES).replaceAll(/\{(?=[%#])/g, RAW);
}

/** Marks every string in a value as text that is not a template. */
export function protectValue<T extends JsonValue>(value: T): T {
  if (typeof value === 'string') return protectRaw(value) as T;
  if (Array.isArray(value)) return value.map(protectValue) as T;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, protectValue(item)]),
    ) as T;
  }
  return value;
}

function unprotectRaw(text: string): string {
  return text.includes(RAW) ? text.replaceAll(RAW_BRACES, '{{').replaceAll(RAW, '{') : text;
}

/** In check mode, a value that only a real run can give. */
export const unknownValue: unique symbol = Symbol('unknown');
export type ScopeValue = JsonValue | typeof unknownValue;

export interface Layer {
  /** Level as an operator calls it, such as "role defaults". */
  name: string;
  values: Readonly<Record<string, ScopeValue>>;
  /** Data from hosts and results: never rendered again. */
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
  /** The variables as a plain object with lazy values, as templates and conditions want them. */
  readonly variables: Record<string, unknown>;

  /**
   * @param layers strongest first
   * @param controller left out where templates may read nothing but variables
   */
  constructor(layers: readonly Layer[], controller?: Controller) {
    this.#layers = layers;
    this.#controller = controller;
    this.variables = new Proxy<Record<string, unknown>>(
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
    );
  }

  has(name: string): boolean {
    return name === 'vars' || this.#layers.some((layer) => Object.hasOwn(layer.values, name));
  }

  names(): string[] {
    return [...new Set(this.#layers.flatMap((layer) => Object.keys(layer.values)))];
  }

  /** Undefined when no layer has the name. */
  get(name: string): unknown {
    if (name === 'vars') return this.variables;
    if (this.#rendered.has(name)) return this.#rendered.get(name);
    const layer = this.#layers.find((one) => Object.hasOwn(one.values, name));
    if (!layer) return undefined;
    const value = layer.values[name];
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
      const rendered = layer.data ? value : scope.render(value ?? null);
      this.#rendered.set(name, rendered);
      return rendered;
    } finally {
      this.#pending.delete(name);
    }
  }

  /** Renders every string in the value. A string that is one expression becomes that expression's value. */
  render(value: JsonValue): JsonValue {
    if (typeof value === 'string') {
      if (!isTemplate(value)) return unprotectRaw(value);
      const result = parseTemplate(value).render(this.variables, this.#controller);
      return typeof result === 'string' ? unprotectRaw(result) : ((result ?? null) as JsonValue);
    }
    if (Array.isArray(value)) return value.map((item) => this.render(item));
    if (typeof value === 'object' && value !== null) {
      const rendered: JsonObject = {};
      for (const [key, item] of Object.entries(value)) rendered[key] = this.render(item);
      return rendered;
    }
    return value;
  }

  /** This scope with stronger layers on top. */
  with(...layers: Layer[]): Scope {
    return new Scope([...layers, ...this.#layers], this.#controller);
  }
}
