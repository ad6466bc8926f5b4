import { isJsonObject, objectOf, type JsonObject, type JsonValue } from '../../core/json.ts';

/** Off, empty or zero. */
export function isOff(value: JsonValue): boolean {
  if (value === false || value === 0 || value === '' || value === null) return true;
  if (Array.isArray(value)) return value.every(isOff);
  return typeof value === 'object' && Object.values(value).every(isOff);
}

/** Whether the setting is a password or key, whose value is never shown. */
function isSecretKey(key: string): boolean {
  return /(password|passphrase|secret|token|(api|access|private|encryption)_?key)$/i.test(key);
}

/** The value of a setting with passwords masked, including those in URLs. */
export function withoutSecrets(key: string, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(key, one));
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, withoutSecrets(name, one)]),
    );
  if (typeof value !== 'string' || value === '') return value;
  return isSecretKey(key)
    ? '(secret)'
    : value.replaceAll(/(:\/\/[^/\s:@]*:)[^/\s@]+@/g, '$1(secret)@');
}

/** The value of a setting as one line, with secrets masked. */
export function shownValue(key: string, value: JsonValue): string {
  const shown = withoutSecrets(key, value);
  const text = typeof shown === 'string' ? shown : JSON.stringify(shown);
  return withoutCertificates(text)
    .trimEnd()
    .replaceAll(/\r?\n/g, String.raw`\n`);
}

/** Replaces PEM blocks, which are too long for a line, with their type. */
function withoutCertificates(text: string): string {
  return text.replaceAll(/-----BEGIN ([A-Z ]+)-----.*?-----END \1-----(\\n|\s)*/gs, '($1)');
}

/** Parses `a=b,c=d` as a map; undefined if a part has no separator. */
export function pairs(text: string, separator: '=' | '<'): Record<string, string> | undefined {
  const map: Record<string, string> = {};
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const at = part.indexOf(separator);
    if (at <= 0) return undefined;
    map[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return map;
}

/** A map with all its values as text. */
export function textMap(value: JsonValue | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).map(([key, one]) => [key, String(one)]),
  );
}

/** `1m` → `1m0s`, as Go prints durations. */
export function goDuration(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return /^\d+m$/.test(text) ? `${text}0s` : /^\d+h$/.test(text) ? `${text}0m0s` : text;
}

/** Sets `a.b.c` in nested maps and creates missing maps. */
export function setPath(target: JsonObject, path: string, value: JsonValue): void {
  const parts = path.split('.');
  const last = parts.pop() ?? path;
  let current = target;
  for (const part of parts) {
    const next = current[part];
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) current = next;
    else current = current[part] = {};
  }
  current[last] = value;
}
