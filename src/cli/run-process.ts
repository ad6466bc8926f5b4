import { readFileSync } from 'node:fs';
import { lockRun } from '../journal/run-lock.ts';
import { OpenRunError } from './fail.ts';
import type { World } from './world.ts';

/** Whether the process still runs, on this boot of this machine. */
export function isRunning({
  pid,
  bootId,
  started = '',
}: {
  pid: number;
  bootId: string;
  /** Start time of the process. Empty or undefined if unknown. */
  started?: string;
}): boolean {
  if (bootId !== bootIdentity()) return false;
  const now = stateOf(pid);
  // A killed process remains as a zombie if its parent does not wait for it, in containers for as
  // long as they run.
  if (now?.state === 'Z') return false;
  if (now && started !== '' && now.started !== started) return false;
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

/**
 * Locks the run against other commands until this command has ended.
 * @param command name of this command
 * @throws OpenRunError if another command is working on the run
 */
export function holdRun({ store, cleanUps }: World, run: string, command: string): void {
  const started = stateOf(process.pid)?.started ?? '';
  const holder = {
    pid: process.pid,
    bootId: bootIdentity(),
    started,
    command: `runner ${command}`,
  };
  const taken = lockRun(store.directory(run), holder, isRunning);
  if (typeof taken === 'function') {
    cleanUps.push(taken);
    return;
  }
  const who = `"${taken.command}" (process ${String(taken.pid)})`;
  throw new OpenRunError(`Run ${run} is in use by ${who}.`, {
    hint: 'Wait until that command has ended, or stop it.',
  });
}

/** Undefined if the process or /proc does not exist. */
function stateOf(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The program name in parentheses may contain any character.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
