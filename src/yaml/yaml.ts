import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  type Document,
  type Node,
  type ScalarTag,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { RunnerError, systemReason, type Problem } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { asWritten, isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import { readText } from '../template/read-text.ts';
import type { Files } from '../core/ports.ts';
import type { SourceRef } from '../core/source.ts';
import { isVault } from '../util/vault.ts';
import { isOlder, type OlderValue } from './older.ts';
import { SourceMap, type Places } from './source-map.ts';

/** The source of files, and the information that is kept about their values. */
export interface YamlReading {
  files: Files;
  problems: Problem[];
  map: SourceMap;
  /** Collects values that YAML 1.1 reads differently. */
  older?: OlderValue[] | undefined;
}

/** `!raw` marks text that is not a template, such as Go templates of docker and kubectl. */
const raw: ScalarTag = {
  tag: '!raw',
  resolve: (text: string) => text,
};

/** Text of ansible-vault; it is decrypted when its position is known. */
const encrypted: ScalarTag = { tag: '!vault', resolve: (text: string) => text };

/** Reads YAML 1.2. Problems of the file are added to `problems`; the value is then null. */
export function readYaml(file: string, reading: YamlReading): Source {
  const text = textOfFile(file, reading);
  if (text === undefined) return null;
  return isVault(text) ? readEncrypted(text, file, reading) : parseYaml(text, file, reading);
}

/** One document of a file with one or more documents. */
export interface YamlDocument {
  value: Source;
  at: SourceRef;
}

/** Reads each document of a file, except empty ones. Problems of the file are added to `problems`. */
export function readYamlDocuments(file: string, reading: YamlReading): YamlDocument[] {
  const text = textOfFile(file, reading);
  if (text === undefined) return [];
  if (isVault(text)) {
    const value = readEncrypted(text, file, reading);
    return value === null ? [] : [{ value, at: { file, line: 1, column: 1 } }];
  }
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...parserOptions, lineCounter: lines });
  const documents = 'empty' in parsed ? [] : parsed;
  return documents.flatMap((document) => {
    const place = placesBy(lines, file);
    const value = valueOf(document, place, reading);
    return value === null ? [] : [{ value, at: place(document.contents?.range[0]) }];
  });
}

/** Undefined if the file cannot be read, which is added to `problems`. */
export function textOfFile(
  file: string,
  { files, problems }: Pick<YamlReading, 'files' | 'problems'>,
): string | undefined {
  try {
    return files.text(file);
  } catch (error) {
    problems.push({
      rule: 'missing-file',
      message: `Cannot read "${file}": ${systemReason(error)}.`,
    });
    return undefined;
  }
}

function readEncrypted(text: string, file: string, { problems, map, older }: YamlReading): Source {
  const opened = attempt(problems, { file, line: 1, column: 1 }, () => map.vault?.file(text, file));
  if (opened === undefined) return null;
  const value = parseYaml(opened, file, { problems, map, older, isEncrypted: true });
  map.vault?.remember(text, file, asWritten(value));
  return value;
}

/** Returns undefined for an error that is meant for the operator, which becomes a problem of the file. */
function attempt<T>(problems: Problem[], at: SourceRef, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    problems.push({ rule: 'encrypted', message: error.message, hint: error.hint, at });
    return undefined;
  }
}

/** The value of a text that was read before, without templates. Its problems are already reported. */
export function parsePlain(text: string): JsonValue {
  return asWritten(parseYaml(text, '', { problems: [], map: new SourceMap() }));
}

interface Text {
  problems: Problem[];
  map: SourceMap;
  older?: OlderValue[] | undefined;
  /** The whole file was encrypted. */
  isEncrypted?: boolean;
}

const parserOptions = { customTags: [raw, encrypted], prettyErrors: false };

interface Parsed {
  document: Document.Parsed;
  lines: LineCounter;
}

/**
 * The last parsed texts, oldest first. A role is read for each of its uses, and a dynamic include
 * for each path that its template can have. Documents are not changed after parsing.
 */
const parsedTexts = new Map<string, Parsed>();
/** Limits in characters, of one text and of all texts that are kept. */
const KEPT = { one: 1 << 16, all: 1 << 18 };
let keptCharacters = 0;

function parsedText(text: string): Parsed {
  const known = parsedTexts.get(text);
  if (known) return known;
  const lines = new LineCounter();
  const parsed = { document: parseDocument(text, { ...parserOptions, lineCounter: lines }), lines };
  if (text.length > KEPT.one) return parsed;
  parsedTexts.set(text, parsed);
  keptCharacters += text.length;
  for (const oldest of parsedTexts.keys()) {
    if (keptCharacters <= KEPT.all) break;
    parsedTexts.delete(oldest);
    keptCharacters -= oldest.length;
  }
  return parsed;
}

export function parseYaml(text: string, file: string, parts: Text): Source {
  const { document, lines } = parsedText(text);
  return valueOf(document, placesBy(lines, file), parts);
}

