import type { Node } from '../language/document.ts';
import { readYaml } from '../yaml/yaml.ts';
import type { Context, PlaybookReading } from './reading.ts';

/** Loads the steps of a task file. */
export function loadTaskFile(path: string, outer: Context, reading: PlaybookReading): Node[] {
  const context = { ...outer, chain: [...outer.chain, path] };
  reading.used.add(path);
  const value = readYaml(path, reading);
  if (value === null) return [];
  const at = { file: path, line: 1, column: 1 };
  if (Array.isArray(value)) return reading.readers.nodes(value, context, reading, at);
  reading.problems.push({ message: 'A task file must be a list of tasks.', at });
  return [];
}
