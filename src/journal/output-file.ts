import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { KeptOutput } from '../core/host.ts';
import type { Redactor } from '../util/redact.ts';

/**
 * Stores the complete output of a command in a file with mode 0600. Secrets are masked, also if one
 * is split between two chunks. A full disk truncates the file, but does not fail the run.
 */
export class OutputFile implements KeptOutput {
  readonly path: string;
  readonly #redactor: Redactor;
  readonly #decoder = new StringDecoder('utf8');
  readonly #file: number | undefined;
  #held = '';
  #failed = false;

  constructor(path: string, redactor: Redactor) {
    this.path = path;
    this.#redactor = redactor;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#file = openSync(path, 'w', 0o600);
    } catch {
      this.#failed = true;
    }
  }

  get failed(): boolean {
    return this.#failed;
  }

  write(bytes: Buffer): void {
    const text = this.#redactor.mask(this.#held + this.#decoder.write(bytes));
    const sure = Math.max(0, text.length - this.#redactor.reach);
    this.#held = text.slice(sure);
    this.#put(text.slice(0, sure));
  }

  end(): void {
    this.#put(this.#redactor.mask(this.#held + this.#decoder.end()));
    if (this.#file === undefined) return;
    try {
      closeSync(this.#file);
    } catch {
      this.#failed = true;
    }
  }

  #put(text: string): void {
    if (this.#failed || this.#file === undefined || text === '') return;
    try {
      writeSync(this.#file, text);
    } catch {
      this.#failed = true;
    }
  }
}
