import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where runs are kept: XDG base directory specification, state directory. */
export function stateDir(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'runner');
}

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
