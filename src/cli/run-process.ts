import { readFileSync } from 'node:fs';

/** A process of this boot with that number: the run may still be going. */
export function isRunning({ pid, bootId }: { pid: number; bootId: string }): boolean {
  if (bootId !== bootIdentity()) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function bootIdentity(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
