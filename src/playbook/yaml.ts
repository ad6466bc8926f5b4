import { readFileSync } from 'node:fs';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type ScalarTag,
} from 'yaml';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { RunnerError, type Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import { protectRaw } from '../template/scope.ts';
import { isVault, type Vault } from '../util/vault.ts';

interface Places {
  self: SourceRef;
  keys: Map<string, SourceRef>;
  values: Map<string, SourceRef>;
  /** Names of values that were encrypted; all of them in a file that is. */
  encrypted?: Set<string> | 'all';
}

/**
 * Where each map and list of the files read stands, kept beside the plain values; and what opens the values in them that
 * are encrypted.
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

  /** Problems of a copy are shown where the original stands. */
  copy(original: object, copy: object): void {
    const places = this.#places.get(original);
    if (places) this.#places.set(copy, places);
  }

  isEncrypted(value: object, key: string): boolean {
    const { encrypted } = this.#places.get(value) ?? {};
    return encrypted === 'all' || encrypted?.has(key) === true;
  }

  /** Several maps as one; a later one goes over an earlier one, and each name is where its last one stands. */
  together(...maps: readonly JsonObject[]): JsonObject {
    const merged: JsonObject = Object.assign({}, ...maps) as JsonObject;
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

  /** Of a map made of two: each key is where the upper one has it, or else the lower one. */
  merge(below: JsonObject, above: JsonObject, merged: JsonObject): void {
    const [low, high] = [this.#places.get(below), this.#places.get(above)];
    if (!low || !high) return;
    const keys = new Map([...low.keys, ...high.keys]);
    this.#places.set(merged, { ...high, keys, values: new Map([...low.values, ...high.values]) });
  }

  of(value: JsonObject | JsonValue[]): SourceRef | undefined {
    return this.#places.get(value)?.self;
  }

  key(value: JsonObject, key: string): SourceRef | undefined {
    const places = this.#places.get(value);
    return places?.keys.get(key) ?? places?.self;
  }

  value(value: JsonObject | JsonValue[], key: string | number): SourceRef | undefined {
    const places = this.#places.get(value);
    return places?.values.get(String(key)) ?? places?.self;
  }
}

export interface YamlFile {
  file: string;
  value: JsonValue;
  map: SourceMap;
}

/** `!raw` marks text that is not a template, such as Go templates of docker and kubectl. */
const raw: ScalarTag = {
  tag: '!raw',
  resolve: (text: string) => protectRaw(text),
};

/** Text of ansible-vault; it is opened where its place is known. */
const encrypted: ScalarTag = { tag: '!vault', resolve: (text: string) => text };

/** Reads YAML 1.2. Problems of the file are added to `problems`; the value is then null. */
export function readYaml(file: string, problems: Problem[], map = new SourceMap()): YamlFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    problems.push({
      rule: 'missing-file',
      message: `Cannot read "${file}": ${(error as NodeJS.ErrnoException).code ?? 'error'}.`,
    });
    return { file, value: null, map };
  }
  if (!isVault(text)) return parseYaml(text, file, problems, map);
  return readEncrypted(text, file, problems, map);
}

function readEncrypted(text: string, file: string, problems: Problem[], map: SourceMap): YamlFile {
  const nothing = { file, value: null, map };
  const opened = attempt(problems, { file, line: 1, column: 1 }, () => map.vault?.file(text, file));
  if (opened === undefined) return nothing;
  const read = parseYaml(opened, file, problems, map, true);
  map.vault?.remember(text, file, read.value);
  return read;
}

/** Undefined when it fails with an error that is meant for the operator, which is then a problem of the file. */
function attempt<T>(problems: Problem[], at: SourceRef, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    problems.push({ rule: 'encrypted', message: error.message, hint: error.hint, at });
    return undefined;
  }
}

/** The value of a text that was read before. Problems were told then. */
export function parsePlain(text: string): JsonValue {
  return parseYaml(text, '', []).value;
}

export function parseYaml(
  text: string,
  file: string,
  problems: Problem[],
  map = new SourceMap(),
  wholeFile = false,
): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    customTags: [raw, encrypted],
    prettyErrors: false,
  });
  const place = (offset: number): SourceRef => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  // What follows the first error is often only its consequence.
  for (const error of [...document.errors.slice(0, 1), ...document.warnings]) {
    const hint =
      error.message.includes('Nested mappings') || error.message.includes('{{')
        ? 'A value that begins with "{{" must be quoted.'
        : undefined;
    problems.push({
      rule: 'yaml-syntax',
      message: error.message.split('\n')[0] ?? error.message,
      at: place(error.pos[0]),
      hint,
    });
  }
  if (document.errors.length > 0) return { file, value: null, map };

  const convert = (node: Node | null): JsonValue => {
    if (node === null) return null;
    if (isAlias(node)) return convert(node.resolve(document) ?? null);
    if (isScalar(node) && node.tag === '!vault') {
      const at = place(node.range?.[0] ?? 0);
      const open = () => map.vault?.value(String(node.value), at) ?? '(encrypted)';
      // A secret is data: what looks like a template in it is part of it.
      return protectRaw(attempt(problems, at, open) ?? '');
    }
    if (isScalar(node))
      return typeof node.value === 'bigint' ? Number(node.value) : (node.value as JsonValue);
    const self = place(node.range?.[0] ?? 0);
    const places: Places = { self, keys: new Map(), values: new Map() };
    if (isSeq(node)) {
      const list = node.items.map((item, index) => {
        places.values.set(String(index), place((item as Node).range?.[0] ?? 0));
        return convert(item as Node);
      });
      map.set(list, places);
      return list;
    }
    if (!isMap(node)) return null;
    const object: JsonObject = {};
    let secrets: Set<string> | undefined;
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      places.keys.set(name, place((key as Node).range?.[0] ?? 0));
      places.values.set(
        name,
        place((value as Node | null)?.range?.[0] ?? (key as Node).range?.[0] ?? 0),
      );
      if (isScalar(value) && value.tag === '!vault') (secrets ??= new Set()).add(name);
      object[name] = convert(value as Node | null);
    }
    map.set(object, {
      ...places,
      ...(wholeFile ? { encrypted: 'all' } : secrets ? { encrypted: secrets } : {}),
    });
    return object;
  };
  try {
    return { file, value: convert(document.contents), map };
  } catch (error) {
    problems.push({
      message: error instanceof Error ? error.message : String(error),
      at: place(0),
    });
    return { file, value: null, map };
  }
}
