import type { JsonValue } from '../core/json.ts';
import type { Random } from '../core/ports.ts';
import { Sealer } from './seal.ts';
import { secretForms, type SecretForm, type Secrets } from './secrets.ts';

const MASK = '***';
const fileEncodings = ['utf8', 'latin1', 'utf16le'] as const;
/** Shorter values occur in ordinary text: masking them would make it unreadable and hide nothing. */
const MIN_LENGTH = 4;

/**
 * The secret values of a run. Output shows a mask. The journal stores a reference; a later rollback or resume replaces it with the value when that is supplied again.
 */
export class Redactor implements Secrets {
  readonly #secrets = new Map<string, string>();
  /** Names by value. */
  readonly #hidden = new Map<string, string>();
  /** Secrets that became known after the start of the run. */
  readonly #late = new Set<string>();
  /** Secrets that the playbook does not require. */
  readonly #optional = new Set<string>();
  #forms: SecretForm[] = [];

  /**
   * @param late it became known during the run, so nothing was sealed with it
   * @param optional the run can be resumed without it
   */
  add(name: string, value: string, { late = false, optional = false } = {}): void {
    if (value.length < MIN_LENGTH || this.#secrets.get(name) === value) return;
    if (late) this.#late.add(name);
    if (optional) this.#optional.add(name);
    this.#secrets.set(name, value);
    this.#index();
  }

  /**
   * Masks a value that does not belong to the run, such as a login password. It is never stored.
   * @param name what supplies it, such as a flag
   */
  hide(name: string, value: string): void {
    if (value.length < MIN_LENGTH) return;
    this.#hidden.delete(value);
    this.#hidden.set(value, name);
    this.#index();
  }

  #index(): void {
    const hidden = [...this.#hidden].map(([value, name]) => [name, value] as const);
    this.#forms = secretForms([...hidden, ...this.#secrets]);
  }

  /** Derived from optional secrets only if there are no others. Undefined while no secret is known. */
  createSealer(salt: string, random: Random): Sealer | undefined {
    const early = [...this.#secrets].filter(([name]) => !this.#late.has(name));
    const required = early.filter(([name]) => !this.#optional.has(name));
    const known = required.length > 0 ? required : early;
    return known.length === 0
      ? undefined
      : new Sealer(
          known.map(([, value]) => value),
          salt,
          random,
        );
  }

  /** Longest first. */
  get forms(): readonly SecretForm[] {
    return this.#forms;
  }

  /** Undefined when this process does not have the value. */
  secretOf(name: string): string | undefined {
    const secret = this.#secrets.get(name);
    return secret ?? [...this.#hidden].findLast(([, known]) => known === name)?.[0];
  }

  /** Number of characters that must follow before a text cannot end within a secret. */
  get reach(): number {
    return Math.max(0, (this.#forms[0]?.form.length ?? 0) - 1);
  }

  /** Where an incomplete text can be cut without splitting a secret: its end can be the beginning of one. */
  sureLength(text: string): number {
    let sure = text.length;
    for (const { form } of this.#forms) {
      let start = Math.max(0, text.length - form.length + 1);
      while (start < sure && !form.startsWith(text.slice(start))) start++;
      sure = Math.min(sure, start);
    }
    const around = () =>
      this.#forms
        .map(({ form }) => text.indexOf(form, Math.max(0, sure - form.length + 1)))
        .filter((start) => start >= 0 && start < sure);
    for (let starts = around(); starts.length > 0; starts = around()) sure = Math.min(...starts);
    return sure;
  }

  /** Whether a file contains a secret, as UTF-8 or in another encoding that is common on hosts. */
  hasSecret(content: Buffer): boolean {
    return this.#forms.some(({ form }) =>
      fileEncodings.some((encoding) => content.includes(Buffer.from(form, encoding))),
    );
  }

  mask(text: string): string {
    let masked = text;
    for (const { form } of this.#forms) masked = masked.replaceAll(form, MASK);
    return masked;
  }

  /** Returns the value itself if no secret is known. */
  maskAll<T>(value: T): T {
    return this.#forms.length === 0 ? value : mapTexts(value, (text) => this.mask(text));
  }
}

/**
 * The value with all its texts replaced; the value itself if no text changes, as in most events. Undefined values stay
 * undefined, so that JSON.stringify omits them.
 * @param change receives the field of the text; empty outside of objects
 */
export function mapTexts<T>(value: T, change: (text: string, field: string) => string): T {
  type Item = JsonValue | undefined;
  const changes = (one: Item, field: string): boolean => {
    if (typeof one === 'string') return change(one, field) !== one;
    if (Array.isArray(one)) return one.some((item) => changes(item, field));
    if (typeof one !== 'object' || one === null) return false;
    for (const key of Object.keys(one)) if (changes(one[key], key)) return true;
    return false;
  };
  const changed = (one: Item, field: string): Item => {
    if (typeof one === 'string') return change(one, field);
    if (Array.isArray(one)) return one.map((item) => changed(item, field) as JsonValue);
    if (typeof one !== 'object' || one === null) return one;
    const mapped = Object.entries(one).map(([key, item]) => [key, changed(item, key)] as const);
    return Object.fromEntries(mapped) as JsonValue;
  };
  const whole = value as Item;
  return (changes(whole, '') ? changed(whole, '') : value) as T;
}
