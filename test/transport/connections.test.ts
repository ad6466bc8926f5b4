import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import type { HostAddress } from '../../src/core/host.ts';
import { localHost } from '../../src/core/inventory.ts';
import { localConnections, testConnections } from '../helpers/connections.ts';
import { look } from '../helpers/exchange.ts';

const connections = localConnections();
afterAll(() => connections.close());

it('close() aborts a pending connection attempt without a retry', async () => {
  const sockets: Socket[] = [];
  // It accepts connections but sends nothing.
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dialling = testConnections({ connectTimeoutMs: 400, knownHosts: [] });
  const host: HostAddress = {
    name: 'h1',
    transport: 'ssh',
    address: '127.0.0.1',
    port,
    user: undefined,
    keyPath: undefined,
  };
  const session = dialling.session(host, { user: undefined, method: 'sudo', password: undefined });
  const failed = expect(session).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect.poll(() => sockets.length).toBe(1);
  await dialling.close();
  await failed;
  expect(sockets).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
  server.close();
});

it('has one session for each user, method and password of privilege escalation', async () => {
  const open = (method: 'sudo' | 'su' | 'doas', password?: string) =>
    connections.session(localHost.address, { user: 'nobody', method, password });
  const doas = await open('doas');
  // The programs can be missing: the error of one must not be the result of another.
  await look(doas, 'true').catch(() => undefined);
  expect(await open('doas')).toBe(doas);
  const others = [await open('su'), await open('sudo'), await open('doas', 'secret')];
  expect(new Set([doas, ...others]).size).toBe(4);
});
