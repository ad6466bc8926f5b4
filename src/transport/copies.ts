import { createHash } from 'node:crypto';
import type { HostPath, PathCopy } from '../core/host-path.ts';
import { quote } from '../util/shell.ts';

/** Name of a copy in the directory of copies of its run. Derived from the path, which may have any length and character. */
export function copyName({ copyOf, unit }: PathCopy): string {
  const sum = createHash('sha256').update(copyOf).digest('hex');
  return `${String(unit)}.${sum.slice(0, 16)}`;
}

/** A path as a word of shell text. Only the shell knows where its user keeps records. */
export function pathWord(path: HostPath, run: string): string {
  if (typeof path === 'string') return quote(path);
  return `"$rn_dir"/runs/${quote(run)}/captures/${copyName(path)}`;
}
