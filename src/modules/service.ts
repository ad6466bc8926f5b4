import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action, type ExecAction } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { HostFacts, Module } from '../core/module.ts';
import { unitStatus, USER_MANAGER, type UnitStatus } from '../facts/systemd.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      minLength: 1,
      description: 'Name of the unit; ".service" may be omitted.',
    },
    state: {
      enum: ['started', 'stopped', 'restarted', 'reloaded'],
      description:
        'Wanted state. Default: unchanged. "restarted" and "reloaded" always count as a change.',
    },
    enabled: { type: 'boolean', description: 'Start the unit at boot. Default: unchanged.' },
    masked: {
      type: 'boolean',
      description: 'Mask the unit, so that it cannot be started. Default: unchanged.',
    },
    daemon_reload: {
      type: 'boolean',
      description: 'Run "systemctl daemon-reload" first. Allowed without name.',
    },
    daemon_reexec: {
      type: 'boolean',
      description: 'Run "systemctl daemon-reexec" first. Allowed without name.',
    },
    no_block: {
      type: 'boolean',
      description: 'Do not wait until the unit has started or stopped. Default: false.',
    },
    scope: {
      enum: ['system', 'user'],
      description: 'Manage units of the system, or of the user who runs the task. Default: system.',
    },
    only_if_active: {
      type: 'boolean',
      description: 'Restart or reload the unit only if it is running. Default: false.',
    },
  },
  anyOf: [{ required: ['name'] }, { required: ['daemon_reload'] }, { required: ['daemon_reexec'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

const OF_USER = `export ${USER_MANAGER}; exec systemctl --user "$@"`;

function statusOf(
  name: string,
  scope: 'system' | 'user' | undefined,
  host: HostFacts,
): Promise<UnitStatus> {
  return scope === 'user' ? host.fact(unitStatus, name, 'user') : host.fact(unitStatus, name);
}

type Args = FromSchema<typeof schema>;

export const service: Module<Args> = {
  name: 'service',
  summary: 'Start, stop, restart, enable, disable or mask a systemd unit.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { name, state, enabled, masked, scope } = args;
    const daemon = daemonActions(args);
    if (name === undefined) {
      if ([state, enabled, masked].some((one) => one !== undefined))
        throw new TaskError('"state", "enabled" and "masked" need "name".');
      return { actions: daemon, undo: { calls: [] } };
    }
    const unit = await statusOf(name, scope, host);
    const actions = unitActions(name, unit, args, host);
    return {
      actions: actions.length > 0 ? [...daemon, ...actions] : [],
      undo: {
        calls: [{ module: 'service', args: asFound(name, unit, args) }],
        // A rollback must not start a service that was stopped before the run.
        rerun: { module: 'service', args: { ...args, only_if_active: true } },
      },
      ...(unit.exists || actions.length > 0
        ? { result: { name, state: unit.active ? 'active' : 'inactive' } }
        : {}),
    };
  },
};

function call(scope: Args['scope'], ...words: string[]): ExecAction {
  return scope === 'user'
    ? exec('/bin/sh', '-c', OF_USER, 'systemctl', ...words)
    : exec('systemctl', ...words);
}

/** daemon-reload and daemon-reexec alone do not count as changes. */
function daemonActions({ scope, daemon_reload: reload, daemon_reexec: reexec }: Args): Action[] {
  return [
    ...(reexec === true ? ['daemon-reexec'] : []),
    ...(reload === true ? ['daemon-reload'] : []),
  ].map((verb) => ({ ...call(scope, verb), counts: false as const }));
}

function unitActions(name: string, unit: UnitStatus, args: Args, host: HostFacts): Action[] {
  const { state, enabled, masked, scope, only_if_active: onlyIfActive } = args;
  const wantsNothing = state === 'stopped' || (state === undefined && enabled === false);
  if (!unit.exists && (wantsNothing || onlyIfActive) && enabled !== true && masked !== true)
    return [];
  if (!unit.exists && args.daemon_reload !== true) {
    throw new TaskError(`Unit "${name}" is not installed on "${host.name}".`, {
      hint: 'Install it first.',
    });
  }
  const actions: Action[] = [];
  const waits = args.no_block === true ? ['--no-block'] : [];
  const systemctl = (verb: string) => {
    const runs = ['start', 'stop', 'restart', 'reload'].includes(verb);
    actions.push(call(scope, ...(runs ? waits : []), verb, name));
  };
  if (masked === false && unit.masked) systemctl('unmask');
  if (enabled === true && !unit.enabled) systemctl('enable');
  if (enabled === false && unit.enabled) systemctl('disable');
  // systemd would accept a second `start`, but the task would then report a change.
  if (state === 'started' && !unit.active) systemctl('start');
  if (state === 'stopped' && unit.active) systemctl('stop');
  const mayStart = unit.active || onlyIfActive !== true;
  if (state === 'restarted' && mayStart) systemctl('restart');
  if (state === 'reloaded' && mayStart) systemctl(unit.active ? 'reload' : 'start');
  if (masked === true && !unit.masked) systemctl('mask');
  return actions;
}

/** Arguments that restore the found state of the unit. */
function asFound(name: string, unit: UnitStatus, args: Args): JsonObject {
  const { state, enabled, masked, scope } = args;
  // If this run created the unit file, another undo removes it; here the unit only has to be stopped.
  const found: JsonObject = { name, ...(scope === undefined ? {} : { scope }) };
  if (state !== undefined) found['state'] = unit.exists && unit.active ? 'started' : 'stopped';
  if (unit.exists && enabled !== undefined) found['enabled'] = unit.enabled;
  if (!unit.exists && enabled === true) found['enabled'] = false;
  if (unit.exists && masked !== undefined) found['masked'] = unit.masked;
  return found;
}
