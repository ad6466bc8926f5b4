import type { Node } from '../language/document.ts';
import { readYaml } from '../yaml/yaml.ts';
import type { Around, PlaybookReading } from './reading.ts';

/** Loads the steps of a task file. */
export function loadTaskFile(path: string, outer: Around, reading: PlaybookReading): Node[] {
  const around = { ...outer, chain: [...outer.chain, path] };
  reading.used.add(path);
  const value = readYaml(path, reading);
  if (value === null) return [];
  const at = { file: path, line: 1, column: 1 };
  if (Array.isArray(value)) return reading.readers.nodes(value, around, reading, at);
  reading.problems.push({ message: 'A task file must be a list of tasks.', at });
  return [];
}
