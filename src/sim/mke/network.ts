import type { MkeNode } from './cluster.ts';
import { refuse, unknown } from './refusal.ts';

/** Names in /etc/hosts of every host, including that of the load balancer, as in the lab. */
const NAMES = ['localhost', 'mke.example.com'];
const SSH_PORT = 2222;

/** Result of a connection to a port. Only the SSH servers of the hosts listen, as in the lab. */
export function portState({ cluster }: MkeNode, host: string, port: number): string {
  const isHost = cluster.nodes.some(({ address }) => address === host);
  if (!isHost && host !== '127.0.0.1' && !NAMES.includes(host))
    unknown('the network', [host, String(port)]);
  return isHost && port === SSH_PORT ? 'open' : 'refused';
}

export function getent([database = '', name = '']: readonly string[]): string {
  if (database !== 'ahosts') unknown('getent', [database, name]);
  if (!NAMES.includes(name)) refuse('', 2);
  return '127.0.0.1       STREAM localhost\n127.0.0.1       DGRAM  \n127.0.0.1       RAW    \n';
}

/** `ip -j route get`: all lab addresses are on the loopback interface. */
export function routeTo(address: string): string {
  if (!address.startsWith('127.')) unknown('ip', [address]);
  const route = { type: 'local', dst: address, dev: 'lo', prefsrc: '127.0.0.1', flags: [], uid: 0 };
  return `${JSON.stringify([{ ...route, cache: ['local'] }])}\n`;
}
