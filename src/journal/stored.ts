import { SecretError } from '../core/errors.ts';
import {
  conceal,
  describeStored,
  reveal as revealValue,
  revealFields,
  type Secrets,
} from '../util/secrets.ts';

declare const typeOf: unique symbol;

/** A value as the journal holds it, with references in the place of secrets. Only `reveal` gives the value. */
export interface Stored<T> {
  readonly [typeOf]: T;
}

export function store<T>(value: T, { forms }: Secrets): Stored<T> {
  return conceal(value, forms) as Stored<T>;
}

/** @throws SecretError naming the first secret that this process does not know */
export function reveal<T>(stored: Stored<T>, secrets: Secrets): T {
  return revealValue(stored, secrets) as T;
}

/** A map whose values are revealed when they are read: a secret that nobody needs may be missing. */
export function revealLater<T extends object>(stored: Stored<T>, secrets: Secrets): T {
  return revealFields(stored, secrets) as T;
}

/** A text for people: the names of its secrets, not their values. */
export function describe(stored: Stored<string>): string {
  return describeStored(stored);
}

/** Undefined where a secret in it is not known. */
export function revealKnown<T>(stored: Stored<T>, secrets: Secrets): T | undefined {
  try {
    return reveal(stored, secrets);
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}

/** Whether JSON is the one that was stored. False where a secret in it is not known. */
export function isSame<T>(stored: Stored<T>, value: T, secrets: Secrets): boolean {
  const known = revealKnown(stored, secrets);
  return known !== undefined && JSON.stringify(known) === JSON.stringify(value);
}
