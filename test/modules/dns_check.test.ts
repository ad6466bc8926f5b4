import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { NameServer } from '../../src/lab/name-server.ts';
import { dns_check } from '../../src/modules/dns_check.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

testModule(dns_check, {
  settled: [{ title: 'the check changes nothing', args: { name: 'a.b', server: '10.96.0.10' } }],
  refused: [
    { title: 'a hostname as the server', args: { name: 'a', server: 'dns' }, code: 'SCHEMA' },
    { title: 'a name with spaces', args: { name: 'a b', server: '10.96.0.10' }, code: 'SCHEMA' },
    {
      title: 'a label that is too long',
      args: { name: 'a'.repeat(64), server: '1' },
      code: 'SCHEMA',
    },
  ],
});

/** Runs shell text on this machine without blocking this process. */
async function runHere(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', script], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('dns_check', () => {
  const ask = async (port: number, name: string) => {
    const args = { name, server: '127.0.0.1', port, timeout: 0 };
    const {
      actions: [action],
    } = await dns_check.plan(args, fakeHost({}));
    if (action?.kind !== 'exec') throw new Error('no command');
    const { code, stdout, stderr } = await runHere(action.argv[2] ?? '');
    return `${String(code)} ${stdout}${stderr}`.split('\n')[0];
  };

  it('distinguishes an address, an unknown name and a server that does not answer', async () => {
    const server = await NameServer.start('known.example', '10.96.0.1');
    const { port } = server;
    try {
      expect(await ask(port, 'known.example')).toBe('0 127.0.0.1 resolves known.example');
      expect(await ask(port, 'other.example')).toBe(
        '1 127.0.0.1 does not resolve other.example: response code 3',
      );
    } finally {
      await server.stop();
    }
    expect(await ask(port, 'known.example')).toBe('1 127.0.0.1 does not answer');
  });
});
