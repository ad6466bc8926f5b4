import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    msg: { description: 'Text or value to show.' },
  },
  required: ['msg'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const debug: Module<FromSchema<typeof schema>> = {
  name: 'debug',
  summary: 'Show a message or a value.',
  schema,
  readOnly: true,
  shorthand: 'msg',

  plan({ msg }) {
    return {
      actions: [],
      result: { msg: typeof msg === 'string' ? msg : JSON.stringify(msg, undefined, 2) },
    };
  },
};
