import { readFileSync } from 'node:fs';
import type { RecordedRun } from '../journal/recorded-run.ts';

/** A process of this boot with that number: the run may still be going. */
export function isRunning(pid: number, bootId: string): boolean {
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

/** How a run ended, or whether it is still going; for lists. */
export function stateOf(run: RecordedRun): string {
  if (run.end) return run.end.outcome.replaceAll('_', ' ');
  return isRunning(run.header.pid, run.header.bootId) ? 'running' : 'cut off';
}
