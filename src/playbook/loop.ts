import type { JsonValue } from '../core/json.ts';
import type { MapReader } from './reader.ts';

/** Keywords that make a loop. */
export const loopKeywords = ['loop', 'with_items', 'with_dict'] as const;

/** The keyword of these that a map has. */
export function loopKeyword(source: object): string | undefined {
  return loopKeywords.find((key) => key in source);
}

/** What a task, block or include is done for, as `loopItems` takes it. */
export function readLoop(reader: MapReader): JsonValue | undefined {
  const [first, second] = loopKeywords.filter((key) => reader.has(key));
  if (first !== undefined && second !== undefined)
    reader.problem(second, `"${first}" and "${second}" stand in each other's place.`);
  if (first === undefined) return undefined;
  const value = reader.value(first) ?? null;
  return first === 'loop' ? value : { [first]: value };
}
