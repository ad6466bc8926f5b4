import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { portStates } from '../../src/facts/ports.ts';

async function ask(...ports: string[]) {
  const { script } = portStates.command('5', ...ports);
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  const stdout = Buffer.concat(chunks).toString();
  return portStates.parse({ code, stdout, stderr: '' }, '5', ...ports);
}

describe('states of TCP ports', () => {
  it('distinguish open, refused and unroutable ports and unknown names', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const open = String((server.address() as AddressInfo).port);
    try {
      const found = await ask(
        `${open}@127.0.0.1`,
        `${open}@127.0.9.9`,
        '1@255.255.255.255',
        '1@no-name.invalid',
      );
      expect(found.map(({ state }) => state)).toEqual(['open', 'refused', 'blocked', 'unresolved']);
      expect(found[1]).toMatchObject({ host: '127.0.9.9', port: Number(open) });
    } finally {
      server.close();
    }
  });

  it('are an error if one is missing in the output', () => {
    const parse = () =>
      portStates.parse({ code: 0, stdout: '0 open\n', stderr: '' }, '5', '1@a', '2@a');
    expect(parse).toThrow('Trying port 2@a gave no answer');
  });
});
