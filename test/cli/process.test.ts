import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';

/** What a pipe holds. When it is full, the process waits for its reader. */
const PIPE_BYTES = 65_536;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'process-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('the process', () => {
  it('prints everything to a slow reader before it exits', async () => {
    const hosts = Array.from({ length: 30_000 }, (_, index) => `host-${String(index)}`);
    const inventory = join(directory, 'hosts.ini');
    writeFileSync(inventory, `${hosts.join('\n')}\n`);
    const bin = join(packageRoot(), 'bin', 'runner.js');
    const child = spawn(process.execPath, [bin, 'hosts', '-i', inventory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    let text = '';
    for await (const chunk of child.stdout) {
      text += String(chunk);
      await pause(20);
    }
    expect(await exit).toEqual([0, null]);
    expect(text.length).toBeGreaterThan(10 * PIPE_BYTES);
    const printed = text.split('\n').map((line) => line.split(' ')[0]);
    expect(printed.filter((word) => word !== '').sort()).toEqual(hosts.sort());
  }, 60_000);
});
