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
    leave: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Groups to remove the host from first, such as groups of the inventory.',
    },
  },
  required: ['key'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const group_by: Module<FromSchema<typeof schema>> = {
  name: 'group_by',
  summary: 'Add the host to a group for the plays that follow.',
  args: schema,
  effect: 'reads',
  shorthand: 'key',

  plan({ key, leave = [] }) {
    return {
      actions: [],
      run: [{ kind: 'join-groups', groups: [key], leave }],
      result: { group: key },
    };
  },
};
