import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    key: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_-]*$',
      description: 'Name of the group.',
    },
  },
  required: ['key'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const group_by: Module<FromSchema<typeof schema>> = {
  name: 'group_by',
  summary: 'Put the host into a group for the plays that follow.',
  schema,
  readOnly: true,
  shorthand: 'key',

  plan({ key }) {
    return { actions: [], joinGroups: [key], result: { group: key } };
  },
};
