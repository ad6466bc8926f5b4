import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import {
  accountTools,
  groupEntry,
  passwordState,
  userEntry,
  type UserEntry,
} from '../facts/account.ts';
import { fileState, treeSum } from '../facts/file.ts';
import { ACCOUNT_NAME, accountCall } from './lib/account.ts';
import { secret } from './lib/arguments.ts';
import { gone, inOrder, undoOfPath } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: ACCOUNT_NAME, description: 'Name of the user.' },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    uid: {
      type: 'integer',
      minimum: 0,
      description: 'Numeric ID. Default: unchanged, or the next free one.',
    },
    group: {
      type: 'string',
      pattern: ACCOUNT_NAME,
      description: 'Primary group, which must exist.',
    },
    groups: {
      description: 'Supplementary groups. They replace the current ones, unless append is set.',
      anyOf: [
        { type: 'string' },
        { type: 'array', items: { type: 'string', pattern: ACCOUNT_NAME } },
      ],
    },
    append: {
      type: 'boolean',
      description: 'Add to the current groups instead of replacing them. Default: false.',
    },
    comment: { type: 'string', pattern: '^[^:\\n]*$', description: 'Full name.' },
    home: { type: 'string', pattern: '^/[^:\\n]*$', description: 'Home directory.' },
    create_home: {
      type: 'boolean',
      description: 'Create the home directory of a new user. Default: true.',
    },
    move_home: {
      type: 'boolean',
      description: 'Move the home directory to a new "home". Default: false.',
    },
    shell: { type: 'string', pattern: '^/[^:\\n]*$', description: 'Login shell.' },
    system: { type: 'boolean', description: 'Create a system user.' },
    password: secret({
      type: 'string',
      pattern: '^[^:\\n]*$',
      description:
        'Password hash as made by crypt(3), such as from "openssl passwd -6". It does not appear on a command line.',
    }),
    update_password: {
      enum: ['always', 'on_create'],
      description: 'When to set the password. Default: always.',
    },
    password_lock: {
      type: 'boolean',
      description: 'Whether to lock the password. Default: unchanged.',
    },
    expires: {
      type: 'number',
      description:
        'Expiry date of the account in seconds since 1970. A negative value means never.',
    },
    remove: {
      type: 'boolean',
      description:
        'With "state: absent": remove the home directory, too. The undo needs a copy of it, of at most 100 MiB.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const DAY_SECONDS = 86_400;

export const user: Module<Args> = {
  name: 'user',
  summary: 'Create, change or remove a user.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { name, state = 'present' } = args;
    const [found, tools] = await Promise.all([host.fact(userEntry, name), host.fact(accountTools)]);
    const shadow = tools === 'shadow';
    const actions =
      state === 'absent'
        ? found
          ? [removal(args, shadow)]
          : []
        : found
          ? await changes(args, found, host, shadow)
          : await creation(args, host, shadow);
    return {
      actions,
      result: { name, state, ...(found ? { uid: found.uid, home: found.home } : {}) },
      ...(actions.length > 0 ? { undo: await undoOf(args, found, host) } : {}),
    };
  },
};

async function undoOf(
  args: Args,
  found: UserEntry | undefined,
  host: HostFacts,
): Promise<PlannedUndo> {
  const { name, state = 'present', create_home: makesHome = true } = args;
  const account = await accountCall(name, host);
  if (state === 'absent') {
    if (args.remove !== true || found === undefined) return { calls: [account] };
    const [home, tree] = await Promise.all([
      host.fact(fileState, found.home),
      host.fact(treeSum, found.home),
    ]);
    return inOrder(undoOfPath(found.home, home, host, { tree: tree ?? '' }), account);
  }
  if (args.move_home === true && found && args.home !== undefined && args.home !== found.home) {
    const back = { name, home: found.home, move_home: true };
    return inOrder({ module: 'user', args: back }, account);
  }
  if (found || !makesHome) return { calls: [account] };
  const home = args.home ?? `/home/${name}`;
  const there = await host.fact(fileState, home);
  return inOrder(account, there.type === 'absent' ? gone(home) : undefined);
}

function removal({ name, remove }: Args, shadow: boolean): Action {
  if (!shadow) return exec('deluser', ...(remove ? ['--remove-home'] : []), name);
  // Without -f, userdel refuses a user with running processes, which is intended.
  return exec('userdel', ...(remove ? ['-r'] : []), name);
}

