import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { systemRandom } from '../util/random.ts';

/** Space for records that do not depend on the number of units, mainly fingerprints. */
const BASE_BYTES = 256 * 1024;
/** Space for the records of one undo, rounded up. */
const UNIT_BYTES = 1024;

/**
 * Disk space that is reserved during the run and freed for the records of a rollback, so that a
 * full disk does not prevent the rollback.
 */
export class Reserve {
  readonly #path: string;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reserves space for the rollback of the given number of units.
   * @throws Error of the file system if the disk is full
   */
  ensure(units: number): void {
    const wanted = BASE_BYTES + units * UNIT_BYTES;
    if (wanted <= this.#size) return;
    const size = Math.max(wanted, this.#size * 2);
    const file = openSync(this.#path, 'a', 0o600);
    try {
      if (this.#size === 0) ftruncateSync(file, 0);
      // On a compressing file system, zeros would not use disk space.
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
