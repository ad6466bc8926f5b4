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
      description:
        'Line in the format of sources.list(5), such as "deb https://… bookworm stable".',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    filename: {
      type: 'string',
      pattern: '^[\\w.-]+$',
      description:
        'File in /etc/apt/sources.list.d, without ".list". Default: derived from the address.',
    },
    update_cache: {
      type: 'boolean',
      description: 'Update the package index after a change. Default: true.',
    },
    lock_timeout: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds to wait for the lock of APT or dpkg. Default: 60.',
    },
    mode: fileProperties.mode,
  },
  required: ['repo'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const apt_repository: Module<Args> = {
  name: 'apt_repository',
  summary: 'Add or remove an APT repository.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }): Promise<Plan> {
    const path = fileOf(args);
    const edited = await planLine(args, path, host);
    const { update_cache: update = true, lock_timeout: lock = 60 } = args;
    // A change of permissions alone needs no index update.
    const isEdited = edited.actions.some(({ kind }) => kind === 'write' || kind === 'remove');
    const actions = [...edited.actions, ...(update && isEdited ? [aptGet(lock, 'update')] : [])];
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
  if (name === '')
    throw new TaskError(`Cannot derive a file name from "${repo}".`, { hint: 'Set "filename".' });
  return `/etc/apt/sources.list.d/${name}.list`;
}
