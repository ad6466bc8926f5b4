import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';

/**
 * Writes and syncs a file with mode 0600. It survives a power cut once its directory is synced,
 * too.
 */
export function writeDurably(path: string, bytes: Buffer): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Syncs a directory, so that new files in it survive a power cut. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } catch (error) {
    // Some network file systems do not support this, and do not need it.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(directory);
  }
}
