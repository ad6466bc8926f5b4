import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bootIdentity, holdRun, isRunning } from '../../../src/cli/run-process.ts';
import { quietWorld } from '../../helpers/world.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-hold-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

it('refuses a second command on a run until the first one has ended', () => {
  const [first, second] = [0, 1].map(() => quietWorld({ XDG_STATE_HOME: dir }));
  const id = first?.store.create(new Date(0)) ?? '';
  if (!first || !second) throw new Error('No worlds.');
  holdRun(first, id, 'play');
  expect(() => {
    holdRun(second, id, 'resume');
  }).toThrow(`Run ${id} is in use by "runner play" (process ${String(process.pid)}).`);
  for (const cleanUp of first.cleanUps) cleanUp();
  holdRun(second, id, 'resume');
});

it('does not regard a reused process ID or a zombie as the holder', async () => {
  const bootId = bootIdentity();
  const { pid } = process;
  expect(isRunning({ pid, bootId })).toBe(true);
  expect(isRunning({ pid, bootId: 'earlier' })).toBe(false);
  expect(isRunning({ pid, bootId, started: '1' })).toBe(false);
  // The shell starts a child process, then replaces itself with a program that never waits for the
  // child.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60']);
  try {
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = Number(text.toString());
    await expect.poll(() => isRunning({ pid: child, bootId })).toBe(false);
  } finally {
    parent.kill('SIGKILL');
  }
});
