import type { JsonValue } from '../core/json.ts';
import type { Random } from '../core/ports.ts';
import { Sealer } from './seal.ts';
import { secretForms, type SecretForm, type Secrets } from './secrets.ts';

const MASK = '***';
const fileEncodings = ['utf8', 'latin1', 'utf16le'] as const;
/** Shorter values occur in ordinary text; masking them would garble it and hide nothing. */
const MIN_LENGTH = 4;

/**
 * Knows every secret value of a run. Screens get a mask; the journal gets a reference, which a later rollback or
 * resume turns back into the value when it is supplied again.
 */
export class Redactor implements Secrets {
  readonly #secrets = new Map<string, string>();
  /** Names by value. */
  readonly #hidden = new Map<string, string>();
  /** Those that were not known when the run began. */
  readonly #late = new Set<string>();
  /** Those that the playbook does not require. */
  readonly #optional = new Set<string>();
  #forms: SecretForm[] = [];

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

  /**
   * Masks a value that is no part of the run, such as a login password: it is never stored.
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

  /** Made of optional secrets only where there are no others. Undefined while no secret is known. */
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

  /** Undefined when it is not known in this process. */
  secretOf(name: string): string | undefined {
    const secret = this.#secrets.get(name);
    return secret ?? [...this.#hidden].findLast(([, known]) => known === name)?.[0];
  }

  /** Characters that must follow before what was said is sure to hold no beginning of a secret. */
  get reach(): number {
    return Math.max(0, (this.#forms[0]?.form.length ?? 0) - 1);
  }

  /** Where a text that goes on can be cut, so that no secret is cut: its end may be the beginning of one. */
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

  /** Whether a file holds a secret, as UTF-8 or in another encoding that files of hosts have. */
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

  /** The value itself where no secret is known. */
  maskAll<T>(value: T): T {
    return this.#forms.length === 0 ? value : mapTexts(value, (text) => this.mask(text));
  }
}

/**
 * The value with another text in the place of each. Undefined values stay undefined, as JSON.stringify leaves them out.
 * @param change gets the field that the text stands in; empty outside of objects
 */
export function mapTexts<T>(value: T, change: (text: string, field: string) => string): T {
  const walk = (one: JsonValue | undefined, field: string): JsonValue | undefined => {
    if (typeof one === 'string') return change(one, field);
    if (Array.isArray(one)) return one.map((item) => walk(item, field) as JsonValue);
    if (typeof one !== 'object' || one === null) return one;
    const mapped = Object.entries(one).map(([key, item]) => [key, walk(item, key)] as const);
    return Object.fromEntries(mapped) as JsonValue;
  };
  return walk(value as JsonValue, '') as T;
}
