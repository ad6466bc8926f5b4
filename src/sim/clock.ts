import type { Chance } from './chance.ts';

interface PendingEvent {
  at: number;
  happen: () => void;
  /** The event repeats, so that waiting for it is not progress. */
  daemon: boolean;
}

/** Thrown when a simulation has no pending event, or exceeds a limit. */
export class HangError extends Error {}

/**
 * Virtual time. Everything that takes time in a simulation is an event; the seed orders events that
 * are scheduled for the same time.
 */
export class EventQueue {
  readonly #chance: Chance;
  readonly #pending: PendingEvent[] = [];
  #now: number;
  /** Number of events so far. */
  happened = 0;

  constructor(chance: Chance, now: number) {
    this.#chance = chance;
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Calls the function after virtual milliseconds. Returns a function that cancels it. */
  after(ms: number, happen: () => void, { daemon = false } = {}): () => void {
    const event = { at: this.#now + ms, happen, daemon };
    this.#pending.push(event);
    return () => {
      const index = this.#pending.indexOf(event);
      if (index !== -1) this.#pending.splice(index, 1);
    };
  }

  /**
   * Processes events until the condition is true.
   * @throws HangError when no event is left, or a limit is exceeded
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
      if (!event) throw new HangError('The run waits although no event is pending.');
      if (this.happened >= lastEvent) throw new HangError('The run exceeded the limit of events.');
      if (event.at > lastMs) throw new HangError('The run exceeded the limit of virtual time.');
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

/** Resolves when all code that the last event triggered has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
