import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileContent } from '../facts/file.ts';
import { toText } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    src: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
  },
  required: ['src'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const slurp: Module<FromSchema<typeof schema>> = {
  name: 'slurp',
  summary: 'Read a file from the host into the result.',
  args: schema,
  effect: 'reads',

  async plan({ src }, { host }) {
    const content = await host.fact(fileContent, src);
    if (content === undefined) throw new TaskError(`"${src}" does not exist on "${host.name}".`);
    const text = toText(content);
    return {
      actions: [],
      result: {
        source: src,
        encoding: 'base64',
        content: content.toString('base64'),
        ...(text === undefined ? {} : { text }),
      },
    };
  },
};
