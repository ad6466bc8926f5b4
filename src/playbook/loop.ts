import type { JsonValue } from '../core/json.ts';
import type { MapReader } from '../yaml/map-reader.ts';

/** Keywords that make a loop. */
export const loopKeywords = ['loop', 'with_items', 'with_dict'] as const;

/** The keyword of these that a map has. */
export function loopKeyword(source: object): string | undefined {
  return loopKeywords.find((key) => key in source);
}

/** What a task, block or include is done for, as `loopItems` takes it. */
export function readLoop(reader: MapReader): JsonValue | undefined {
  const loop = reader.value('loop');
  const items = reader.value('with_items');
  const map = reader.value('with_dict');
  const [first, second] = loopKeywords.filter((key) => key in reader.source);
  if (first !== undefined && second !== undefined)
    reader.problem(second, `"${first}" and "${second}" stand in each other's place.`);
  if (items !== undefined) return { with_items: items };
  return map === undefined ? loop : { with_dict: map };
}
