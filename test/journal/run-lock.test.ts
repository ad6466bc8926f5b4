import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockRun, type Holder } from '../../src/journal/run-lock.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-lock-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const holder = (pid: number): Holder => ({
  pid,
  bootId: 'b',
  started: '1',
  command: 'runner resume',
});
const alive = () => true;
const dead = () => false;

describe('the lock of a run', () => {
  it('returns the holder while the process of the holder runs', () => {
    expect(lockRun(dir, holder(1), alive)).toBeTypeOf('function');
    expect(lockRun(dir, holder(2), alive)).toEqual(holder(1));
    expect(readdirSync(dir)).toEqual(['lock-1']);
  });

  it('can be taken after its holder has released it', () => {
    const release = lockRun(dir, holder(1), alive);
    if (typeof release === 'function') release();
    expect(lockRun(dir, holder(2), alive)).toBeTypeOf('function');
    expect(lockRun(dir, holder(3), alive)).toEqual(holder(2));
  });

  it('is taken by only one of two processes after its holder has died', () => {
    lockRun(dir, holder(1), alive);
    let other: ReturnType<typeof lockRun> | undefined;
    // While the second process checks the dead holder, the third one takes the lock.
    const second = lockRun(dir, holder(2), ({ pid }) => {
      if (pid !== 1) return true;
      other ??= lockRun(dir, holder(3), dead);
      return false;
    });
    expect(other).toBeTypeOf('function');
    expect(second).toEqual(holder(3));
  });

  it('can be taken if a power cut left its file empty', () => {
    writeFileSync(join(dir, 'lock-9'), '');
    expect(lockRun(dir, holder(1), alive)).toBeTypeOf('function');
    expect(readFileSync(join(dir, 'lock-10'), 'utf8')).toContain('"pid":1');
  });

  it('throws a JournalError if the directory does not exist', () => {
    expect(() => lockRun(join(dir, 'none'), holder(1), alive)).toThrow('Cannot lock');
  });
});
