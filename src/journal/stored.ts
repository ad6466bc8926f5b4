import { SecretError } from '../core/errors.ts';
import {
  conceal,
  describeStored,
  reveal as revealValue,
  revealFields,
  type Secrets,
} from '../util/secrets.ts';

declare const typeOf: unique symbol;

/**
 * A value in the journal, with references instead of secrets. Only `reveal` returns the plain
 * value.
 */
export interface Stored<T> {
  readonly [typeOf]: T;
}

export function store<T>(value: T, { forms }: Secrets): Stored<T> {
  return conceal(value, forms) as Stored<T>;
}

/** @throws SecretError with the name of the first unknown secret */
export function reveal<T>(stored: Stored<T>, secrets: Secrets): T {
  return revealValue(stored, secrets) as T;
}

/**
 * A map that reveals each value when it is read, so that unknown secrets in unused values do not
 * matter.
 */
export function revealLater<T extends object>(stored: Stored<T>, secrets: Secrets): T {
  return revealFields(stored, secrets) as T;
}

/** Text for people, with the names of its secrets instead of their values. */
export function describe(stored: Stored<string>): string {
  return describeStored(stored);
}

/** Undefined if the value contains an unknown secret. */
export function revealKnown<T>(stored: Stored<T>, secrets: Secrets): T | undefined {
  try {
    return reveal(stored, secrets);
  } catch (error) {
    if (error instanceof SecretError) return undefined;
    throw error;
  }
}

/** Whether a value equals the stored one. False if that contains an unknown secret. */
export function isSame<T>(stored: Stored<T>, value: T, secrets: Secrets): boolean {
  const known = revealKnown(stored, secrets);
  return known !== undefined && JSON.stringify(known) === JSON.stringify(value);
}
