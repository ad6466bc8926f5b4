import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { quote } from '../util/shell.ts';
import { gateProperties, lookOnce, waitUntil } from './gate.ts';
import { portOpen } from './wait_for.ts';

const number = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

const schema = {
  type: 'object',
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      description:
        'Where the ports are, as seen from the host. Default: 127.0.0.1, any address of its own.',
    },
    port: { ...number, description: 'One TCP port.' },
    ports: { type: 'array', items: number, minItems: 1, description: 'Several TCP ports.' },
    state: {
      enum: ['open', 'closed'],
      description: 'Something listens, or the port is free. Default: open.',
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
  summary: 'Check that TCP ports are open, or that they are free.',
  schema,
  readOnly: true,
  inCheck: lookOnce,

  plan({ host = '127.0.0.1', port, ports = [], state = 'open', timeout = 0, sleep = 1 }) {
    const all = [...(port === undefined ? [] : [port]), ...ports];
    if (all.length === 0) throw new TaskError('"port_check" needs "port" or "ports".');
    const wrong = state === 'open' ? 'closed' : 'taken';
    const looks = all.map((one) => {
      const test = `${state === 'open' ? '' : '! '}{ ${portOpen(host, one)}; }`;
      return `${test} || { echo ${quote(`port ${String(one)} of ${host} is ${wrong}`)}; bad=1; }`;
    });
    return waitUntil(`{ bad=0; ${looks.join('; ')}; [ "$bad" = 0 ]; }`, { timeout, sleep });
  },
};
