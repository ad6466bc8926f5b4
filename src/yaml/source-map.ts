import type { Source, SourceObject } from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import type { Vault } from '../util/vault.ts';

/** Position of a map or list, and of its contents. */
export interface Places {
  self: SourceRef;
  keys: Map<string, SourceRef>;
  values: Map<string, SourceRef>;
  /** Names of values that were encrypted; in an encrypted file, all of them. */
  encrypted?: Set<string> | 'all';
}

/**
 * Positions of the maps and lists of all files read, separate from the plain values, and the decryption of their encrypted values.
 */
export class SourceMap {
  readonly vault: Vault | undefined;
  readonly #places = new WeakMap<object, Places>();

  constructor(vault?: Vault) {
    this.vault = vault;
  }

  set(value: object, places: Places): void {
    this.#places.set(value, places);
  }

  /** Problems of a copy are reported at the position of the original. */
  copy(original: object, copy: object): void {
    const places = this.#places.get(original);
    if (places) this.#places.set(copy, places);
  }

  isEncrypted(value: object, key: string): boolean {
    const { encrypted } = this.#places.get(value) ?? {};
    return encrypted === 'all' || encrypted?.has(key) === true;
  }

  /** Merges maps. A later map takes precedence, also for positions. */
  together(...maps: readonly SourceObject[]): SourceObject {
    const merged: SourceObject = Object.assign({}, ...maps) as SourceObject;
    const keys = new Map<string, SourceRef>();
    const values = new Map<string, SourceRef>();
    let self: SourceRef | undefined;
    for (const one of maps) {
      const places = this.#places.get(one);
      if (!places) continue;
      self ??= places.self;
      for (const [key, at] of places.keys) keys.set(key, at);
      for (const [key, at] of places.values) values.set(key, at);
    }
    if (self) this.#places.set(merged, { self, keys, values });
    return merged;
  }

  /** Positions in a map that was merged from two: those of the upper map, otherwise of the lower one. */
  merge(below: SourceObject, above: SourceObject, merged: SourceObject): void {
    const [low, high] = [this.#places.get(below), this.#places.get(above)];
    if (!low || !high) return;
    const keys = new Map([...low.keys, ...high.keys]);
    this.#places.set(merged, { ...high, keys, values: new Map([...low.values, ...high.values]) });
  }

  of(value: SourceObject | Source[]): SourceRef | undefined {
    return this.#places.get(value)?.self;
  }

  key(value: SourceObject, key: string): SourceRef | undefined {
    const places = this.#places.get(value);
    return places?.keys.get(key) ?? places?.self;
  }

  value(value: SourceObject | Source[], key: string | number): SourceRef | undefined {
    const places = this.#places.get(value);
    return places?.values.get(String(key)) ?? places?.self;
  }
}
