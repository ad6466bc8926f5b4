import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module, Plan } from '../core/module.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { fileProperties, pickAttributes } from './lib/file-plan.ts';
import { linesOf, planEdit, textOf } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[\\w.:-]+$',
      description: 'ID of the repository, which is the name of its section in the file.',
    },
    description: {
      type: 'string',
      pattern: '^[^\\n]+$',
      description: 'Readable name of the repository. Default: its ID.',
    },
    baseurl: textOrTexts('URLs of the repository.'),
    mirrorlist: {
      type: 'string',
      pattern: '^\\S+$',
      description: 'URL of a mirror list, instead of baseurl.',
    },
    metalink: {
      type: 'string',
      pattern: '^\\S+$',
      description: 'URL of a metalink, instead of baseurl.',
    },
    enabled: { type: 'boolean', description: 'Enable the repository. Default: true.' },
    gpgcheck: { type: 'boolean', description: 'Check the signatures of packages.' },
    gpgkey: textOrTexts('URLs of the signing keys.'),
    priority: {
      type: 'integer',
      minimum: 1,
      maximum: 99,
      description: 'Priority; repositories with a lower number are preferred.',
    },
    sslverify: { type: 'boolean', description: 'Check the certificate of the server.' },
    exclude: textOrTexts('Patterns of packages to exclude.'),
    file: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      description: 'File in /etc/yum.repos.d, without ".repo". Default: the name.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    ...fileProperties,
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const yum_repository: Module<Args> = {
  name: 'yum_repository',
  summary: 'Add or remove a DNF or YUM repository.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }): Promise<Plan> {
    const { name, state = 'present' } = args;
    const isAbsent = state === 'absent';
    const path = fileOf(args);
    if (
      !isAbsent &&
      [args.baseurl, args.mirrorlist, args.metalink].every((one) => one === undefined)
    )
      throw new TaskError('A repository needs "baseurl", "mirrorlist" or "metalink".');
    const editing = { path, create: true, absentIsFine: isAbsent, removeEmpty: isAbsent };
    const plan = await planEdit({ ...editing, ...pickAttributes(args) }, host, (text) =>
      withSection(text, name, isAbsent ? [] : sectionOf(args)),
    );
    return { ...plan, result: { ...plan.result, repo: name, path } };
  },
};

function fileOf({ name, file = name }: Args): string {
  return `/etc/yum.repos.d/${file}.repo`;
}

function sectionOf(args: Args): string[] {
  const flag = (value: boolean | undefined) =>
    value === undefined ? undefined : value ? '1' : '0';
  const several = (value: string | string[] | undefined, between: string) =>
    value === undefined ? undefined : listOf(value).join(between);
  const values: [string, string | undefined][] = [
    ['name', args.description ?? args.name],
    // Continuation lines begin with a space.
    ['baseurl', several(args.baseurl, '\n    ')],
    ['mirrorlist', args.mirrorlist],
    ['metalink', args.metalink],
    ['enabled', flag(args.enabled ?? true)],
    ['gpgcheck', flag(args.gpgcheck)],
    ['gpgkey', several(args.gpgkey, '\n    ')],
    ['priority', args.priority === undefined ? undefined : String(args.priority)],
    ['sslverify', flag(args.sslverify)],
    ['exclude', several(args.exclude, ' ')],
  ];
  const lines = values.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return [`[${args.name}]`, ...lines];
}

/** Replaces or removes the section of that name; other sections are not changed. */
function withSection(text: string, name: string, section: readonly string[]): string {
  const lines = linesOf(text);
  const from = lines.findIndex((line) => line.trim() === `[${name}]`);
  if (from === -1) {
    if (section.length === 0) return text;
    const gap = lines.length === 0 || lines.at(-1) === '' ? [] : [''];
    return textOf([...lines, ...gap, ...section]);
  }
  const next = lines.findIndex((line, index) => index > from && line.trim().startsWith('['));
  const rest = next === -1 ? [] : lines.slice(next);
  const gap = section.length > 0 && rest.length > 0 ? [''] : [];
  const kept = [...lines.slice(0, from), ...section, ...gap, ...rest];
  while (kept.at(-1) === '') kept.pop();
  return textOf(kept);
}
