import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The directory of runs: the state directory of the XDG Base Directory Specification. */
export function stateDir(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'runner');
}

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Possible paths of a file of a role or playbook: in the subdirectory for its kind, or in the directory itself; nearest first. */
export function placesOf(
  name: string,
  directories: readonly string[],
  kind: 'files' | 'templates',
): string[] {
  if (isAbsolute(name)) return [name];
  return directories.flatMap((directory) => [join(directory, kind, name), join(directory, name)]);
}
