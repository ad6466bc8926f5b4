import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { StatedError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    msg: { type: 'string', description: 'Message: what is wrong and what to do.' },
  },
  required: ['msg'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const fail: Module<FromSchema<typeof schema>> = {
  name: 'fail',
  summary: 'Fail with a message.',
  args: schema,
  effect: 'reads',
  shorthand: 'msg',

  plan({ msg }) {
    throw new StatedError(msg);
  },
};
