import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { effectOfRun, planRun, runProperties, splitWords } from './lib/run.ts';

const schema = {
  type: 'object',
  properties: {
    cmd: {
      type: 'string',
      minLength: 1,
      description: 'Command, split into words as in a shell, but without expansions.',
    },
    argv: {
      type: 'array',
      items: { type: ['string', 'number'] },
      minItems: 1,
      description: 'Command as a list of words. Preferable to cmd, because nothing is split.',
    },
    ...runProperties,
  },
  oneOf: [{ required: ['cmd'] }, { required: ['argv'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const command: Module<FromSchema<typeof schema>> = {
  name: 'command',
  summary: 'Run a program without a shell.',
  args: schema,
  effect: effectOfRun,
  shorthand: 'cmd',
  plan: (args, { host }) =>
    planRun(args.argv?.map(String) ?? splitWords(args.cmd ?? ''), args, host),
};
