import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where runs are kept: XDG base directory specification, state directory. */
export function stateDir(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'runner');
}

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Where a file of a role or playbook may be: in a folder's own place for its kind, or in the folder; nearest first. */
export function placesOf(
  name: string,
  folders: readonly string[],
  kind: 'files' | 'templates',
): string[] {
  if (isAbsolute(name)) return [name];
  return folders.flatMap((folder) => [join(folder, kind, name), join(folder, name)]);
}
