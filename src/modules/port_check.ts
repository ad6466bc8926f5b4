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
        'Where the ports are, as seen from the host; several hosts as a list. Default: 127.0.0.1, any address of its own.',
    },
    port: { ...number, description: 'One TCP port.' },
    ports: { type: 'array', items: number, minItems: 1, description: 'Several TCP ports.' },
    targets: {
      type: 'array',
      items: { type: 'string', pattern: '^(\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$' },
      minItems: 1,
      description:
        'In place of host and ports: ports of several hosts as HOST:PORT or [IPV6]:PORT.',
    },
    state: {
      enum: ['open', 'closed', 'reachable'],
      description:
        'Something listens; the port is free; or no packet filter is in between: something listens, or the connection is refused. Default: open.',
    },
    timeout: {
      ...gateProperties.timeout,
      description: 'Seconds to wait at most. Default: 0, one look.',
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
      throw new TaskError('"targets" does not go together with "port" and "ports".');
    const tests = {
      open: {
        look: (where: string, one: number) => `{ ${portOpen(where, one)}; }`,
        wrong: 'closed',
      },
      closed: {
        look: (where: string, one: number) => `! { ${portOpen(where, one)}; }`,
        wrong: 'taken',
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
