import { execFile } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A directory without a lock can belong to a lab that is being created, so it is kept for this time. */
const MAKING_MS = 24 * 3600_000;

/** Command prefix of a lab. It holds a lock as long as a process of the lab lives. */
export function holdLock(dir: string): string[] {
  return ['flock', '--nonblock', '--no-fork', lockOf(dir)];
}

/**
 * Removes the directories and control groups of labs whose processes were killed before they could clean up. Running labs are
 * kept.
 *
 * @param cache directory of all labs
 * @returns the removed directories
 */
export async function removeAbandoned(cache: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of readdirSync(cache).filter((entry) => /^lab-\w{6}$/.test(entry))) {
    const dir = join(cache, name);
    if (await isUsed(dir)) continue;
    removeGroups((group) => group.startsWith('runner-lab-') && group.endsWith(name.slice(3)));
    rmSync(dir, { recursive: true, force: true });
    removed.push(dir);
  }
  return removed;
}

async function isUsed(dir: string): Promise<boolean> {
  const lock = lockOf(dir);
  if (!existsSync(lock)) return Date.now() - statSync(dir).mtimeMs < MAKING_MS;
  return run('flock', ['--nonblock', lock, 'true']).then(
    () => false,
    () => true,
  );
}

function lockOf(dir: string): string {
  return join(dir, 'lock');
}

/** Removes control groups at the root of each hierarchy. Groups with processes that are still ending are kept. */
export function removeGroups(isWanted: (name: string) => boolean): void {
  const root = '/sys/fs/cgroup';
  const remove = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) remove(join(directory, entry.name));
    try {
      rmdirSync(directory);
    } catch {
      // Not empty yet.
    }
  };
  const hierarchies = readdirSync(root, { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  for (const parent of [root, ...hierarchies.map(({ name }) => join(root, name))])
    for (const entry of existsSync(parent) ? readdirSync(parent, { withFileTypes: true }) : [])
      if (entry.isDirectory() && isWanted(entry.name)) remove(join(parent, entry.name));
}
