import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { HostFacts, Module, PlannedUndo, UndoCall } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { k0sState, k0sStock, STOCK, UNITS, type K0sState } from '../facts/k0s.ts';
import { packageRoot } from '../util/package.ts';
import { MOUNTS_BELOW } from '../util/shell.ts';
import { inOrder, undoOfPath } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    state: {
      enum: ['installed', 'started', 'stopped', 'uninstalled', 'reset'],
      description:
        'installed: install the service, with role. started and stopped: start or stop it. uninstalled: remove the service but keep the data. reset: remove service, data, pods and mounts of k0s; this needs a stopped k0s and cannot be undone. Without state, the result reports what is installed.',
    },
    role: { enum: ['controller', 'worker'], description: 'Role to install.' },
    config: { type: 'string', pattern: '^/', description: 'Configuration file of a controller.' },
    token_file: { type: 'string', pattern: '^/', description: 'File with the join token.' },
    flags: {
      type: 'array',
      items: { type: 'string', pattern: '^--' },
      description: 'Additional flags for "k0s install", such as --enable-worker.',
    },
    token: {
      enum: ['controller', 'worker'],
      description:
        'Create a join token for this role, on a running controller. The result contains it as "stdout" and its ID as "token_id". Use no_log.',
    },
    revoke_token: {
      type: 'string',
      pattern: '^[a-z0-9]{6}$',
      description: 'ID of a join token to revoke.',
    },
    expiry: {
      type: 'string',
      pattern: '^([0-9]+[smh])+$',
      description: 'Lifetime of the token, such as 10m. Default: 1h.',
    },
    before: {
      type: 'string',
      description:
        'For reset: "stock" in the result of a step without state that ran before k0s was started. The reset then also removes what k0s and its pods added outside their directories (files, network links, routes, iptables chains), and restores kernel settings.',
    },
    k0s: {
      type: 'string',
      pattern: '^/',
      description: 'Path of the k0s program. Default: /usr/local/bin/k0s.',
    },
    data_dir: {
      type: 'string',
      pattern: '^/',
      description: 'Data directory. Default: /var/lib/k0s.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

const DATA_DIR = '/var/lib/k0s';
/** Limit of an unpacked token; usual ones have about 2 KiB. */
const MAX_TOKEN = 1 << 20;

export const k0s: Module<Args> = {
  name: 'k0s',
  summary:
    'Install, start, stop, uninstall or reset the k0s service, or create and revoke join tokens.',
  args: schema,
  effect: ({ state, token, revoke_token: revoked }) => {
    if (state === undefined && !token && !revoked) return 'reads';
    return state === 'reset' ? 'changes' : 'restores';
  },

  async plan(args, { host }) {
    const asks = args.state === undefined && !args.token && !args.revoke_token;
    const [found, stock] = await Promise.all([
      readState(args, host),
      asks || args.before !== undefined ? host.fact(k0sStock) : undefined,
    ]);
    const { role, version, active } = found;
    const result = {
      version: version ?? '',
      role: role ?? '',
      active,
      ...(asks && stock !== undefined ? { stock, left: found.left, mounts: found.mounts } : {}),
    };
    const needsProgram = args.state === 'installed' || args.state === 'started';
    if (version === undefined && needsProgram)
      throw new TaskError(`There is no k0s at "${programOf(args)}" on "${host.name}".`, {
        hint: 'Install the program first with "copy" or "get_url".',
      });
    if (args.token !== undefined || args.revoke_token !== undefined)
      return { actions: [tokenAction(args, found)], result, undo: { calls: [] } };
    const actions = actionsFor(args, found, stock);
    const undo = actions.length > 0 ? await undoOf(args, found, host) : undefined;
    return { actions, result, touches: ['k0s'], ...(undo ? { undo } : {}) };
  },

  conclude([answer], { token }) {
    const id = token === undefined ? undefined : tokenId(answer?.stdout ?? '');
    return id === undefined ? {} : { result: { token_id: id } };
  },
};

async function undoOf(
  args: Args,
  found: K0sState,
  host: HostFacts,
): Promise<PlannedUndo | undefined> {
  const call = (state: string): UndoCall => {
    const how: JsonObject = {};
    if (args.k0s !== undefined) how['k0s'] = args.k0s;
    if (args.data_dir !== undefined) how['data_dir'] = args.data_dir;
    return { module: 'k0s', args: { state, ...how } };
  };
  switch (args.state) {
    case 'installed':
      // Existing data must stay, and a reset would remove it.
      return inOrder(call('stopped'), call(found.hasData ? 'uninstalled' : 'reset'));
    case 'started':
      return inOrder(call('stopped'));
    case 'stopped':
      return inOrder(call('started'));
    case 'uninstalled':
      return undoOfUnit(found, host);
    case 'reset':
      return undefined;
    case undefined:
    default:
      // A token expires by itself.
      return { calls: [] };
  }
}

function programOf({ k0s: program = '/usr/local/bin/k0s' }: Args): string {
  return program;
}

async function readState(args: Args, host: HostFacts): Promise<K0sState> {
  if (args.before !== undefined && args.state !== 'reset')
    throw new TaskError('"before" needs "state: reset".');
  const requests = [args.token, args.revoke_token, args.state].filter((one) => one !== undefined);
  if (requests.length > 1)
    throw new TaskError('"state", "token" and "revoke_token" cannot be combined.');
  if (args.state === 'installed' && args.role === undefined)
    throw new TaskError('"state: installed" needs "role: controller" or "role: worker".');
  return host.fact(k0sState, programOf(args), args.data_dir ?? DATA_DIR);
}

function tokenAction(args: Args, { active, role }: K0sState): Action {
  if (!active || role !== 'controller')
    throw new TaskError('Tokens can only be created and revoked on a running controller.', {
      hint: 'Delegate the task to a controller.',
    });
  if (args.revoke_token !== undefined)
    return { kind: 'exec', argv: [programOf(args), 'token', 'invalidate', args.revoke_token] };
  const flags = [`--role=${args.token ?? ''}`, `--expiry=${args.expiry ?? '1h'}`];
  return { kind: 'exec', argv: [programOf(args), 'token', 'create', ...flags] };
}

/** Whether the host has anything that is missing in the earlier stock. */
function hasMore(before: string | undefined, now = ''): boolean {
  const had = new Set(before?.split('\n'));
  return before !== undefined && now.split('\n').some((line) => line !== '' && !had.has(line));
}

function actionsFor(args: Args, found: K0sState, stock: string | undefined): Action[] {
  const run = (...words: string[]): Action => ({ kind: 'exec', argv: [programOf(args), ...words] });
  const { role, active, hasData } = found;
  const unit = `k0s${role ?? ''}.service`;
  switch (args.state) {
    case 'installed':
      if (role === args.role) return [];
      if (role !== undefined)
        throw new TaskError(`k0s is installed as a ${role}.`, {
          hint: 'Stop and reset k0s before you install it with another role.',
        });
      return [run('install', ...installWords(args))];
    case 'started':
      if (active) return [];
      if (role === undefined)
        throw new TaskError('k0s is not installed as a service.', {
          hint: 'Install it first: k0s: { state: installed, role: … }.',
        });
      // Not "k0s start", which refuses a unit that has failed before.
      return [{ kind: 'exec', argv: ['systemctl', 'start', unit] }];
    case 'stopped':
      // Not "k0s stop": this also works without the program, and while systemd waits to restart a failed unit.
      return active ? [{ kind: 'exec', argv: ['systemctl', 'stop', unit] }] : [];
    case 'uninstalled':
      if (role === undefined) return [];
      if (active) throw stillRunning();
      return [
        { kind: 'exec', argv: ['systemctl', 'disable', unit] },
        { kind: 'remove', path: unitFile(role) },
        { kind: 'exec', argv: ['systemctl', 'daemon-reload'] },
      ];
    case 'reset':
      if (role === undefined && !hasData && !found.hasTraces && !hasMore(args.before, stock))
        return [];
      if (active) throw stillRunning();
      return [
        {
          kind: 'exec',
          argv: ['/bin/sh', '-c', resetScript(), 'k0s-reset', args.data_dir ?? DATA_DIR],
          ...(args.before === undefined ? {} : { stdin: args.before }),
        },
      ];
    case undefined:
    default:
      return [];
  }
}

function stillRunning(): TaskError {
  return new TaskError('k0s is running.', { hint: 'Stop it first with "state: stopped".' });
}

/** Read only when needed, because few runs reset k0s. */
function resetScript(): string {
  const script = readFileSync(join(packageRoot(), 'src', 'modules', 'lib', 'k0s-reset.sh'), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n');
  return `${STOCK}\n${MOUNTS_BELOW}\n${script}`;
}

/** A token is a compressed kubeconfig in base64. The ID is the part of its bootstrap token before the dot. */
function tokenId(token: string): string | undefined {
  try {
    const text = gunzipSync(Buffer.from(token.trim(), 'base64'), { maxOutputLength: MAX_TOKEN });
    return /^\s*token: ["']?([a-z0-9]{6})\./m.exec(text.toString('utf8'))?.[1];
  } catch {
    return undefined;
  }
}

function unitFile(role: K0sState['role']): string {
  return `${UNITS}/k0s${role ?? ''}.service`;
}

function installWords({
  role = 'controller',
  config,
  token_file: token,
  data_dir: data,
  flags,
}: Args) {
  return [
    role,
    ...(config === undefined ? [] : ['--config', config]),
    ...(token === undefined ? [] : ['--token-file', token]),
    ...(data === undefined ? [] : ['--data-dir', data]),
    ...(flags ?? []),
  ];
}

async function undoOfUnit({ role, enabled }: K0sState, host: HostFacts): Promise<PlannedUndo> {
  const path = unitFile(role);
  return inOrder(undoOfPath(path, await host.fact(fileState, path), host), {
    module: 'systemd_service',
    args: { name: `k0s${role ?? ''}`, enabled, daemon_reload: true },
  });
}
