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
  it('is refused with its holder while that runs', () => {
    expect(lockRun(dir, holder(1), alive)).toBeTypeOf('function');
    expect(lockRun(dir, holder(2), alive)).toEqual(holder(1));
    expect(readdirSync(dir)).toEqual(['lock-1']);
  });

  it('is free again once its holder releases it', () => {
    const release = lockRun(dir, holder(1), alive);
    if (typeof release === 'function') release();
    expect(lockRun(dir, holder(2), alive)).toBeTypeOf('function');
    expect(lockRun(dir, holder(3), alive)).toEqual(holder(2));
  });

  it('goes to one taker only when its holder has died', () => {
    lockRun(dir, holder(1), alive);
    let other: ReturnType<typeof lockRun> | undefined;
    // The second looks at the dead holder, and the third takes the run before it goes on.
    const second = lockRun(dir, holder(2), ({ pid }) => {
      if (pid !== 1) return true;
      other ??= lockRun(dir, holder(3), dead);
      return false;
    });
    expect(other).toBeTypeOf('function');
    expect(second).toEqual(holder(3));
  });

  it('is free when a power cut left its file empty', () => {
    writeFileSync(join(dir, 'lock-9'), '');
    expect(lockRun(dir, holder(1), alive)).toBeTypeOf('function');
    expect(readFileSync(join(dir, 'lock-10'), 'utf8')).toContain('"pid":1');
  });

  it('that cannot be made is an error of the journal', () => {
    expect(() => lockRun(join(dir, 'none'), holder(1), alive)).toThrow('cannot be locked');
  });
});
