import type { PathCopy } from '../core/host-path.ts';
import { sha256 } from './digest.ts';

/** File name of a copy among those of its run. Derived from the path, which may have any length and character. */
export function copyName({ copyOf, unit }: PathCopy): string {
  return `${String(unit)}.${sha256(Buffer.from(copyOf)).slice(0, 16)}`;
}
