import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { expression, latin1, planEdit, textFileProperties } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    ...textFileProperties,
    regexp: {
      type: 'string',
      minLength: 1,
      description:
        'Regular expression to replace everywhere. ^ and $ match at the start and end of each line.',
    },
    replace: {
      type: 'string',
      description: 'Replacement, in which \\1 is the first group. Default: empty.',
    },
    after: {
      type: 'string',
      description: 'Replace only after the first match of this expression.',
    },
    before: {
      type: 'string',
      description: 'Replace only before the first match of this expression.',
    },
  },
  required: ['path', 'regexp'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const replace: Module<Args> = {
  name: 'replace',
  summary: 'Replace all matches of a regular expression in a text file.',
  args: schema,
  effect: 'restores',

  plan: (args, { host }) => planEdit(args, host, (text) => edit(text, args)),
};

function edit(text: string, { regexp, replace: by = '', after, before }: Args): string {
  let from = 0;
  if (after !== undefined) {
    const match = expression(after, 'm').exec(text);
    if (!match) return text;
    from = match.index + match[0].length;
  }
  let to = text.length;
  if (before !== undefined) {
    const match = expression(before, 'm').exec(text.slice(from));
    if (!match) return text;
    to = from + match.index;
  }
  const substitute = latin1(by)
    .replaceAll('$', '$$$$')
    .replaceAll(/\\(\d+)/g, '$$$1')
    .replaceAll(/\\g<(\w+)>/g, (_, name: string) =>
      /^\d+$/.test(name) ? `$${name}` : `$<${name}>`,
    );
  const middle = text.slice(from, to).replaceAll(expression(regexp, 'gm'), substitute);
  return text.slice(0, from) + middle + text.slice(to);
}
