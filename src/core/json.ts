/** A value in a playbook, a result or the journal. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return isObject(value);
}

type Plain<T> = T extends JsonValue | undefined
  ? T
  : T extends (...words: never[]) => unknown
    ? never
    : { [K in keyof T]: Plain<T[K]> };

/**
 * A value whose parts are all JSON. An interface has no index signature, so the compiler cannot see that its values are `JsonObject`s:
 * this is the only cast for it.
 */
export function toJson<T extends object>(value: T & Plain<T>): JsonObject {
  return value as unknown as JsonObject;
}

/** The value if it is an object, otherwise an empty object. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The value if it is a list, otherwise an empty list. */
export function arrayOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** The fields of both maps; the second takes precedence. Lazy fields stay lazy. */
export function withFields<V>(
  first: Record<string, V>,
  second: Record<string, V>,
): Record<string, V> {
  const fields = Object.getOwnPropertyDescriptors(first);
  return Object.defineProperties({}, { ...fields, ...Object.getOwnPropertyDescriptors(second) });
}

/** Undefined when the text is not JSON. */
export function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
