import type { Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import type { MapReader } from '../yaml/map-reader.ts';

/**
 * Notes on ignored keys in the file of a tool. All keys that are only for the tool share one note.
 */
export class ToolNotes {
  readonly #notes: Problem[];
  readonly #tool: string;
  readonly #unused = new Map<string, SourceRef | undefined>();

  constructor(notes: Problem[], tool: string) {
    this.#notes = notes;
    this.#tool = tool;
  }

  add(message: string, at: SourceRef | undefined, hint?: string): void {
    this.#notes.push({ message, at, hint });
  }

  /** Records a key that only the tool uses. */
  unused(key: string, at: SourceRef | undefined): void {
    if (!this.#unused.has(key)) this.#unused.set(key, at);
  }

  /** Adds a note for each key of a map that was not read. */
  unknown(map: MapReader, what: string): void {
    for (const key of map.rest())
      this.add(`Unknown key "${key}" in ${what} is ignored.`, map.keyAt(key));
  }

  finish(): void {
    const [first] = this.#unused;
    if (!first) return;
    const keys = [...this.#unused.keys()].map((key) => `"${key}"`).join(', ');
    const verb = this.#unused.size === 1 ? 'is' : 'are';
    this.add(`${keys} ${verb} only for ${this.#tool} and ignored.`, first[1]);
  }
}
