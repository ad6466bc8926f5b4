import type { PathCopy } from '../core/host-path.ts';
import { sha256 } from './digest.ts';

/** File name of a backup copy, unique in its run. It is a digest, because a path can have any length and characters. */
export function copyName({ copyOf, unit }: PathCopy): string {
  return `${String(unit)}.${sha256(Buffer.from(copyOf)).slice(0, 16)}`;
}
