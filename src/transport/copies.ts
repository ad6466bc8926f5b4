import type { HostPath } from '../core/host-path.ts';
import { copyName } from '../util/copy-name.ts';
import { quote } from '../util/shell.ts';

/** A path as a word of shell text. Only the shell knows where its user keeps records. */
export function pathWord(path: HostPath, run: string): string {
  if (typeof path === 'string') return quote(path);
  return `"$rn_dir"/runs/${quote(run)}/captures/${copyName(path)}`;
}
