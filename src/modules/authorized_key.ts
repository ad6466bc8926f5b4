import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { OldModule as Module } from './lib/old-module.ts';
import { userEntry } from '../facts/account.ts';
import { fileContent, fileState } from '../facts/file.ts';
import type { HostView } from './lib/old-module.ts';
import { ACCOUNT_NAME } from './lib/account.ts';
import { attributeActions, planFile, restorePath } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    user: { type: 'string', pattern: ACCOUNT_NAME, description: 'Who may log in with it.' },
    key: {
      type: 'string',
      minLength: 1,
      description: 'The public key, or several, a line each.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    exclusive: { type: 'boolean', description: 'Remove all other keys. Default: false.' },
    key_options: {
      type: 'string',
      pattern: '^[^\\n]+$',
      description: 'Options in front of the key, such as from="10.0.0.0/8".',
    },
    comment: { type: 'string', pattern: '^[^\\n]*$', description: 'Replaces that of the key.' },
    path: { type: 'string', pattern: '^/', description: 'Default: ~/.ssh/authorized_keys.' },
    manage_dir: {
      type: 'boolean',
      description: 'Make the folder, and give it owner and mode. Default: true.',
    },
  },
  required: ['user', 'key'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const KINDS = /(?:^|\s)((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,3})(?: (.*))?$/;

interface PublicKey {
  options: string;
  kind: string;
  data: string;
  comment: string;
}

export const authorized_key: Module<Args> = {
  name: 'authorized_key',
  summary: 'Add or remove an SSH authorized key.',
  schema,

  async plan(args, host) {
    const { path, folder, uid, gid } = await place(args, host);
    const keys = args.key
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line))
      .map((line) => withOptions(args, requireKey(line)));
    const [state, bytes] = await Promise.all([
      host.fact(fileState, folder),
      host.fact(fileContent, path),
      host.fact(fileState, path),
    ]);
    const text = bytes?.toString('utf8') ?? '';
    const after = args.state === 'absent' ? without(text, keys) : merged(text, keys, args);
    const owned = { owner: String(uid), group: String(gid) };
    const actions: Action[] = [];
    if (args.manage_dir !== false && args.state !== 'absent') {
      if (state.type === 'absent') actions.push({ kind: 'mkdir', path: folder });
      actions.push(...attributeActions(folder, state, { mode: '0700', ...owned }));
    }
    if (after === text) return { actions, result: { path, user: args.user } };
    // Owner and mode of a file that is there stay: sshd may want others than its user does.
    const attributes = bytes === undefined ? { mode: '0600', ...owned } : {};
    const plan = await planFile({ path, content: Buffer.from(after), ...attributes }, host);
    return { ...plan, actions: [...actions, ...plan.actions], result: { path, user: args.user } };
  },

  async restore(args, host, captured) {
    const { path, folder } = await place(args, host);
    const file = await restorePath(path, host, captured);
    const above = await host.fact(fileState, folder);
    const { mode, owner, group } = above;
    return above.type === 'directory'
      ? [
          ...file,
          { module: 'file', args: { path: folder, state: 'directory', mode, owner, group } },
        ]
      : [...file, { module: 'restore_path', args: { path: folder, state: 'absent' } }];
  },
};

async function place(
  { user, path }: Args,
  host: HostView,
): Promise<{ path: string; folder: string; uid: number; gid: number }> {
  const entry = await host.fact(userEntry, user);
  if (!entry)
    throw new TaskError(`There is no user "${user}" on "${host.name}".`, {
      hint: 'Make it first, with the module "user".',
    });
  const file = path ?? `${entry.home}/.ssh/authorized_keys`;
  return {
    path: file,
    folder: file.slice(0, file.lastIndexOf('/')) || '/',
    uid: entry.uid,
    gid: entry.gid,
  };
}

function parseKey(line: string): PublicKey | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const match = KINDS.exec(line.trim());
  if (!match) return undefined;
  const [, kind = '', data = '', comment = ''] = match;
  return { options: line.trim().slice(0, match.index).trim(), kind, data, comment };
}

function requireKey(line: string): PublicKey {
  const key = parseKey(line);
  if (key) return key;
  throw new TaskError(`"${line.slice(0, 40)}" is no public key.`, {
    hint: 'It looks like "ssh-ed25519 AAAA… name", the content of a .pub file.',
  });
}

function withOptions({ key_options: options, comment }: Args, key: PublicKey): PublicKey {
  return {
    ...key,
    ...(options === undefined ? {} : { options }),
    ...(comment === undefined ? {} : { comment }),
  };
}

function format({ options, kind, data, comment }: PublicKey): string {
  return [options, kind, data, comment].filter((part) => part !== '').join(' ');
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

const same = (a: PublicKey, b: PublicKey): boolean => a.kind === b.kind && a.data === b.data;

function without(text: string, keys: readonly PublicKey[]): string {
  const lines = linesOf(text);
  const kept = lines.filter((line) => {
    const key = parseKey(line);
    return !key || !keys.some((one) => same(one, key));
  });
  return kept.length === lines.length ? text : kept.map((line) => `${line}\n`).join('');
}

function merged(text: string, keys: readonly PublicKey[], { exclusive }: Args): string {
  const lines = linesOf(text);
  const missing = new Set(keys);
  const kept = lines.flatMap((line) => {
    const found = parseKey(line);
    const wanted = found && keys.find((one) => same(one, found));
    if (!wanted) return exclusive === true && found ? [] : [line];
    missing.delete(wanted);
    // Another comment alone is no reason to touch the file.
    return found.options === wanted.options && found.comment !== '' ? [line] : [format(wanted)];
  });
  const all = [...kept, ...[...missing].map(format)];
  return all.join('\n') === lines.join('\n') ? text : all.map((line) => `${line}\n`).join('');
}