type PlaceOf = (offset?: number) => SourceRef;

function placesBy(lines: LineCounter, file: string): PlaceOf {
  return (offset = 0) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
}

function valueOf(
  document: Document.Parsed,
  place: PlaceOf,
  { problems, map, ...more }: Text,
): Source {
  // Later errors are often only consequences of the first one.
  for (const { message, pos } of [...document.errors.slice(0, 1), ...document.warnings]) {
    problems.push({
      rule: 'yaml-syntax',
      message: message.split('\n')[0] ?? message,
      at: place(pos[0]),
      hint:
        message.includes('Nested mappings') || message.includes('{{')
          ? 'A value that begins with "{{" must be quoted.'
          : undefined,
    });
  }
  if (document.errors.length > 0) return null;
  try {
    const converter = new Converter(document, place, { problems, map, ...more });
    return converter.convert(document.contents);
  } catch (error) {
    problems.push({
      message: error instanceof Error ? error.message : String(error),
      at: place(),
    });
    return null;
  }
}

function scalarValue(value: unknown, isRaw: boolean): Source {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' && !isRaw ? readText(value) : (value as Source);
}

/** Converts a parsed text to plain values, and records their positions. */
class Converter {
  readonly #document: Document.Parsed;
  readonly #place: (offset?: number) => SourceRef;
  readonly #text: Text;

  constructor(document: Document.Parsed, place: (offset?: number) => SourceRef, text: Text) {
    this.#document = document;
    this.#place = place;
    this.#text = text;
  }

  convert(node: Node | null): Source {
    if (node === null) return null;
    if (isAlias(node)) return this.convert(node.resolve(this.#document) ?? null);
    if (isScalar(node) && node.tag === '!vault') {
      const { map, problems } = this.#text;
      const at = this.#placeOf(node);
      const open = () => map.vault?.value(String(node.value), at) ?? '(encrypted)';
      // A secret is data, so a template in it is not rendered.
      return attempt(problems, at, open) ?? '';
    }
    if (isScalar(node)) return scalarValue(node.value, node.tag === '!raw');
    if (isSeq(node)) return this.#list(node);
    return isMap(node) ? this.#map(node) : null;
  }

  #list(node: YAMLSeq): Source[] {
    const places = this.#placesOf(node);
    const list = node.items.map((item, index) => {
      places.values.set(String(index), this.#placeOf(item as Node | null));
      return this.convert(item as Node | null);
    });
    this.#text.map.set(list, places);
    return list;
  }

  #map(node: YAMLMap): SourceObject {
    const places = this.#placesOf(node);
    const object: SourceObject = {};
    let secrets: Set<string> | undefined;
    for (const { key, value } of node.items as { key: Node; value: Node | null }[]) {
      const name = String(isScalar(key) ? key.value : key);
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') {
        for (const secret of this.#merge(value, { object, places }))
          (secrets ??= new Set()).add(secret);
        continue;
      }
      places.keys.set(name, this.#placeOf(key));
      places.values.set(name, this.#placeOf(value?.range ? value : key));
      if (isScalar(value) && value.tag === '!vault') (secrets ??= new Set()).add(name);
      object[name] = this.convert(value);
      if (isScalar(value) && value.type === 'PLAIN' && isOlder(value.source ?? ''))
        this.#text.older?.push({
          ...{ name, at: this.#placeOf(value) },
          text: this.#text.isEncrypted ? '(encrypted)' : (value.source ?? ''),
        });
    }
    const hidden = this.#text.isEncrypted ? 'all' : secrets;
    this.#text.map.set(object, { ...places, ...(hidden ? { encrypted: hidden } : {}) });
    return object;
  }

  /** A merge key, `<<: *map` or a list of these. The map's own keys take precedence, then earlier maps of a list. Returns the secrets. */
  #merge(
    node: Node | null,
    { object, places }: { object: SourceObject; places: Places },
  ): string[] {
    const merged = this.convert(node);
    const secrets: string[] = [];
    for (const one of Array.isArray(merged) ? merged : [merged]) {
      if (!isSourceObject(one)) {
        const message = '"<<" requires a map or a list of maps.';
        this.#text.problems.push({ message, at: this.#placeOf(node) });
        continue;
      }
      for (const [name, value] of Object.entries(one)) {
        if (name in object) continue;
        object[name] = value;
        const key = this.#text.map.key(one, name);
        const at = this.#text.map.value(one, name);
        if (key) places.keys.set(name, key);
        if (at) places.values.set(name, at);
        if (this.#text.map.isEncrypted(one, name)) secrets.push(name);
      }
    }
    return secrets;
  }

  #placesOf(node: Node): Places {
    return { self: this.#placeOf(node), keys: new Map(), values: new Map() };
  }

  #placeOf(node: Node | null): SourceRef {
    return this.#place(node?.range?.[0]);
  }
}
