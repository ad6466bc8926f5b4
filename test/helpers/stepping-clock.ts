import type { Clock } from '../../src/core/ports.ts';

/** A clock that stands still but for those who sleep: each sleep is over at once, and moves it on. */
export class SteppingClock implements Clock {
  /** In milliseconds, in the order in which they began. */
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

  /** Lets everything happen once that is repeated, and what follows from it. */
  async turn(): Promise<void> {
    for (const work of this.#repeated) work();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
