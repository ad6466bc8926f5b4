import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { holdLock, removeAbandoned } from '../../src/lab/real/abandoned.ts';
import { itWith } from '../helpers/programs.ts';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'runner-labs-'));
});
afterEach(() => {
  rmSync(cache, { recursive: true });
});

function makeLab(name: string): string {
  const dir = join(cache, name);
  mkdirSync(join(dir, 'hosts'), { recursive: true });
  writeFileSync(join(dir, 'hosts', 'console.log'), 'booted');
  return dir;
}

describe('lab directories', () => {
  itWith('flock')(
    'are kept while a process of the lab lives, and removed after it was killed',
    async () => {
      const dir = makeLab('lab-abc123');
      // As in a lab, a descendant holds the lock.
      const [program = '', ...args] = holdLock(dir);
      const lab = spawn(program, [...args, 'sh', '-c', 'sleep 60 & echo; wait'], {
        detached: true,
      });
      await once(lab.stdout, 'data');
      try {
        expect(await removeAbandoned(cache)).toEqual([]);
        lab.kill('SIGKILL');
        await once(lab, 'exit');
        expect(await removeAbandoned(cache)).toEqual([]);
      } finally {
        process.kill(-(lab.pid ?? 0), 'SIGKILL');
      }
      await expect.poll(() => removeAbandoned(cache), { timeout: 10_000 }).toEqual([dir]);
      expect(existsSync(dir)).toBe(false);
    },
  );

  itWith('flock')('are kept without a lock while the lab can still be starting', async () => {
    const dir = makeLab('lab-new000');
    expect(await removeAbandoned(cache)).toEqual([]);
    const yesterday = Date.now() / 1000 - 25 * 3600;
    utimesSync(dir, yesterday, yesterday);
    expect(await removeAbandoned(cache)).toEqual([dir]);
  });

  itWith('flock')('are distinguished from other files by name', async () => {
    const yesterday = Date.now() / 1000 - 25 * 3600;
    for (const name of ['base-0123456789ab', 'lab-x', 'laboratory']) {
      const dir = makeLab(name);
      utimesSync(dir, yesterday, yesterday);
    }
    expect(await removeAbandoned(cache)).toEqual([]);
  });
});
