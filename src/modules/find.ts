import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { filesBelow, hostClock, type FoundFile } from '../facts/system.ts';
import { globPattern } from '../util/patterns.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';

const schema = {
  type: 'object',
  properties: {
    paths: textOrTexts('Absolute paths of directories on the host to search.'),
    patterns: textOrTexts(
      'Shell patterns of file names, one of which must match. Default: any name.',
    ),
    excludes: textOrTexts('Shell patterns of file names to leave out.'),
    use_regex: {
      type: 'boolean',
      description: 'Treat patterns and excludes as regular expressions. Default: false.',
    },
    contains: {
      type: 'string',
      minLength: 1,
      description: 'Extended regular expression that a line of the file must match.',
    },
    file_type: { enum: ['file', 'directory', 'link', 'any'], description: 'Default: file.' },
    recurse: { type: 'boolean', description: 'Search subdirectories, too. Default: false.' },
    depth: {
      type: 'integer',
      minimum: 1,
      description: 'Maximum depth with recurse. Default: unlimited.',
    },
    follow: { type: 'boolean', description: 'Follow symbolic links. Default: false.' },
    hidden: {
      type: 'boolean',
      description: 'Include names that begin with a dot. Default: false.',
    },
    age: {
      type: ['string', 'integer'],
      pattern: '^-?\\d+[smhdw]?$',
      description:
        'Minimum time since the last modification, such as 2d. A negative value is a maximum.',
    },
    size: {
      type: ['string', 'integer'],
      pattern: '^-?\\d+[bkmgt]?$',
      description: 'Minimum size, such as 10m. A negative value is a maximum.',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      description: 'Maximum number of files to return. Default: unlimited.',
    },
  },
  required: ['paths'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const find: Module<Args> = {
  name: 'find',
  summary: 'List files of the host by name, type, age, size or content.',
  args: schema,
  effect: 'reads',

  async plan(args, { host }) {
    const paths = listOf(args.paths);
    const relative = paths.find((path) => !path.startsWith('/'));
    if (relative !== undefined) throw new TaskError(`"${relative}" is not an absolute path.`);
    const depth = args.recurse === true ? String(args.depth ?? '') : '1';
    const [{ files: found, skipped }, now] = await Promise.all([
      host.fact(
        filesBelow,
        JSON.stringify(paths),
        depth,
        String(args.follow === true),
        args.contains ?? '',
      ),
      args.age === undefined ? 0 : host.fact(hostClock),
    ]);
    const matching = found.filter((file) => matches(file, args, now));
    const files = matching.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, args.limit);
    return {
      actions: [],
      result: {
        files: files.map((file) => ({ ...file })),
        matched: files.length,
        examined: found.length,
        skipped,
      },
    };
  },
};

function matches(file: FoundFile, args: Args, now: number): boolean {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  const { file_type: type = 'file', hidden = false, age, size } = args;
  const fits = (pattern: string) => namePattern(pattern, args.use_regex === true).test(name);
  if (type !== 'any' && file.type !== type) return false;
  if (!hidden && name.startsWith('.')) return false;
  if (args.patterns !== undefined && !listOf(args.patterns).some(fits)) return false;
  if (listOf(args.excludes).some(fits)) return false;
  if (age !== undefined && !isBeyond(now - file.mtime, String(age), seconds)) return false;
  return size === undefined || isBeyond(file.size, String(size), bytes);
}

function namePattern(pattern: string, isRegex: boolean): RegExp {
  if (!isRegex) return globPattern(pattern);
  try {
    return new RegExp(pattern);
  } catch (error) {
    throw new TaskError(`"${pattern}" is not a valid regular expression.`, { cause: error });
  }
}

const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const bytes: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Whether a value reaches a minimum or, if `wanted` begins with a minus, does not exceed a maximum. */
function isBeyond(value: number, wanted: string, units: Record<string, number>): boolean {
  const [, minus, count, unit = ''] = /^(-?)(\d+)([a-z]?)$/.exec(wanted) ?? [];
  const measure = Number(count) * (units[unit] ?? 1);
  return minus === '-' ? value <= measure : value >= measure;
}
