import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';

const schema = {
  type: 'object',
  properties: {
    title: { type: 'string', minLength: 1, description: 'Title above the text.' },
    text: { type: 'string', description: 'Text to show, also in check mode.' },
    file: {
      type: 'string',
      minLength: 1,
      description:
        'File on the controller to save the text in, with mode 0600. It is output of the run: a rollback keeps it. Not written in check mode.',
    },
    shown: {
      type: 'boolean',
      description: 'Show the text. With false, it is only saved in the file. Default: true.',
    },
  },
  required: ['title', 'text'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const document: Module<FromSchema<typeof schema>> = {
  name: 'document',
  summary: 'Show a text of several lines to the operator when the step is done.',
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
