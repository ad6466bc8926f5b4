import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

/** Result of a connection attempt from a host to a TCP port. */
export interface PortState {
  host: string;
  port: number;
  /** Blocked: no answer in time, or no route. Unresolved: the name has no address. */
  state: 'open' | 'refused' | 'blocked' | 'unresolved';
}

/**
 * Shell function `port_state SECONDS HOST PORT`: prints open, refused or blocked. A filter that answers with a reset looks like an
 * unused port. Exits with 3 if the host has no program to try a port. The programs report the reason of a failed connection only
 * as text, which is fixed in the locale C.
 */
export const PORT_STATE = `port_state() (
LC_ALL=C; export LC_ALL
if command -v bash >/dev/null; then said=$(timeout "$1" bash -c 'exec 3<>/dev/tcp/"$0"/"$1"' "$2" "$3" 2>&1 </dev/null)
elif command -v nc >/dev/null; then said=$(nc -z -v -w "$1" "$2" "$3" 2>&1 </dev/null)
else echo 'cannot try a port: the host has neither bash nor nc' >&2; exit 3; fi && echo open || case $said in *refused*) echo refused ;; *) echo blocked ;; esac )`;

/** States of ports, given as PORT@HOST. All are tried in parallel. */
export const portStates: Fact<[seconds: string, ...ports: string[]], PortState[]> = {
  name: 'network.ports',
  command(seconds, ...ports) {
    const tries = ports.map((one, index) => {
      const { host, port } = parsePort(one);
      return `try ${String(index)} ${quote(host)} ${String(port)} &`;
    });
    return {
      script: `( ${PORT_STATE}
try() {
  if command -v getent >/dev/null && ! getent ahosts "$2" >/dev/null; then echo "$1 unresolved"
  else state=$(port_state ${seconds} "$2" "$3") && echo "$1 $state"; fi
}
${tries.join('\n')}
wait )`,
    };
  },
  parse({ code, stdout, stderr }, _seconds, ...ports) {
    if (code !== 0) throw new TaskError(`Cannot try the ports: ${stderr.trim()}`);
    const said = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => {
          const [index = '', state = ''] = line.split(' ');
          return [Number(index), state];
        }),
    );
    return ports.map((one, index) => {
      const state = ['open', 'refused', 'blocked', 'unresolved'].find(
        (known): known is PortState['state'] => known === said.get(index),
      );
      if (state === undefined)
        throw new TaskError(`Trying port ${one} gave no answer: ${stderr.trim()}`);
      return { ...parsePort(one), state };
    });
  },
};

function parsePort(text: string): { host: string; port: number } {
  const at = text.indexOf('@');
  return { host: text.slice(at + 1), port: Number(text.slice(0, at)) };
}
