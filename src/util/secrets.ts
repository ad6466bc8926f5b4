import { JournalError, SecretError } from '../core/errors.ts';
import { isObject, type JsonValue } from '../core/json.ts';
import { Condition, OMIT, Template } from '../core/value.ts';

/*
 * Secrets, templates and conditions in stored values. They are stored as structures, not as marked text, because data of users and hosts can contain any characters. An object with one key that begins with "$" is such a structure; data of that shape is wrapped in `$data`.
 */

/** The encodings of a secret inside a text. */
const encodings = {
  plain: (secret: string) => secret,
  json: (secret: string) => JSON.stringify(secret).slice(1, -1),
  shell: (secret: string) => secret.replaceAll("'", String.raw`'\''`),
  uri: (secret: string) => encodeURIComponent(secret),
  base64: (secret: string) => Buffer.from(secret).toString('base64').replace(/=+$/, ''),
} as const;
type Encoding = keyof typeof encodings;

/** A text that contains a secret. */
export interface SecretForm {
  form: string;
  name: string;
  as: Encoding;
}

/** The secrets of a process. */
export interface Secrets {
  /** Longest first. */
  readonly forms: readonly SecretForm[];
  secretOf(name: string): string | undefined;
}

/** A piece of a text: plain, or the name of a secret. */
type Part = string | { secret: string; as?: Encoding };

/** All encodings of secrets, given as names and values. For equal encodings, the last name is used. */
export function secretForms(
  secrets: Iterable<readonly [name: string, value: string]>,
): SecretForm[] {
  const forms = new Map<string, SecretForm>();
  for (const [name, value] of secrets) {
    const own = new Map<string, SecretForm>();
    for (const as of Object.keys(encodings) as Encoding[]) {
      const form = encodings[as](value);
      if (!own.has(form)) own.set(form, { form, name, as });
    }
    for (const one of own.values()) forms.set(one.form, one);
  }
  return [...forms.values()].sort((a, b) => b.form.length - a.form.length);
}

/** The text with each secret replaced by a word, for display. This cannot be reversed. */
export function nameSecrets(text: string, forms: readonly SecretForm[]): string {
  const parts = partsOf(text, forms);
  return typeof parts === 'string' ? parts : wordsOf(parts);
}

function wordsOf(parts: readonly Part[]): string {
  return parts
    .map((part) => (typeof part === 'string' ? part : `[secret ${part.secret}]`))
    .join('');
}

/** The value with secrets replaced by references. Undefined fields are omitted, as in JSON. */
export function conceal(value: unknown, forms: readonly SecretForm[]): unknown {
  const walk = (one: unknown): JsonValue => {
    if (typeof one === 'string') {
      const parts = partsOf(one, forms);
      return typeof parts === 'string' ? parts : { $text: parts as JsonValue };
    }
    if (Array.isArray(one)) return one.map((item) => (item === undefined ? null : walk(item)));
    if (typeof one !== 'symbol' && (typeof one !== 'object' || one === null))
      return one as JsonValue;
    if (one === OMIT) return { $omit: '' };
    if (one instanceof Template) return { $template: partsOf(one.text, forms) as JsonValue };
    if (one instanceof Condition) return { $condition: partsOf(one.text, forms) as JsonValue };
    const entries = Object.entries(one).filter(([, item]) => item !== undefined);
    const walked = entries.map(([key, item]) => [key, walk(item)] as const);
    if (entries.some(([key]) => typeof partsOf(key, forms) !== 'string'))
      return { $entries: walked.map(([key, item]) => [walk(key), item]) };
    const object = Object.fromEntries(walked);
    return isTagged(object) ? { $data: object } : object;
  };
  return walk(value);
}

/** The original value. @throws SecretError naming the first secret that this process does not have */
export function reveal(stored: unknown, secrets: Secrets): unknown {
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk);
    if (!isObject(one)) return one;
    return isTagged(one) ? structure(one) : fields(one);
  };
  const fields = (one: object) =>
    Object.fromEntries(Object.entries(one).map(([key, item]) => [key, walk(item)]));
  const structure = (one: object): unknown => {
    const [[tag, content] = ['', undefined]] = Object.entries(one) as [string, unknown][];
    if (tag === '$data') return fields(content as object);
    if (tag === '$entries')
      return Object.fromEntries(
        (content as [unknown, unknown][]).map(([key, item]) => [walk(key) as string, walk(item)]),
      );
    const text = textOf(content as string | Part[], secrets);
    if (tag === '$text') return text;
    if (tag === '$template') return new Template(text);
    if (tag === '$condition') return new Condition(text);
    if (tag === '$omit') return OMIT;
    throw new JournalError(`The journal has a value of the unknown kind "${tag}".`);
  };
  return walk(stored);
}

/** A concealed map whose values are revealed when they are read. */
export function revealFields(stored: unknown, secrets: Secrets): Record<string, unknown> {
  const map = stored as Record<string, unknown>;
  if ('$entries' in map) return reveal(map, secrets) as Record<string, unknown>;
  const fields = isTagged(map) ? (map['$data'] as Record<string, unknown>) : map;
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(fields)) {
    let known: { value: unknown } | undefined;
    const get = () => (known ??= { value: reveal(one, secrets) }).value;
    Object.defineProperty(values, name, { enumerable: true, configurable: true, get });
  }
  return values;
}

/** A stored text for display, with the names of its secrets instead of their values. */
export function describeStored(stored: unknown): string {
  if (typeof stored === 'string') return stored;
  if (isObject(stored) && Array.isArray(stored['$text'])) return wordsOf(stored['$text'] as Part[]);
  return JSON.stringify(stored);
}

function isTagged(object: object): boolean {
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]?.startsWith('$') === true;
}

/** The text itself if it contains no secret. */
function partsOf(text: string, forms: readonly SecretForm[]): string | Part[] {
  if (!forms.some(({ form }) => text.includes(form))) return text;
  let parts: Part[] = [text];
  for (const { form, name, as } of forms) {
    if (!text.includes(form)) continue;
    const reference: Part = as === 'plain' ? { secret: name } : { secret: name, as };
    parts = parts.flatMap((part) =>
      typeof part === 'string'
        ? part
            .split(form)
            .flatMap((piece, index) => (index === 0 ? [piece] : [reference, piece]))
            .filter((piece) => piece !== '')
        : [part],
    );
  }
  return parts;
}

function textOf(parts: string | Part[], secrets: Secrets): string {
  if (typeof parts === 'string') return parts;
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = secrets.secretOf(part.secret);
      if (value === undefined) throw missingSecret(part.secret);
      return encodings[part.as ?? 'plain'](value);
    })
    .join('');
}

export function missingSecret(name: string): SecretError {
  const hint = name.startsWith('vault:')
    ? 'Give the password of the vault, for example with --vault-password-file.'
    : name.startsWith('--')
      ? 'Give it as in the first run: with that flag, or from its file.'
      : 'Give it as in the first run: in its environment variable, its file or at the prompt.';
  return new SecretError(`The secret "${name}" is needed and was not supplied.`, { hint });
}
