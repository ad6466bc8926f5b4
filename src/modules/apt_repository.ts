import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, Plan } from '../core/module.ts';
import { fileProperties, pickAttributes } from './lib/file-plan.ts';
import { aptGet } from './lib/packages.ts';
import { planEdit } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    repo: {
      type: 'string',
      pattern: '^deb(-src)? \\S+[^\\n]*$',
      description: 'The line as sources.list(5) has it, such as "deb https://… bookworm stable".',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    filename: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      description:
        'File in /etc/apt/sources.list.d, without ".list". Default: made of the address.',
    },
    update_cache: { type: 'boolean', description: 'Read its lists at once. Default: true.' },
    lock_timeout: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait while another program has the lock. Default: 60.',
    },
    mode: fileProperties.mode,
  },
  required: ['repo'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const apt_repository: Module<Args> = {
  name: 'apt_repository',
  summary: 'Add or remove a source of packages of APT.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }): Promise<Plan> {
    const path = fileOf(args);
    const edited = await planLine(args, path, host);
    const { update_cache: update = true, lock_timeout: lock = 60 } = args;
    // Other permissions alone change no list.
    const rereads = edited.actions.some(({ kind }) => kind === 'write' || kind === 'remove');
    const actions = [...edited.actions, ...(update && rereads ? [aptGet(lock, 'update')] : [])];
    return { ...edited, actions, result: { ...edited.result, repo: args.repo, path } };
  },
};

function planLine(
  { repo, state, ...attributes }: Args,
  path: string,
  host: HostFacts,
): Promise<Plan> {
  const isAbsent = state === 'absent';
  const editing = { path, create: true, absentIsFine: isAbsent, removeEmpty: isAbsent };
  return planEdit({ ...editing, ...pickAttributes(attributes) }, host, (text) => {
    const lines = text.split('\n').filter((line) => line !== '');
    const others = lines.filter((line) => plain(line) !== plain(repo));
    const has = others.length < lines.length;
    if (has !== isAbsent) return text;
    return (isAbsent ? others : [...lines, repo]).map((line) => `${line}\n`).join('');
  });
}

function plain(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ');
}

function fileOf({ repo, filename }: Args): string {
  const [address = ''] = plain(repo.replace(/^deb(-src)?\s+(\[[^\]]*\]\s*)?/, '')).split(' ');
  const made = address.replace(/^\w+:\/+/, '').replaceAll(/[^A-Za-z0-9]+/g, '_');
  const name = filename ?? made.replaceAll(/^_+|_+$/g, '');
  if (name === '') throw new TaskError(`There is no address in "${repo}".`);
  return `/etc/apt/sources.list.d/${name}.list`;
}
