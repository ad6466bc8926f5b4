import type { Node } from '../language/document.ts';
import { readYaml } from '../yaml/yaml.ts';
import type { Around, LoadContext } from './context.ts';

/** The steps of a file that is a list of tasks. */
export function loadTaskFile(path: string, outer: Around, context: LoadContext): Node[] {
  const around = { ...outer, chain: [...outer.chain, path] };
  context.used.add(path);
  const value = readYaml(path, context);
  if (value === null) return [];
  const at = { file: path, line: 1, column: 1 };
  if (Array.isArray(value)) return context.readers.nodes(value, around, context, at);
  context.problems.push({ message: 'A task file must be a list of tasks.', at });
  return [];
}
