import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { toJson } from '../core/json.ts';
import type { Module } from '../core/module.ts';
import { portStates } from '../facts/ports.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    host: textOrTexts('Names or addresses to connect to, as seen from the host.'),
    ports: {
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: 65_535 },
      minItems: 1,
      description: 'TCP ports, tried on each of them.',
    },
    connect_timeout: {
      type: 'integer',
      minimum: 1,
      maximum: 60,
      description: 'Seconds that a connection may take. Default: 5.',
    },
  },
  required: ['host', 'ports'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const port_states: Module<FromSchema<typeof schema>> = {
  name: 'port_states',
  summary:
    'Find out whether TCP ports are open, refused, blocked, or of a name without an address.',
  args: schema,
  effect: 'reads',

  async plan({ host: hosts, ports, connect_timeout: seconds = 5 }, { host }) {
    const asked = listOf(hosts).flatMap((name) => ports.map((port) => `${String(port)}@${name}`));
    const found = await host.fact(portStates, String(seconds), ...asked);
    return { actions: [], result: { ports: found.map(toJson) } };
  },
};
