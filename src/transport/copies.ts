import type { HostPath } from '../core/host-path.ts';
import { copyName } from '../util/copy-name.ts';
import { quote } from '../util/shell.ts';

/** Quotes a path for a script. The state directory is known only to the shell, which depends on the user. */
export function pathWord(path: HostPath, run: string): string {
  if (typeof path === 'string') return quote(path);
  return `"$rn_dir"/runs/${quote(run)}/captures/${copyName(path)}`;
}
