import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1, description: 'What it is.' },
    text: { type: 'string', description: 'Shown as it is, in check mode too.' },
  },
  required: ['title', 'text'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const document: Module<FromSchema<typeof schema>> = {
  name: 'document',
  summary: 'Show a text of many lines to the operator, once the step is done.',
  args: schema,
  effect: 'reads',

  plan: ({ title, text }) => ({
    actions: [],
    run: [{ kind: 'show', title, text, inCheckMode: true }],
  }),
};
