import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

/** What a host sees when it connects to a TCP port elsewhere. */
export interface PortState {
  host: string;
  port: number;
  /** Blocked: no answer in time, or no route. Unresolved: the name has no address. */
  state: 'open' | 'refused' | 'blocked' | 'unresolved';
}

/** Ports as PORT@HOST; all are tried at the same time. */
export const portStates: Fact<[seconds: string, ...ports: string[]], PortState[]> = {
  name: 'network.ports',
  command(seconds, ...ports) {
    const tries = ports.map((one, index) => {
      const { host, port } = parsePort(one);
      return `try ${String(index)} ${quote(host)} ${String(port)} &`;
    });
    // Of a failed connection the programs tell the reason in words only; those of the locale C are fixed.
    return {
      script: `( LC_ALL=C; export LC_ALL
if command -v bash >/dev/null; then go() { timeout ${seconds} bash -c 'exec 3<>/dev/tcp/"$0"/"$1"' "$1" "$2"; }
elif command -v nc >/dev/null; then go() { nc -z -v -w ${seconds} "$1" "$2"; }
else echo 'neither bash nor nc is there to try a port' >&2; exit 3; fi
try() {
  if command -v getent >/dev/null && ! getent ahosts "$2" >/dev/null; then echo "$1 unresolved"
  elif said=$(go "$2" "$3" 2>&1 </dev/null); then echo "$1 open"
  else case $said in *refused*) echo "$1 refused" ;; *) echo "$1 blocked" ;; esac; fi
}
${tries.join('\n')}
wait )`,
    };
  },
  parse({ code, stdout, stderr }, _seconds, ...ports) {
    if (code !== 0) throw new TaskError(`Ports cannot be tried: ${stderr.trim()}`);
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
