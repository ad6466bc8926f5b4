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
      description: 'What the repository is called: its section in the file.',
    },
    description: { type: 'string', pattern: '^[^\\n]+$', description: 'Its name for people.' },
    baseurl: textOrTexts('Where its packages are.'),
    mirrorlist: { type: 'string', pattern: '^\\S+$', description: 'List of places, instead.' },
    metalink: { type: 'string', pattern: '^\\S+$', description: 'Metalink of places, instead.' },
    enabled: { type: 'boolean', description: 'Default: true.' },
    gpgcheck: { type: 'boolean', description: 'Whether packages must be signed.' },
    gpgkey: textOrTexts('Keys they are signed with.'),
    priority: { type: 'integer', minimum: 1, maximum: 99, description: 'Lower ones come first.' },
    sslverify: { type: 'boolean', description: 'Whether certificates are checked.' },
    exclude: textOrTexts('Packages that are not taken from it; patterns.'),
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
  summary: 'Add or remove a repository of packages of DNF or YUM.',
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
      throw new TaskError('Where are its packages? Give "baseurl", "mirrorlist" or "metalink".');
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
    // Further lines of a value begin with a blank.
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

/** The text with another section of that name, or without it; what stands elsewhere stays as it is. */
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
