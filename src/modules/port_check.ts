import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { listOf } from './lib/arguments.ts';
import { gateProperties, waitUntil } from './lib/gate.ts';
import { portOpen, portReachable } from './lib/ports.ts';

const number = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

const schema = {
  type: 'object',
  properties: {
    host: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
      description:
        'Host or hosts to connect to, as seen from the host of the task. Default: 127.0.0.1, which checks all its own addresses.',
    },
    port: { ...number, description: 'One TCP port.' },
    ports: { type: 'array', items: number, minItems: 1, description: 'Several TCP ports.' },
    targets: {
      type: 'array',
      items: { type: 'string', pattern: '^(\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$' },
      minItems: 1,
      description: 'Ports of several hosts as HOST:PORT or [IPV6]:PORT, instead of host and ports.',
    },
    state: {
      enum: ['open', 'closed', 'reachable'],
      description:
        'open: a process listens on the port. closed: the port is free. reachable: no packet filter blocks it, so it is open or refuses the connection. Default: open.',
    },
    timeout: {
      ...gateProperties.timeout,
      description: 'Maximum time to wait in seconds. Default: 0, a single check.',
    },
    sleep: gateProperties.sleep,
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export const port_check: Module<FromSchema<typeof schema>> = {
  name: 'port_check',
  summary: 'Check that TCP ports are open, free, or reachable.',
  args: schema,
  effect: 'reads',

  plan(args, { once }) {
    const { host = '127.0.0.1', port, ports = [], targets = [], state = 'open' } = args;
    const { timeout = 0, sleep = 1 } = args;
    const numbers = [...(port === undefined ? [] : [port]), ...ports];
    const all: [host: string, port: number][] = [
      ...listOf(host).flatMap((where) => numbers.map((one): [string, number] => [where, one])),
      ...targets.map(parseTarget),
    ];
    if (all.length === 0) throw new TaskError('"port_check" needs "port", "ports" or "targets".');
    if (numbers.length > 0 && targets.length > 0)
      throw new TaskError('"targets" cannot be combined with "port" and "ports".');
    const tests = {
      open: {
        look: (where: string, one: number) => `{ ${portOpen(where, one)}; }`,
        wrong: 'closed',
      },
      closed: {
        look: (where: string, one: number) => `! { ${portOpen(where, one)}; }`,
        wrong: 'in use',
      },
      reachable: { look: portReachable, wrong: 'blocked' },
    };
    const { look, wrong } = tests[state];
    const looks = all.map(
      ([where, one]) =>
        `${look(where, one)} || { echo ${quote(`port ${String(one)} of ${where} is ${wrong}`)}; bad=1; }`,
    );
    return waitUntil(`{ bad=0; ${looks.join('; ')}; [ "$bad" = 0 ]; }`, { timeout, sleep, once });
  },
};

const MAX_PORT = 65_535;

function parseTarget(text: string): [host: string, port: number] {
  const [, bracketed, plain = '', digits] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= MAX_PORT)) throw new TaskError(`"${text}" has no valid port.`);
  return [bracketed ?? plain, port];
}
