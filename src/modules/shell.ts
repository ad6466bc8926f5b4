import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { effectOfRun, planRun, runProperties } from './lib/run.ts';

const schema = {
  type: 'object',
  properties: {
    cmd: {
      type: 'string',
      minLength: 1,
      description: 'Shell command. Insert values with {{quote value}}.',
    },
    executable: { type: 'string', description: 'Shell to use. Default: /bin/sh.' },
    ...runProperties,
  },
  required: ['cmd'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const shell: Module<FromSchema<typeof schema>> = {
  name: 'shell',
  summary: 'Run a shell command. Use "command" instead if you need no pipe or redirection.',
  args: schema,
  effect: effectOfRun,
  shorthand: 'cmd',
  plan: (args, { host }) => planRun([args.executable ?? '/bin/sh', '-c', args.cmd], args, host),
};