async function creation(args: Args, host: HostFacts, shadow: boolean): Promise<Action[]> {
  const { name, uid, group, comment, home, shell, system, create_home: makesHome = true } = args;
  const groups = groupList(args) ?? [];
  await requireGroups([...groups, ...(group === undefined ? [] : [group])], host);
  const actions: Action[] = [];
  if (shadow) {
    const options = [
      ...(uid === undefined ? [] : ['-u', String(uid)]),
      ...(group === undefined ? [] : ['-g', group]),
      ...(groups.length > 0 ? ['-G', groups.join(',')] : []),
      ...(comment === undefined ? [] : ['-c', comment]),
      ...(home === undefined ? [] : ['-d', home]),
      ...(shell === undefined ? [] : ['-s', shell]),
      ...(system ? ['-r'] : []),
      ...(args.expires === undefined || args.expires < 0 ? [] : ['-e', dayOf(args.expires)]),
      makesHome ? '-m' : '-M',
    ];
    actions.push(exec('useradd', ...options, '--', name));
  } else {
    const options = [
      ...(uid === undefined ? [] : ['-u', String(uid)]),
      ...(group === undefined ? [] : ['-G', group]),
      ...(comment === undefined ? [] : ['-g', comment]),
      ...(home === undefined ? [] : ['-h', home]),
      ...(shell === undefined ? [] : ['-s', shell]),
      ...(system ? ['-S'] : []),
      ...(makesHome ? [] : ['-H']),
    ];
    actions.push(exec('adduser', '-D', ...options, name));
    actions.push(...groups.map((one) => exec('addgroup', name, one)));
  }
  if (args.password !== undefined) actions.push(setPassword(name, args.password));
  if (args.password_lock === true) actions.push(exec(...lockCommand(shadow, true), name));
  return actions;
}

async function changes(
  args: Args,
  found: UserEntry,
  host: HostFacts,
  shadow: boolean,
): Promise<Action[]> {
  const { name, uid, group, comment, home, shell, append, update_password: update } = args;
  const wanted = groupList(args);
  await requireGroups([...(wanted ?? []), ...(group === undefined ? [] : [group])], host);
  const [first = '', ...others] = found.groups;
  const missing = wanted?.filter((one) => !found.groups.includes(one)) ?? [];
  const leaving =
    wanted === undefined || append === true ? [] : others.filter((one) => !wanted.includes(one));
  const options = [
    ...(uid === undefined || uid === found.uid ? [] : ['-u', String(uid)]),
    ...(group === undefined || group === first ? [] : ['-g', group]),
    ...(comment === undefined || comment === found.comment ? [] : ['-c', comment]),
    ...(shell === undefined || shell === found.shell ? [] : ['-s', shell]),
  ];
  if (home !== undefined && home !== found.home)
    options.push('-d', home, ...(args.move_home ? ['-m'] : []));
  if (missing.length + leaving.length > 0)
    options.push('-G', (wanted ?? []).join(','), ...(append ? ['-a'] : []));
  const actions: Action[] = [];
  const asks =
    (args.password !== undefined && update !== 'on_create') ||
    args.password_lock !== undefined ||
    args.expires !== undefined;
  const secret = asks
    ? await host.fact(passwordState, name, (args.password ?? '').replace(/^!/, ''))
    : undefined;
  const closes = args.expires === undefined || args.expires < 0 ? '' : dayOf(args.expires);
  if (args.expires !== undefined && String(secret?.expires ?? '') !== dayNumber(args.expires))
    options.push('-e', closes);
  if (options.length > 0 && !shadow)
    throw new TaskError(
      `Cannot change the user "${name}" on "${host.name}": "usermod" is not installed.`,
      {
        hint: 'Install it: busybox can only create and remove users.',
      },
    );
  if (options.length > 0) actions.push(exec('usermod', ...options, '--', name));
  if (args.password !== undefined && update !== 'on_create' && secret?.same !== true)
    actions.push(setPassword(name, args.password));
  if (args.password_lock !== undefined && args.password_lock !== secret?.locked)
    actions.push(exec(...lockCommand(shadow, args.password_lock), name));
  return actions;
}

function lockCommand(shadow: boolean, locks: boolean): [string, ...string[]] {
  return shadow ? ['usermod', locks ? '-L' : '-U'] : ['passwd', locks ? '-l' : '-u'];
}

function setPassword(name: string, hash: string): Action {
  return { ...exec('chpasswd', '-e'), stdin: `${name}:${hash}\n` };
}

function groupList({ groups }: Args): string[] | undefined {
  if (groups === undefined) return undefined;
  const names = Array.isArray(groups) ? groups : groups.split(',');
  return names.map((one) => one.trim()).filter((one) => one !== '');
}

/** Checks the groups first, so that no command fails after an earlier one made a change. */
async function requireGroups(names: readonly string[], host: HostFacts): Promise<void> {
  const found = await Promise.all(names.map((name) => host.fact(groupEntry, name)));
  const missing = names.filter((_, index) => found[index] === undefined);
  if (missing.length === 0) return;
  throw new TaskError(`There is no group "${missing.join('", "')}" on "${host.name}".`, {
    hint: 'Create it first with the module "group".',
  });
}

function dayNumber(seconds: number): string {
  return seconds < 0 ? '' : String(Math.floor(seconds / DAY_SECONDS));
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
