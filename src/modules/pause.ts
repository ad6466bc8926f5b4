import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    seconds: { type: 'number', minimum: 0, description: 'Seconds to wait.' },
    minutes: { type: 'number', minimum: 0, description: 'Minutes to wait, added to the seconds.' },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export const pause: Module<FromSchema<typeof schema>> = {
  name: 'pause',
  summary: 'Wait on the controller.',
  schema,
  readOnly: true,

  plan({ seconds = 0, minutes = 0 }) {
    return { actions: [], pauseSeconds: seconds + minutes * 60 };
  },
};
