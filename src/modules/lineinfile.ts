import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { restorePath } from './shared.ts';
import {
  expression,
  insertAt,
  insertProperties,
  latin1,
  planEdit,
  textFileProperties,
} from './text.ts';

const schema = {
  type: 'object',
  properties: {
    ...textFileProperties,
    ...insertProperties,
    line: { type: 'string', description: 'The line that must be there.' },
    regexp: {
      type: 'string',
      description: 'The last line that matches is replaced, or all are removed.',
    },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const lineinfile: Module<Args> = {
  name: 'lineinfile',
  summary: 'Keep one line in a text file, or keep it out.',
  schema,

  plan: (args, host) =>
    planEdit({ ...args, absentIsFine: args.state === 'absent' }, host, (text) =>
      editLines(text, args),
    ),

  restore: ({ path }, host, captured) => restorePath(path, host, captured),
};

function editLines(text: string, args: Args): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const matches = matcher(args);
  if (args.state === 'absent') {
    const kept = lines.filter((line) => !matches(line));
    return kept.length === lines.length ? text : kept.map((line) => `${line}\n`).join('');
  }
  if (args.line === undefined) throw new TaskError('"line" is needed unless state is absent.');
  const line = latin1(args.line);
  if (args.regexp === undefined && lines.includes(line)) return text;
  const at = lines.findLastIndex(matches);
  if (at !== -1) {
    if (lines[at] === line) return text;
    lines[at] = line;
  } else if (lines.includes(line)) {
    return text;
  } else {
    lines.splice(insertAt(lines, args), 0, line);
  }
  return lines.map((one) => `${one}\n`).join('');
}

function matcher(args: Args): (line: string) => boolean {
  if (args.regexp !== undefined) {
    const pattern = expression(args.regexp);
    return (line) => pattern.test(line);
  }
  const wanted = args.line === undefined ? undefined : latin1(args.line);
  return (line) => line === wanted;
}
