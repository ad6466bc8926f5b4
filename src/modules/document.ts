import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1, description: 'What it is.' },
    text: { type: 'string', description: 'Shown as it is, in check mode too.' },
    file: {
      type: 'string',
      minLength: 1,
      description:
        'File on the controller that gets the text, with mode 0600. It is output of the run: a rollback leaves it. Not written in check mode.',
    },
    shown: { type: 'boolean', description: 'False: only the file gets it. Default: true.' },
  },
  required: ['title', 'text'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const document: Module<FromSchema<typeof schema>> = {
  name: 'document',
  summary: 'Show a text of many lines to the operator, once the step is done.',
  args: schema,
  effect: 'reads',

  plan: ({ title, text, file, shown = true }) => ({
    actions: [],
    run: [
      ...(shown ? [{ kind: 'show' as const, title, text, inCheckMode: true }] : []),
      ...(file === undefined
        ? []
        : [{ kind: 'keep' as const, path: file, content: text, masked: false }]),
    ],
  }),
};
