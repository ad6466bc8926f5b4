import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import {
  expression,
  insertAt,
  insertProperties,
  latin1,
  linesOf,
  planEdit,
  textFileProperties,
  textOf,
} from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    ...textFileProperties,
    ...insertProperties,
    line: { type: 'string', description: 'Line that must be in the file.' },
    regexp: {
      type: 'string',
      description:
        'Regular expression of the line to replace, which is the last match. With "state: absent", all matches are removed.',
    },
    search_string: {
      type: 'string',
      minLength: 1,
      description: 'Text that the line must contain, instead of regexp.',
    },
    firstmatch: {
      type: 'boolean',
      description: 'Replace the first match instead of the last. Default: false.',
    },
    backrefs: {
      type: 'boolean',
      description:
        'Replace \\1 and \\g<name> in line with groups of regexp. Without a match, the file is not changed. Default: false.',
    },
  },
  required: ['path'],
  not: { required: ['regexp', 'search_string'] },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const lineinfile: Module<Args> = {
  name: 'lineinfile',
  summary: 'Add, replace or remove a line in a text file.',
  args: schema,
  effect: 'restores',

  plan: (args, { host }) =>
    planEdit({ ...args, absentIsFine: args.state === 'absent' }, host, (text) =>
      editLines(text, args),
    ),
};

function editLines(text: string, args: Args): string {
  const lines = linesOf(text);
  const matches = matcher(args);
  if (args.state === 'absent') {
    const kept = lines.filter((line) => !matches(line));
    return kept.length === lines.length ? text : textOf(kept);
  }
  if (args.line === undefined) throw new TaskError('"state: present" needs "line".');
  if (args.backrefs === true && args.regexp === undefined)
    throw new TaskError('"backrefs" needs "regexp".');
  const plain = latin1(args.line);
  const isSearch = args.regexp !== undefined || args.search_string !== undefined;
  if (!isSearch && lines.includes(plain)) return text;
  const at = args.firstmatch === true ? lines.findIndex(matches) : lines.findLastIndex(matches);
  if (at === -1 && args.backrefs === true) return text;
  const line = args.backrefs === true ? withGroups(plain, args, lines[at] ?? '') : plain;
  if (at !== -1) {
    if (lines[at] === line) return text;
    lines[at] = line;
  } else if (lines.includes(line)) {
    return text;
  } else {
    lines.splice(insertAt(lines, args), 0, line);
  }
  return textOf(lines);
}

/** Inserts the groups that the expression matched in the replaced line. */
function withGroups(line: string, { regexp = '' }: Args, replaced: string): string {
  const match = expression(regexp).exec(replaced);
  return line.replaceAll(/\\(\d|g<(\w+)>)/g, (whole, number: string, name?: string) => {
    const found =
      name === undefined
        ? match?.[Number(number)]
        : (match?.groups?.[name] ?? match?.[Number(name)]);
    if (found === undefined && name === undefined && Number(number) >= (match?.length ?? 0))
      throw new TaskError(`"${whole}" in "line" refers to a group that "regexp" does not have.`);
    return found ?? '';
  });
}

function matcher(args: Args): (line: string) => boolean {
  if (args.regexp !== undefined) {
    const pattern = expression(args.regexp);
    return (line) => pattern.test(line);
  }
  const { search_string: search } = args;
  if (search !== undefined) {
    const text = latin1(search);
    return (line) => line.includes(text);
  }
  const wanted = args.line === undefined ? undefined : latin1(args.line);
  return (line) => line === wanted;
}
