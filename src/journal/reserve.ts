import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { systemRandom } from '../util/random.ts';

/** What a rollback writes however few units there are: fingerprints above all. */
const BASE_BYTES = 256 * 1024;
/** What the undo of one unit writes, with room to spare. */
const UNIT_BYTES = 1024;

/**
 * Room on the journal's disk, taken while there is some, and given up when a rollback has to write its records: a full
 * disk must not keep hosts from being taken back.
 */
export class Reserve {
  readonly #path: string;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes sure there is room for the rollback of that many units.
   * @throws Error of the file system when there is not
   */
  ensure(units: number): void {
    const wanted = BASE_BYTES + units * UNIT_BYTES;
    if (wanted <= this.#size) return;
    const size = Math.max(wanted, this.#size * 2);
    const file = openSync(this.#path, 'a', 0o600);
    try {
      if (this.#size === 0) ftruncateSync(file, 0);
      // Zeros would take no room on a file system that compresses.
      writeFileSync(file, systemRandom.bytes(size - this.#size));
      this.#size = size;
    } finally {
      closeSync(file);
    }
  }

  release(): void {
    this.#size = 0;
    rmSync(this.#path, { force: true });
  }
}
