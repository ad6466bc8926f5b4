import { afterEach, expect, it } from 'vitest';
import { localHost } from '../../src/core/inventory.ts';
import { localConnections } from '../helpers/connections.ts';
import { look } from '../helpers/exchange.ts';

const connections = localConnections();
afterEach(() => connections.close());

it('has a session for each way to become a user, and one for all who go the same way', async () => {
  const open = (method: 'sudo' | 'su' | 'doas', password?: string) =>
    connections.session(localHost.address, { user: 'nobody', method, password });
  const doas = await open('doas');
  // Whether or not the program is there: what it said must not be the answer of another.
  await look(doas, 'true').catch(() => undefined);
  expect(await open('doas')).toBe(doas);
  const others = [await open('su'), await open('sudo'), await open('doas', 'secret')];
  expect(new Set([doas, ...others]).size).toBe(4);
});
