import type { Clock, JournalFile } from '../core/ports.ts';
import type { Chance } from './chance.ts';
import type { EventQueue } from './clock.ts';

/**
 * A process of the controller. All its calls to the outside go through this class, and each of them
 * can kill the process: then its promises are never settled, and it has no further effects.
 */
export class ControllerProcess {
  readonly #events: EventQueue;
  readonly #killAt: number;
  #calls = 0;
  #isAlive = true;
  readonly #onKill: (() => void)[] = [];

  /** @param killAt number of the call that kills the process; 0 for never */
  constructor(events: EventQueue, killAt: number) {
    this.#events = events;
    this.#killAt = killAt;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Number of calls so far. */
  get calls(): number {
    return this.#calls;
  }

  onKill(work: () => void): void {
    this.#onKill.push(work);
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const work of this.#onKill) work();
  }

  /** Starts a call; false if the process is dead, or is killed by this call. */
  begins(): boolean {
    if (!this.#isAlive) return false;
    this.#calls++;
    if (this.#calls === this.#killAt) this.kill();
    return this.#isAlive;
  }

  /** A call that takes the given time. The process can be killed before or after its effect. */
  call<T>(ms: number, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.begins()) return;
      this.#events.after(ms, () => {
        if (!this.#isAlive) return;
        let result: T;
        try {
          result = effect();
        } catch (error) {
          if (this.begins()) reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        if (this.begins()) resolve(result);
      });
    });
  }

  clock(): Clock {
    const events = this.#events;
    return {
      now: () => events.now(),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const giveUp = () => {
            cancel();
            reject(reasonOf(signal));
          };
          if (signal?.aborted === true) {
            reject(reasonOf(signal));
            return;
          }
          const cancel = events.after(ms, () => {
            signal?.removeEventListener('abort', giveUp);
            if (this.begins()) resolve();
          });
          signal?.addEventListener('abort', giveUp, { once: true });
        }),
      every: (ms, work) => {
        let cancel: () => void = () => undefined;
        const again = () => {
          cancel = events.after(
            ms,
            () => {
              if (!this.begins()) return;
              work();
              again();
            },
            { daemon: true },
          );
        };
        again();
        return () => {
          cancel();
        };
      },
    };
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  return signal?.reason instanceof Error ? signal.reason : new Error('Interrupted.');
}

/**
 * The disk of the controller with the journal of one run. It survives the processes that write to
 * it.
 */
export class JournalDisk {
  /** Grows in large steps, since a journal has thousands of records. */
  #room: Buffer = Buffer.alloc(1 << 16);
  #size = 0;
  /** Number of bytes that survive a crash of the machine. */
  #synced = 0;

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  set bytes(bytes: Buffer) {
    this.#size = 0;
    this.#append(bytes);
  }

  /** Number of bytes in the file, and of those that survive a crash of the machine. */
  get sizes(): { all: number; synced: number } {
    return { all: this.#size, synced: this.#synced };
  }

  /** Loads what a crash of the machine at that moment leaves of a journal. */
  load(journal: Buffer, { all, synced }: JournalDisk['sizes'], chance: Chance): void {
    this.bytes = journal.subarray(0, synced + chance.below(all - synced + 1));
    this.#synced = this.#size;
  }

  #append(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#room.length) {
      const more = Buffer.alloc(2 * size);
      this.#room.copy(more, 0, 0, this.#size);
      this.#room = more;
    }
    bytes.copy(this.#room, this.#size);
    this.#size = size;
  }

  /**
   * Opens the file in a new process. If the process is killed during a write, a part of the data is
   * written.
   */
  open(process: ControllerProcess, chance: Chance): JournalFile {
    let writing: Buffer = Buffer.alloc(0);
    process.onKill(() => {
      this.#append(writing);
      this.#size = this.#synced + chance.below(this.#size - this.#synced + 1);
      this.#synced = this.#size;
    });
    return {
      path: 'journal',
      size: this.#size,
      read: (offset, length) => Buffer.from(this.bytes.subarray(offset, offset + length)),
      gather: () => process.call(0, () => undefined),
      append: (bytes) => {
        writing = bytes;
        return process.call(0.05, () => {
          writing = Buffer.alloc(0);
          this.#append(bytes);
        });
      },
      sync: () =>
        process.call(1, () => {
          this.#synced = this.#size;
        }),
      cut: (size) => {
        this.#size = size;
        this.#synced = Math.min(this.#synced, size);
      },
      reserve: () => undefined,
      releaseReserve: () => undefined,
      close: () => undefined,
    };
  }
}
