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
      description: 'TCP ports to try on each host.',
    },
    connect_timeout: {
      type: 'integer',
      minimum: 1,
      maximum: 60,
      description: 'Time limit of one connection attempt in seconds. Default: 5.',
    },
  },
  required: ['host', 'ports'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const port_states: Module<FromSchema<typeof schema>> = {
  name: 'port_states',
  summary:
    'Report whether TCP ports are open, refused, blocked, or unresolved, which means that the name has no address.',
  args: schema,
  effect: 'reads',

  async plan({ host: hosts, ports, connect_timeout: seconds = 5 }, { host }) {
    const asked = listOf(hosts).flatMap((name) => ports.map((port) => `${String(port)}@${name}`));
    const found = await host.fact(portStates, String(seconds), ...asked);
    return { actions: [], result: { ports: found.map(toJson) } };
  },
};
