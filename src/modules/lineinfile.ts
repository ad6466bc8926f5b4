import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileContent, fileState } from '../facts/file.ts';
import { fileProperties, planFile, restorePath } from './shared.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
    line: { type: 'string', description: 'The line that must be there.' },
    regexp: {
      type: 'string',
      description: 'The last line that matches is replaced, or all are removed.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    insertafter: {
      type: 'string',
      description: 'Regular expression of the line before, or EOF. Default: EOF.',
    },
    insertbefore: { type: 'string', description: 'Regular expression of the line after, or BOF.' },
    create: { type: 'boolean', description: 'Make the file when it is missing. Default: false.' },
    validate: {
      type: 'string',
      pattern: '%s',
      description: 'Command that must accept the new file, written as %s.',
    },
    ...fileProperties,
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const lineinfile: Module<Args> = {
  name: 'lineinfile',
  summary: 'Keep one line in a text file, or keep it out.',
  schema,

  async plan(args, host) {
    const { path, create, mode, owner, group, validate } = args;
    // Asked together, they travel together; planFile looks at the state.
    const [bytes] = await Promise.all([host.fact(fileContent, path), host.fact(fileState, path)]);
    if (bytes === undefined && args.state === 'absent') return { actions: [] };
    if (bytes === undefined && create !== true) {
      throw new TaskError(`"${path}" does not exist on "${host.name}".`, {
        hint: 'Set create: true to make it.',
      });
    }
    const text = bytes?.toString('latin1') ?? '';
    const content = Buffer.from(editLines(text, latin1Args(args)), 'latin1');
    return planFile(
      {
        path,
        content,
        ...(mode === undefined ? {} : { mode }),
        ...(owner === undefined ? {} : { owner }),
        ...(group === undefined ? {} : { group }),
        ...(validate === undefined ? {} : { validate }),
      },
      host,
    );
  },

  restore: ({ path }, host, captured) => restorePath(path, host, captured),
};

/** Latin-1 maps each byte to one character, so text in any encoding passes unharmed. */
function latin1Args(args: Args): Args {
  const convert = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  return {
    ...args,
    ...(args.line === undefined ? {} : { line: convert(args.line) }),
    ...(args.regexp === undefined ? {} : { regexp: convert(args.regexp) }),
  };
}

function editLines(text: string, args: Args): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const matches = matcher(args);
  if (args.state === 'absent') {
    const kept = lines.filter((line) => !matches(line));
    return kept.length === lines.length ? text : kept.map((line) => `${line}\n`).join('');
  }
  const { line } = args;
  if (line === undefined) throw new TaskError('"line" is needed unless state is absent.');
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
  return (line) => line === args.line;
}

function insertAt(lines: string[], { insertafter, insertbefore }: Args): number {
  if (insertbefore === 'BOF') return 0;
  if (insertbefore !== undefined) {
    const at = lines.findLastIndex((line) => expression(insertbefore).test(line));
    return at === -1 ? lines.length : at;
  }
  if (insertafter === undefined || insertafter === 'EOF') return lines.length;
  const at = lines.findLastIndex((line) => expression(insertafter).test(line));
  return at === -1 ? lines.length : at + 1;
}

function expression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new TaskError(`"${source}" is not a regular expression.`, { cause: error });
  }
}
