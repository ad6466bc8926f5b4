import type { Chance } from './chance.ts';

interface PendingEvent {
  at: number;
  happen: () => void;
  /** The event comes again and again, so that waiting for it is no progress. */
  daemon: boolean;
}

/** Ends a simulation in which nothing can happen any more, or too much happens. */
export class HangError extends Error {}

/** Virtual time. Whatever takes time in a simulation is an event here; of several that are due at once the seed chooses. */
export class EventQueue {
  readonly #chance: Chance;
  readonly #pending: PendingEvent[] = [];
  #now: number;
  /** Events that have happened. */
  happened = 0;

  constructor(chance: Chance, now: number) {
    this.#chance = chance;
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Calls the function in virtual milliseconds. Returns what prevents it. */
  after(ms: number, happen: () => void, { daemon = false } = {}): () => void {
    const event = { at: this.#now + ms, happen, daemon };
    this.#pending.push(event);
    return () => {
      const index = this.#pending.indexOf(event);
      if (index !== -1) this.#pending.splice(index, 1);
    };
  }

  /**
   * Lets events happen until there is an end.
   * @throws HangError when none is left, or the limits are reached first
   */
  async runUntil(
    isOver: () => boolean,
    limits: { events: number; virtualMs: number },
  ): Promise<void> {
    const [lastEvent, lastMs] = [this.happened + limits.events, this.#now + limits.virtualMs];
    for (;;) {
      await settled();
      if (isOver()) return;
      const event = this.#take();
      if (!event) throw new HangError('The run waits for nothing that could happen.');
      if (this.happened >= lastEvent) throw new HangError('The run does not come to an end.');
      if (event.at > lastMs) throw new HangError('The run waits for too long.');
      this.#now = event.at;
      this.happened++;
      event.happen();
    }
  }

  #take(): PendingEvent | undefined {
    if (this.#pending.every(({ daemon }) => daemon)) return undefined;
    let first = Infinity;
    for (const { at } of this.#pending) first = Math.min(first, at);
    const due = this.#pending.filter(({ at }) => at === first);
    const event = due.length === 1 ? due[0] : this.#chance.of(due);
    if (event) this.#pending.splice(this.#pending.indexOf(event), 1);
    return event;
  }
}

/** Resolves when everything that follows from the last event has been done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
