import { TimeoutError } from '../core/errors.ts';
import { onAbort } from '../util/abort.ts';
import type { RemoteShell } from './shell.ts';

interface AcquireOptions {
  /** Ends the wait. */
  signal: AbortSignal | undefined;
  /** Can use one shell above the limit, and is served before others. */
  isUrgent: boolean;
}

/**
 * The shells of a session. The limit applies to tasks: urgent control requests do not wait for a task to end. A task waits
 * until another one ends or times out, or until the operator interrupts the run.
 */
export class ShellPool {
  readonly #open: () => Promise<RemoteShell>;
  readonly #host: string;
  readonly #limit: number;
  readonly #idle: RemoteShell[] = [];
  /** Urgent requests first. */
  readonly #waiting: { isUrgent: boolean; go: () => void }[] = [];
  /** Number of shells that are open or being opened. */
  #count = 0;

  constructor(open: () => Promise<RemoteShell>, { host, limit }: { host: string; limit: number }) {
    this.#open = open;
    this.#host = host;
    this.#limit = limit;
  }

  /** @throws TimeoutError if the signal is aborted before a shell is free; nothing has been sent then */
  async acquire({ signal, isUrgent }: AcquireOptions): Promise<RemoteShell> {
    for (;;) {
      if (signal?.aborted) throw this.#interrupted();
      const idle = this.#idle.pop();
      if (idle?.usable) return idle;
      if (idle) {
        // A shell whose output is shared with a background process stays open, unused, until the session ends.
        this.#count--;
        continue;
      }
      if (this.#count < this.#limit + (isUrgent ? 1 : 0)) break;
      await this.#turn(signal, isUrgent);
    }
    return this.#opened(signal);
  }

  release(shell: RemoteShell): void {
    if (this.#count > this.#limit && shell.usable) {
      // Only urgent requests use the additional shell.
      shell.destroy();
      this.#count--;
    } else {
      this.#idle.push(shell);
    }
    this.#wake();
  }

  async #opened(signal: AbortSignal | undefined): Promise<RemoteShell> {
    this.#count++;
    const opening = this.#open();
    let isAbandoned = false;
    // If the request was abandoned, the next one gets the shell.
    opening.then(
      (shell) => {
        if (isAbandoned) this.release(shell);
      },
      () => {
        this.#count--;
        this.#wake();
      },
    );
    return new Promise((resolve, reject) => {
      const forget = onAbort(signal, () => {
        isAbandoned = true;
        reject(this.#interrupted());
      });
      opening.then(resolve, reject).finally(forget);
    });
  }

  #wake(): void {
    this.#waiting.shift()?.go();
  }

  /** Resolves when it is worth checking for a free shell again. */
  #turn(signal: AbortSignal | undefined, isUrgent: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const own = {
        isUrgent,
        go: () => {
          forget();
          resolve();
        },
      };
      const forget = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1);
        reject(this.#interrupted());
      });
      const first = this.#waiting.findIndex((other) => !other.isUrgent);
      if (isUrgent && first >= 0) this.#waiting.splice(first, 0, own);
      else this.#waiting.push(own);
    });
  }

  /** Wakes the next waiting request: the interrupted one could have taken its turn. */
  #interrupted(): TimeoutError {
    if (this.#idle.length > 0) this.#wake();
    return new TimeoutError(`Interrupted; nothing was sent to "${this.#host}".`);
  }
}
