import type { Log } from '../journal/log.ts';
import type { Pins } from './services.ts';

/** Stores copies of playbook files that are first read during the run. */
export function pinNew(
  { log, pinFile }: Pins & { log: Pick<Log, 'state' | 'write'> },
  read: readonly string[],
  files: readonly string[],
): void {
  const known = new Set([...read, ...log.state.files.map(({ path }) => path)]);
  for (const file of new Set(files)) {
    const pinned = known.has(file) ? undefined : pinFile?.(file);
    if (pinned) log.write({ t: 'file', ...pinned });
  }
}
