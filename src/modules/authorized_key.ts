import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, UndoCall } from '../core/module.ts';
import { userEntry } from '../facts/account.ts';
import { fileContent, fileState, type FileState } from '../facts/file.ts';
import { ACCOUNT_NAME } from './lib/account.ts';
import { gone, attributeActions, inOrder, planFile } from './lib/file-plan.ts';
import { linesOf, textOf } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    user: {
      type: 'string',
      pattern: ACCOUNT_NAME,
      description: 'User who may log in with the key.',
    },
    key: {
      type: 'string',
      minLength: 1,
      description: 'Public key, or several keys, one per line.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    exclusive: { type: 'boolean', description: 'Remove all other keys. Default: false.' },
    key_options: {
      type: 'string',
      pattern: '^[^\\n]+$',
      description: 'Options before the key, such as from="10.0.0.0/8".',
    },
    comment: {
      type: 'string',
      pattern: '^[^\\n]*$',
      description: 'Comment that replaces the one in the key.',
    },
    path: {
      type: 'string',
      pattern: '^/',
      description: 'File with the keys. Default: ~/.ssh/authorized_keys.',
    },
    manage_dir: {
      type: 'boolean',
      description: 'Create the directory of the file and set its owner and mode. Default: true.',
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
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { path, directory, uid, gid } = await locate(args, host);
    const keys = args.key
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line))
      .map((line) => withOptions(args, requireKey(line)));
    const [state, bytes] = await Promise.all([
      host.fact(fileState, directory),
      host.fact(fileContent, path),
      host.fact(fileState, path),
    ]);
    const text = bytes?.toString('utf8') ?? '';
    const after = args.state === 'absent' ? without(text, keys) : merged(text, keys, args);
    const owned = { owner: String(uid), group: String(gid) };
    const actions: Action[] = [];
    if (args.manage_dir !== false && args.state !== 'absent') {
      if (state.type === 'absent') actions.push({ kind: 'mkdir', path: directory });
      actions.push(...attributeActions(directory, state, { mode: '0700', ...owned }));
    }
    const result = { path, user: args.user };
    const above = undoOfDirectory(directory, state);
    if (after === text) return { actions, result, undo: inOrder(above) };
    // Owner and mode of an existing file stay: it may have to belong to another user, such as root.
    const attributes = bytes === undefined ? { mode: '0600', ...owned } : {};
    const plan = await planFile({ path, content: Buffer.from(after), ...attributes }, host);
    return {
      ...plan,
      actions: [...actions, ...plan.actions],
      result,
      undo: inOrder(plan.undo, above),
    };
  },
};

function undoOfDirectory(directory: string, { type, mode, owner, group }: FileState): UndoCall {
  if (type !== 'directory') return gone(directory);
  return { module: 'file', args: { path: directory, state: 'directory', mode, owner, group } };
}

async function locate(
  { user, path }: Args,
  host: HostFacts,
): Promise<{ path: string; directory: string; uid: number; gid: number }> {
  const entry = await host.fact(userEntry, user);
  if (!entry)
    throw new TaskError(`There is no user "${user}" on "${host.name}".`, {
      hint: 'Create it first with the module "user".',
    });
  const file = path ?? `${entry.home}/.ssh/authorized_keys`;
  return {
    path: file,
    directory: file.slice(0, file.lastIndexOf('/')) || '/',
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
  throw new TaskError(`"${line.slice(0, 40)}" is not a public key.`, {
    hint: 'Use the content of a .pub file, such as "ssh-ed25519 AAAA… name".',
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

const same = (a: PublicKey, b: PublicKey): boolean => a.kind === b.kind && a.data === b.data;

function without(text: string, keys: readonly PublicKey[]): string {
  const lines = linesOf(text);
  const kept = lines.filter((line) => {
    const key = parseKey(line);
    return !key || !keys.some((one) => same(one, key));
  });
  return kept.length === lines.length ? text : textOf(kept);
}

function merged(text: string, keys: readonly PublicKey[], { exclusive }: Args): string {
  const lines = linesOf(text);
  const missing = new Set(keys);
  const kept = lines.flatMap((line) => {
    const found = parseKey(line);
    const wanted = found && keys.find((one) => same(one, found));
    if (!wanted) return exclusive === true && found ? [] : [line];
    missing.delete(wanted);
    // A different comment alone does not change the file.
    return found.options === wanted.options && found.comment !== '' ? [line] : [format(wanted)];
  });
  const all = [...kept, ...[...missing].map(format)];
  return all.join('\n') === lines.join('\n') ? text : textOf(all);
}
