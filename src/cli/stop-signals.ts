import { setMaxListeners } from 'node:events';
import { TimeoutError } from '../core/errors.ts';
import type { SignalSource } from './world.ts';

/** Time limit of running tasks after Ctrl-C. */
const GRACE_MS = 10 * 60_000;

/**
 * The first Ctrl-C starts no new steps. The second one, or the time limit, aborts running tasks.
 */
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

  /** Does the same as a signal. */
  request(): void {
    this.#count++;
    if (this.#count > 1) {
      this.#abortTasks();
      return;
    }
    this.#grace = setTimeout(() => {
      this.#abortTasks();
    }, GRACE_MS).unref();
    this.#onFirst();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopping(): boolean {
    return this.#count > 0;
  }

  /** The next signal counts as the first one again. */
  rearm(): void {
    this.#count = 0;
    clearTimeout(this.#grace);
    if (this.#abort.signal.aborted) this.#abort = newAbort();
  }

  #abortTasks(): void {
    // With a RunnerError, an aborted task counts as an outcome of the run, not as an internal
    // error.
    this.#abort.abort(new TimeoutError('Interrupted.'));
  }

  dispose(): void {
    clearTimeout(this.#grace);
    this.#source.off('SIGINT', this.#listener);
    this.#source.off('SIGTERM', this.#listener);
  }
}

/**
 * The run continues without its terminal. The handler remains until the process ends, to keep the
 * exit code.
 */
function ignoreHangup(): void {
  // Without a handler, the signal would end the process.
}

function newAbort(): AbortController {
  const abort = new AbortController();
  // Every running task adds a listener.
  setMaxListeners(0, abort.signal);
  return abort;
}
