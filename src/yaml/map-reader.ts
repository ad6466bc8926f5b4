import {
  Condition,
  isSourceObject,
  isText,
  Template,
  type Source,
  type SourceObject,
  type Text,
} from '../core/value.ts';
import { TemplateError, type Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import { inCel, parseCondition } from '../template/conditions.ts';
import { didYouMean } from '../util/text.ts';
import { reportSecrets } from './plain-secrets.ts';
import type { SourceMap } from './source-map.ts';

/**
 * Reads one map of a playbook key by key. Keys that are never read are unknown, so no second list of keys is needed. All problems are collected.
 */
export class MapReader {
  readonly source: SourceObject;
  readonly map: SourceMap;
  readonly problems: Problem[];
  readonly #asked = new Set<string>();

  constructor(source: SourceObject, map: SourceMap, problems: Problem[]) {
    this.source = source;
    this.map = map;
    this.problems = problems;
  }

  at(key?: string): SourceRef {
    const place = key === undefined ? this.map.of(this.source) : this.map.value(this.source, key);
    return place ?? { file: '', line: 1, column: 1 };
  }

  keyAt(key: string): SourceRef {
    return this.map.key(this.source, key) ?? this.at();
  }

  problem(
    key: string,
    message: string,
    hint?: string,
    more: Pick<Problem, 'rule' | 'fix'> = {},
  ): void {
    this.problems.push({ message, at: this.at(key), hint, ...more });
  }

  has(key: string): boolean {
    this.#asked.add(key);
    return Object.hasOwn(this.source, key);
  }

  value(key: string): Source | undefined {
    return this.has(key) ? this.source[key] : undefined;
  }

  /** Text that is not rendered: a template is returned as its source. */
  string(key: string): string | undefined {
    return this.text(key)?.toString();
  }

  /** Text or a template. */
  text(key: string): Text | undefined {
    const value = this.value(key);
    if (value === undefined || isText(value)) return value;
    if (typeof value === 'number') return String(value);
    this.#wrong(key, 'text');
    return undefined;
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'boolean') return value;
    if (typeof value === 'string' && /^(yes|no|on|off)$/i.test(value)) {
      const meant = /^(yes|on)$/i.test(value) ? 'true' : 'false';
      this.problem(
        key,
        `"${key}" must be true or false.`,
        `In YAML 1.2 "${value}" is text. Write ${meant}.`,
        { rule: 'yaml-1.1-boolean', fix: { from: value, to: meant } },
      );
      return undefined;
    }
    this.#wrong(key, 'true or false');
    return undefined;
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'number') return value;
    this.#wrong(key, 'a number');
    return undefined;
  }

  /** A number of at least 0, or a template. */
  limit(key: string): number | Template | undefined {
    const value = this.value(key);
    if (value === undefined || (typeof value === 'number' && value >= 0)) return value;
    if (value instanceof Template) return value;
    this.#wrong(key, 'a number of at least 0');
    return undefined;
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const choice = choices.find((one) => one === value);
    if (choice === undefined) {
      this.problem(
        key,
        `"${key}" must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}.`,
        typeof value === 'string' ? didYouMean(value, choices) : undefined,
        { rule: 'wrong-type' },
      );
    }
    return choice;
  }

  object(key: string): SourceObject | undefined {
    const value = this.value(key);
    if (value === undefined || value === null) return undefined;
    if (isSourceObject(value)) return value;
    this.#wrong(key, 'a map');
    return undefined;
  }

  /** A map of variables. Reports secrets in plain text. */
  variables(key: string): SourceObject | undefined {
    const value = this.object(key);
    if (value) reportSecrets(value, this.problems, this.map);
    return value;
  }

  reader(key: string): MapReader | undefined {
    const value = this.object(key);
    return value && new MapReader(value, this.map, this.problems);
  }

  list(key: string): Source[] | undefined {
    const value = this.value(key);
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value)) return value;
    this.#wrong(key, 'a list');
    return undefined;
  }

  /** A list of text, or one text for a list of one. */
  strings(key: string): string[] {
    const value = this.value(key);
    if (value === undefined || value === null) return [];
    const items = Array.isArray(value) ? value : [value];
    if (items.every(isText)) return items.map(String);
    this.#wrong(key, 'text or a list of text');
    return [];
  }

  /** Conditions, all of which must hold. */
  conditions(key: string): Condition[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.source[key];
    const items = Array.isArray(value) ? value : [value];
    const conditions: Condition[] = [];
    for (const [index, item] of items.entries()) {
      if (!isText(item) && typeof item !== 'boolean') {
        this.#wrong(key, 'a condition');
        continue;
      }
      const source = String(item);
      const place = this.#placeOf(key, index);
      try {
        const condition = new Condition(source, place);
        parseCondition(condition);
        conditions.push(condition);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        const better = inCel(source);
        this.problems.push({
          rule: 'broken-condition',
          message: error.message,
          hint: error.hint,
          at: place,
          fix: better === undefined ? undefined : { from: source, to: better },
        });
      }
    }
    return conditions;
  }

  /** Position of a value, or of an item of its list. */
  #placeOf(key: string, index: number): SourceRef {
    const list = this.source[key];
    return (Array.isArray(list) ? this.map.value(list, index) : undefined) ?? this.at(key);
  }

  /** Keys that were not read. */
  rest(): string[] {
    return Object.keys(this.source).filter((key) => !this.#asked.has(key));
  }

  /** Reports keys that were not read as unknown. */
  close(what: string, instead: (key: string) => string | undefined = () => undefined): void {
    for (const key of this.rest()) {
      this.problems.push({
        rule: 'unknown-key',
        message: `Unknown key "${key}" in ${what}.`,
        at: this.keyAt(key),
        hint: instead(key) ?? (didYouMean(key, [...this.#asked]) || undefined),
      });
    }
  }

  known(): string[] {
    return [...this.#asked];
  }

  #wrong(key: string, wanted: string, hint?: string): void {
    this.problem(key, `"${key}" must be ${wanted}.`, hint, { rule: 'wrong-type' });
  }
}
