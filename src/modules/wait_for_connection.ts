import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Maximum time to wait in seconds. Default: 600.',
    },
    delay: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait before the first attempt. Default: 0.',
    },
    sleep: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds between two attempts. Default: 1.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export const wait_for_connection: Module<FromSchema<typeof schema>> = {
  name: 'wait_for_connection',
  summary: 'Wait until the host accepts connections.',
  args: schema,
  effect: 'reads',

  plan: ({ timeout: seconds = 600, sleep: pauseSeconds = 1, delay: delaySeconds = 0 }) => ({
    actions: [{ kind: 'exec', argv: ['true'] }],
    run: [{ kind: 'await-host', seconds, pauseSeconds, delaySeconds }],
  }),
};
