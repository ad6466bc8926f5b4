import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localHost } from '../../src/core/inventory.ts';
import type { HostSession } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { localConnections } from '../helpers/connections.ts';
import { execute, look, perform } from '../helpers/exchange.ts';

const limit = { timeoutMs: 20_000 };
const me = { user: undefined, method: 'sudo' as const, password: undefined };

describe('a session', () => {
  let connections: HostConnections;
  let session: HostSession;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'runner-session-'));
    connections = localConnections();
    session = await connections.session(localHost.address, me);
  });
  afterAll(async () => {
    await connections.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const run = (...argv: string[]) => execute(session, ...argv);

  it('returns the output, exit code and streams of each command separately', async () => {
    const [a, b] = await look(session, 'echo out; echo err >&2; (exit 3)', 'printf "no newline"');
    expect(a).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(b).toEqual({ code: 0, stdout: 'no newline', stderr: '' });
  });

  it('runs commands with empty input, and stays usable after a command closes its streams', async () => {
    expect(await run('cat')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await run('sh', '-c', 'exec >&- 2>&- <&-; exit 4')).toMatchObject({ code: 4 });
    expect(await run('echo', 'still here')).toMatchObject({ stdout: 'still here\n' });
  });

  it('passes any text as an argument', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        const word = text.replaceAll('\u0000', '');
        fc.pre(Buffer.from(word, 'utf8').toString('utf8') === word);
        expect((await run('printf', '%s', word))?.stdout).toBe(word);
      }),
      { numRuns: 40 },
    );
  });

  it('writes files with their mode, and leaves no temporary files if that fails', async () => {
    const path = join(dir, 'a file');
    const write = { kind: 'write' as const, path, content: "it's\n$HOME", mode: '0600' };
    await perform(session, { actions: [write] }, limit);
    expect(execFileSync('stat', ['-c', '%a', path]).toString()).toBe('600\n');
    expect(execFileSync('cat', [path]).toString()).toBe("it's\n$HOME");
    const refused = { ...write, content: 'x', validate: 'grep -q never %s' };
    const { outputs } = await perform(session, { actions: [refused] }, limit);
    expect(outputs[0]?.code).not.toBe(0);
    expect(execFileSync('ls', [dir]).toString()).toBe('a file\n');
  });

  it('stops at the first failed action', async () => {
    const actions = [['true'], ['false'], ['touch', join(dir, 'never')]].map((argv) => ({
      kind: 'exec' as const,
      argv,
    }));
    const { outputs } = await perform(session, { actions }, limit);
    expect(outputs.map(({ code }) => code)).toEqual([0, 1]);
  });

  it.each([9_999_999_000, Number.POSITIVE_INFINITY])(
    'accepts a timeout of %d ms, which is longer than the maximum of a timer',
    async (timeoutMs) => {
      const actions = [{ kind: 'exec' as const, argv: ['sleep', '0.2'] }];
      const { outputs } = await perform(session, { actions }, { timeoutMs });
      expect(outputs[0]?.code).toBe(0);
    },
  );

  it('aborts a command that exceeds its timeout', async () => {
    const promise = perform(
      session,
      { actions: [{ kind: 'exec', argv: ['sleep', '31'] }] },
      { timeoutMs: 300 },
    );
    await expect(promise).rejects.toMatchObject({ code: 'TIMED_OUT' });
    expect(await run('echo', 'again')).toMatchObject({ code: 0 });
    const left = await run('sh', '-c', 'ps ax | grep "[s]leep 31"; true');
    expect(left?.stdout).toBe('');
  });
});
