import { setMaxListeners } from 'node:events';
import { TimeoutError } from '../core/errors.ts';
import type { SignalSource } from './world.ts';

/** How long running steps may go on after Ctrl-C. */
const GRACE_MS = 10 * 60_000;

/** Ctrl-C once: no new steps. Twice, or when the grace time is over: running commands are given up. */
export class StopSignals {
  #abort = newAbort();
  #count = 0;
  #grace: NodeJS.Timeout | undefined;
  readonly #listener = (): void => {
    this.request();
  };
  readonly #onFirst: () => void;
  readonly #source: SignalSource;

  constructor(source: SignalSource, onFirst: () => void) {
    this.#source = source;
    this.#onFirst = onFirst;
    source.on('SIGINT', this.#listener);
    source.on('SIGTERM', this.#listener);
    source.on('SIGHUP', ignoreHangup);
  }

  /** What a signal does, asked for by other means. */
  request(): void {
    this.#count++;
    if (this.#count > 1) {
      this.#giveUp();
      return;
    }
    this.#grace = setTimeout(() => {
      this.#giveUp();
    }, GRACE_MS).unref();
    this.#onFirst();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#count > 0;
  }

  /** Makes the next signal count as the first again. */
  rearm(): void {
    this.#count = 0;
    clearTimeout(this.#grace);
    if (this.#abort.signal.aborted) this.#abort = newAbort();
  }

  #giveUp(): void {
    // Whoever waits ends with it: it is an outcome of a run, not a fault of the program.
    this.#abort.abort(new TimeoutError('Interrupted.'));
  }

  dispose(): void {
    clearTimeout(this.#grace);
    this.#source.off('SIGINT', this.#listener);
    this.#source.off('SIGTERM', this.#listener);
  }
}

/** The run goes on without its terminal. The handler stays: the exit code counts until the process has ended. */
function ignoreHangup(): void {
  // Without a handler, the signal would end the process.
}

function newAbort(): AbortController {
  const abort = new AbortController();
  // Every running command listens.
  setMaxListeners(0, abort.signal);
  return abort;
}
