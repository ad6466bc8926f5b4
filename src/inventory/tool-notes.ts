import type { Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import type { MapReader } from '../yaml/map-reader.ts';

/** What of a tool's file is not honoured: one line for all keys that have no counterpart. */
export class ToolNotes {
  readonly #notes: Problem[];
  readonly #tool: string;
  readonly #unused = new Map<string, SourceRef | undefined>();

  constructor(notes: Problem[], tool: string) {
    this.#notes = notes;
    this.#tool = tool;
  }

  say(message: string, at: SourceRef | undefined, hint?: string): void {
    this.#notes.push({ message, at, hint });
  }

  /** A key that says how the tool works. */
  unused(key: string, at: SourceRef | undefined): void {
    if (!this.#unused.has(key)) this.#unused.set(key, at);
  }

  /** Keys of a map that nobody asked for. */
  unknown(map: MapReader, what: string): void {
    for (const key of map.rest())
      this.say(`"${key}" in ${what} is not known, and not used.`, map.keyAt(key));
  }

  finish(): void {
    const [first] = this.#unused;
    if (!first) return;
    const keys = [...this.#unused.keys()].map((key) => `"${key}"`).join(', ');
    const verb = this.#unused.size === 1 ? 'is' : 'are';
    this.say(`${keys} ${verb} for ${this.#tool}, and not used here.`, first[1]);
  }
}
