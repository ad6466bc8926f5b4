import { TimeoutError } from '../core/errors.ts';
import type { RemoteShell } from './shell.ts';

interface Wish {
  /** Ends the wait. */
  signal: AbortSignal | undefined;
  /** Has one shell more than others, and goes before them. */
  isUrgent: boolean;
}

/**
 * The shells of a session. The limit is for tasks: what the run itself asks for does not wait until one of them ends. A
 * task waits as long as others take, whose own time limits end them, or until the operator ends the run.
 */
export class ShellPool {
  readonly #open: () => Promise<RemoteShell>;
  readonly #host: string;
  readonly #limit: number;
  readonly #idle: RemoteShell[] = [];
  /** Urgent ones first. */
  readonly #waiting: { isUrgent: boolean; go: () => void }[] = [];
  /** Shells that are open or being opened. */
  #count = 0;

  constructor(open: () => Promise<RemoteShell>, { host, limit }: { host: string; limit: number }) {
    this.#open = open;
    this.#host = host;
    this.#limit = limit;
  }

  /** @throws TimeoutError when the signal ends the wait, or has been given before: nothing was sent then */
  async acquire({ signal, isUrgent }: Wish): Promise<RemoteShell> {
    for (;;) {
      if (signal?.aborted) throw this.#interrupted();
      const idle = this.#idle.pop();
      if (idle?.usable) return idle;
      if (idle) {
        // One that shares its output with a process left behind stays open until the end, unused.
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
      // The one shell more is for what is urgent only.
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
    let isGivenUp = false;
    // Whoever gave it up has gone: the next one gets the shell.
    opening.then(
      (shell) => {
        if (isGivenUp) this.release(shell);
      },
      () => {
        this.#count--;
        this.#wake();
      },
    );
    return new Promise((resolve, reject) => {
      const stop = () => {
        isGivenUp = true;
        reject(this.#interrupted());
      };
      signal?.addEventListener('abort', stop, { once: true });
      opening.then(resolve, reject).finally(() => {
        signal?.removeEventListener('abort', stop);
      });
    });
  }

  #wake(): void {
    this.#waiting.shift()?.go();
  }

  /** Resolves when a shell may be free. */
  #turn(signal: AbortSignal | undefined, isUrgent: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const own = {
        isUrgent,
        go: () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      const stop = () => {
        this.#waiting.splice(this.#waiting.indexOf(own), 1);
        reject(this.#interrupted());
      };
      const first = this.#waiting.findIndex((other) => !other.isUrgent);
      if (isUrgent && first >= 0) this.#waiting.splice(first, 0, own);
      else this.#waiting.push(own);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Another one that waits may have been passed over for the one that goes. */
  #interrupted(): TimeoutError {
    if (this.#idle.length > 0) this.#wake();
    return new TimeoutError(`Interrupted; nothing was sent to "${this.#host}".`);
  }
}
