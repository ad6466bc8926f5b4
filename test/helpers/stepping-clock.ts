import type { Clock } from '../../src/core/ports.ts';

/**
 * A clock that only moves during sleeps: each sleep ends at once, and moves the clock by its
 * duration.
 */
export class SteppingClock implements Clock {
  /** Durations of the sleeps in milliseconds, in order of their start. */
  readonly sleeps: number[] = [];
  readonly #repeated = new Set<() => void>();
  #now = 0;

  now = (): number => this.#now;

  sleep = (ms: number): Promise<void> => {
    this.sleeps.push(ms);
    this.#now += ms;
    return Promise.resolve();
  };

  every = (_ms: number, work: () => void): (() => void) => {
    this.#repeated.add(work);
    return () => {
      this.#repeated.delete(work);
    };
  };

  /** Runs all repeated work once, and waits for it. */
  async turn(): Promise<void> {
    for (const work of this.#repeated) work();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
