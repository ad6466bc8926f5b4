import { dirname, isAbsolute, resolve } from 'node:path';
import { expandHome } from './paths.ts';

/** A relative path is relative to the file that contains it. */
export function keyFile(path: string | undefined, file: string): string | undefined {
  if (path === undefined) return undefined;
  const expanded = expandHome(path);
  return isAbsolute(expanded) ? expanded : resolve(dirname(file), expanded);
}
