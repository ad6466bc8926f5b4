import { PORT_STATE } from '../../facts/ports.ts';
import { quote } from '../../util/shell.ts';

/** Pattern for lines of /proc/net/tcp about a local port in the given state. */
export function ofPort(port: number, state: string): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `'^ *[0-9]+: [0-9A-F]+:${hex} [0-9A-F:]+ ${state} '`;
}

export function isHere(host: string): boolean {
  return host === '127.0.0.1' || host === 'localhost';
}

/** Shell text that succeeds if something listens on a port, checked from the host. */
export function portOpen(host: string, port: number, seconds = 5): string {
  const where = String(port);
  // The kernel's table needs no client program; state 0A is LISTEN.
  if (isHere(host)) return `grep -Eqs ${ofPort(port, '0A')} /proc/net/tcp /proc/net/tcp6`;
  const limit = String(seconds);
  const target = quote(host);
  return `{ if command -v nc >/dev/null; then nc -z -w ${limit} ${target} ${where}; elif command -v bash >/dev/null; then timeout ${limit} bash -c 'exec 3<>/dev/tcp/"$0"/"$1"' ${target} ${where}; else echo 'cannot try the port: the host has neither nc nor bash' >&2; exit 3; fi; } >/dev/null`;
}

/** Shell text that succeeds unless a packet filter blocks a port; see `port_state`. */
export function portReachable(host: string, port: number, seconds = 5): string {
  const call = `port_state ${String(seconds)} ${quote(host)} ${String(port)}`;
  return `( ${PORT_STATE}
state=$(${call}) || exit 3; [ "$state" != blocked ] )`;
}
