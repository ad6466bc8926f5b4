import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { perform } from '../helpers/exchange.ts';
import { localShell, type LocalShell } from '../helpers/local-shell.ts';

let dir: string;
let shell: LocalShell;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-pool-'));
  // One shell at a time.
  shell = localShell(['/bin/sh'], dir);
});
afterEach(() => {
  shell.close();
  rmSync(dir, { recursive: true, force: true });
});

const change = (signal: AbortSignal | undefined, ...argv: string[]) =>
  perform(shell.session, { actions: [{ kind: 'exec', argv }] }, { timeoutMs: 20_000, signal });

describe('the shell pool of a session', () => {
  it('starts no work after the run was interrupted', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(change(stop.signal, 'touch', join(dir, 'never'))).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: 'Interrupted; nothing was sent to "here".',
    });
    const { outputs } = await change(undefined, 'ls', dir);
    expect(outputs[0]?.stdout).not.toContain('never');
  });

  it('stops waiting for a free shell when the run is interrupted', async () => {
    const stop = new AbortController();
    const first = change(undefined, 'sleep', '1');
    const second = change(stop.signal, 'touch', join(dir, 'never'));
    const third = change(undefined, 'echo', 'third');
    stop.abort();
    await expect(second).rejects.toThrow('nothing was sent');
    await first;
    expect((await third).outputs[0]?.stdout).toBe('third\n');
  });

  it('stops waiting for a shell to open when the run is interrupted', async () => {
    const stop = new AbortController();
    const first = change(stop.signal, 'touch', join(dir, 'never'));
    stop.abort();
    await expect(first).rejects.toThrow('nothing was sent');
    expect((await change(undefined, 'echo', 'next')).outputs[0]?.stdout).toBe('next\n');
    expect(shell.opened()).toBe(1);
  });

  it('serves an urgent lock request while all shells are in use', async () => {
    let isDone = false;
    const long = change(undefined, 'sleep', '2').finally(() => {
      isDone = true;
    });
    await shell.session.exchange({ control: { renew: true } }, { timeoutMs: 20_000 });
    expect(isDone).toBe(false);
    expect(shell.opened()).toBe(2);
    await long;
    // Only the urgent request used the additional shell.
    await Promise.all([change(undefined, 'true'), change(undefined, 'true')]);
    expect(shell.opened()).toBe(2);
  });
});
