import { readFileSync } from 'node:fs';
import { lockRun } from '../journal/run-lock.ts';
import { OpenRunError } from './fail.ts';
import type { World } from './world.ts';

/** A process of this boot with that number: the run may still be going. */
export function isRunning({
  pid,
  bootId,
  started = '',
}: {
  pid: number;
  bootId: string;
  /** Empty or left out where it is not known. */
  started?: string;
}): boolean {
  if (bootId !== bootIdentity()) return false;
  const now = stateOf(pid);
  // Without a parent that waits for it, a killed process stays listed: in containers for as long as they run.
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
 * Keeps other commands from working on the run until this one has ended.
 * @param command name of the command that works on it
 * @throws OpenRunError when another one does
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
  throw new OpenRunError(`Run ${run} is in use by ${who}.`, { hint: 'Wait for it, or stop it.' });
}

/** Undefined when there is no such process, or no /proc. */
function stateOf(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
