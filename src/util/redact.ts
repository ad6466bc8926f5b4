import { SecretError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { Sealer } from './seal.ts';

const MASK = '***';
/** Shorter values occur in ordinary text; masking them would garble it and hide nothing. */
const MIN_LENGTH = 4;
const REFERENCE = /⟦secret:([^⟧]+)⟧/g;

/**
 * Knows every secret value of a run. Screens get a mask; the journal gets a reference, which a later rollback or
 * resume turns back into the value when it is supplied again.
 */
export class Redactor {
  readonly #secrets = new Map<string, string>();
  readonly #hidden = new Set<string>();
  /** Those that were not known when the run began. */
  readonly #late = new Set<string>();
  /** Those that the playbook does not require. */
  readonly #optional = new Set<string>();
  #forms: { form: string; name: string }[] = [];

  /**
   * @param late it came up in the course of the run, so nothing was sealed with it
   * @param optional the run can be resumed without it
   */
  add(name: string, value: string, { late = false, optional = false } = {}): void {
    if (value.length < MIN_LENGTH || this.#secrets.get(name) === value) return;
    if (late) this.#late.add(name);
    if (optional) this.#optional.add(name);
    this.#secrets.set(name, value);
    this.#index();
  }

  /** Masks a value that is no part of the run, such as a login password: it is never stored, not even by name. */
  hide(value: string): void {
    if (value.length < MIN_LENGTH) return;
    this.#hidden.add(value);
    this.#index();
  }

  #index(): void {
    const forms = new Map<string, string>();
    for (const secret of this.#hidden) {
      for (const form of encodedForms(secret)) forms.set(form, '');
    }
    for (const [known, secret] of this.#secrets) {
      for (const form of encodedForms(secret)) forms.set(form, known);
    }
    this.#forms = [...forms]
      .map(([form, known]) => ({ form, name: known }))
      .sort((a, b) => b.form.length - a.form.length);
  }

  /** Made of optional secrets only where there are no others. Undefined while no secret is known. */
  createSealer(salt: string): Sealer | undefined {
    const early = [...this.#secrets].filter(([name]) => !this.#late.has(name));
    const required = early.filter(([name]) => !this.#optional.has(name));
    const known = required.length > 0 ? required : early;
    return known.length === 0
      ? undefined
      : new Sealer(
          known.map(([, value]) => value),
          salt,
        );
  }

  /** Characters that must follow before what was said is sure to hold no beginning of a secret. */
  get reach(): number {
    return Math.max(0, (this.#forms[0]?.form.length ?? 0) - 1);
  }

  mask(text: string): string {
    let masked = text;
    for (const { form } of this.#forms) masked = masked.replaceAll(form, MASK);
    return masked;
  }

  /** For the journal: plain occurrences become references, encoded ones are masked. */
  reference(text: string): string {
    let stored = text;
    for (const { form, name } of this.#forms) {
      const replacement = form === this.#secrets.get(name) ? `⟦secret:${name}⟧` : MASK;
      stored = stored.replaceAll(form, replacement);
    }
    return stored;
  }

  referenceAll<T extends JsonValue | undefined>(value: T): T {
    return mapStrings(value, (text) => this.reference(text)) as T;
  }

  maskAll<T>(value: T): T {
    return mapStrings(value as JsonValue, (text) => this.mask(text)) as T;
  }

  /** @throws SecretError naming the first secret that is not known in this process. */
  resolveAll<T extends JsonValue | undefined>(value: T): T {
    return mapStrings(value, (text) =>
      text.replaceAll(REFERENCE, (_, name: string) => {
        const secret = this.#secrets.get(name);
        if (secret !== undefined) return secret;
        throw missingSecret(name);
      }),
    ) as T;
  }
}

/** Name of the first secret that a text refers to, as the journal writes it; undefined without one. */
export function referenceIn(text: string): string | undefined {
  return new RegExp(REFERENCE.source).exec(text)?.[1];
}

export function missingSecret(name: string): SecretError {
  return new SecretError(`The secret "${name}" is needed and was not supplied.`, {
    hint: name.startsWith('vault:')
      ? 'Give the password of the vault, for example with --vault-password-file.'
      : 'Give it as in the first run: in its environment variable, its file or at the prompt.',
  });
}

function encodedForms(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const shell = secret.replaceAll("'", String.raw`'\''`);
  return [
    secret,
    json,
    shell,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ];
}

/** Undefined values stay undefined, as JSON.stringify leaves them out. */
function mapStrings(
  value: JsonValue | undefined,
  change: (text: string) => string,
): JsonValue | undefined {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change) as JsonValue);
  if (typeof value === 'object' && value !== null) {
    const mapped = Object.entries(value).map(
      ([key, item]) => [key, mapStrings(item, change)] as const,
    );
    return Object.fromEntries(mapped) as JsonValue;
  }
  return value;
}
