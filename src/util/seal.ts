import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto';
import type { Random } from '../core/ports.ts';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts hidden results (`no_log`) for the journal with a key derived from the secrets of the run. A resumed run must be given these secrets again anyway.
 */
export class Sealer {
  readonly #random: Random;
  readonly #derive: () => Buffer;
  #derived: Buffer | undefined;

  constructor(secrets: readonly string[], salt: string, random: Random) {
    this.#random = random;
    this.#derive = () => scryptSync(JSON.stringify([...secrets].sort()), salt, 32);
  }

  /** Derived on first use, because that takes 50 ms and not every run hides a result. */
  get #key(): Buffer {
    return (this.#derived ??= this.#derive());
  }

  /** A keyed digest in hex: equal for equal texts of a run, and of no use for guessing without the secrets. */
  digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }

  seal(text: string): string {
    const iv = this.#random.bytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  /** Undefined when the secrets differ from those of the encryption. */
  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      const body = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
      return Buffer.concat([body, decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
