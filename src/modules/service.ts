import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { OldModule as Module } from './lib/old-module.ts';
import { unitStatus, USER_MANAGER, type UnitStatus } from '../facts/systemd.ts';
import type { HostView } from './lib/old-module.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, description: 'Unit; ".service" may be left out.' },
    state: {
      enum: ['started', 'stopped', 'restarted', 'reloaded'],
      description: 'Kept when absent. "restarted" and "reloaded" always count as a change.',
    },
    enabled: { type: 'boolean', description: 'Start at boot. Kept when absent.' },
    masked: { type: 'boolean', description: 'Make it impossible to start. Kept when absent.' },
    daemon_reload: {
      type: 'boolean',
      description: 'Make systemd read its unit files again first. It may stand alone.',
    },
    daemon_reexec: {
      type: 'boolean',
      description: 'Make systemd start itself anew first. It may stand alone.',
    },
    no_block: {
      type: 'boolean',
      description: 'Do not wait until the unit has started or stopped. Default: false.',
    },
    scope: {
      enum: ['system', 'user'],
      description:
        'Whose units: those of the system, or of the user who runs the task. Default: system.',
    },
    only_if_active: {
      type: 'boolean',
      description: 'Restart or reload only a unit that runs. Default: false.',
    },
  },
  anyOf: [{ required: ['name'] }, { required: ['daemon_reload'] }, { required: ['daemon_reexec'] }],
  additionalProperties: false,
} as const satisfies JSONSchema;

const OF_USER = `export ${USER_MANAGER}; exec systemctl --user "$@"`;

function statusOf(
  name: string,
  scope: 'system' | 'user' | undefined,
  host: HostView,
): Promise<UnitStatus> {
  return scope === 'user' ? host.fact(unitStatus, name, 'user') : host.fact(unitStatus, name);
}

export const service: Module<FromSchema<typeof schema>> = {
  name: 'service',
  summary: 'Start, stop, restart, enable, disable or mask a systemd unit.',
  schema,

  async plan({ name, state, enabled, masked, only_if_active: onlyIfActive, ...args }, host) {
    const { daemon_reload: reload, daemon_reexec: reexec, no_block: noBlock, scope } = args;
    const call = (...words: string[]) =>
      scope === 'user'
        ? exec('/bin/sh', '-c', OF_USER, 'systemctl', ...words)
        : exec('systemctl', ...words);
    const daemon = [
      ...(reexec === true ? [call('daemon-reexec')] : []),
      ...(reload === true ? [call('daemon-reload')] : []),
    ];
    if (name === undefined) {
      if ([state, enabled, masked].some((one) => one !== undefined))
        throw new TaskError('Which unit? "name" is missing.');
      return { actions: daemon };
    }
    const unit = await statusOf(name, scope, host);
    const actions: Action[] = [];
    const wantsNothing = state === 'stopped' || (state === undefined && enabled === false);
    if (!unit.exists && (wantsNothing || onlyIfActive) && enabled !== true && masked !== true)
      return { actions };
    if (!unit.exists && reload !== true) {
      throw new TaskError(`Unit "${name}" is not installed on "${host.name}".`, {
        hint: 'Install it first.',
      });
    }
    const waits = noBlock === true ? ['--no-block'] : [];
    const systemctl = (verb: string) => {
      const runs = ['start', 'stop', 'restart', 'reload'].includes(verb);
      actions.push(call(...(runs ? waits : []), verb, name));
    };
    if (masked === false && unit.masked) systemctl('unmask');
    if (enabled === true && !unit.enabled) systemctl('enable');
    if (enabled === false && unit.enabled) systemctl('disable');
    // systemd would accept a second `start`, but the task would then report a change.
    if (state === 'started' && !unit.active) systemctl('start');
    if (state === 'stopped' && unit.active) systemctl('stop');
    const wake = unit.active || onlyIfActive !== true;
    if (state === 'restarted' && wake) systemctl('restart');
    if (state === 'reloaded' && wake) systemctl(unit.active ? 'reload' : 'start');
    if (masked === true && !unit.masked) systemctl('mask');
    if (actions.length > 0) actions.unshift(...daemon);
    return { actions, result: { name, state: unit.active ? 'active' : 'inactive' } };
  },

  /** Reading unit files again is no change of its own. */
  finish: (result, { name }) => (name === undefined ? { ...result, changed: false } : result),

  // A rollback must not wake a service that was asleep before the run.
  again: (args) => ({ ...args, only_if_active: true }),

  async restore({ name, state, enabled, masked, scope }, host) {
    if (name === undefined) return [];
    const unit = await statusOf(name, scope, host);
    // A unit that came with a file of this run goes with it; stopping it is what is left to do.
    const args: JsonObject = { name, ...(scope === undefined ? {} : { scope }) };
    if (state !== undefined) args['state'] = unit.exists && unit.active ? 'started' : 'stopped';
    if (unit.exists && enabled !== undefined) args['enabled'] = unit.enabled;
    if (!unit.exists && enabled === true) args['enabled'] = false;
    if (unit.exists && masked !== undefined) args['masked'] = unit.masked;
    return [{ module: 'service', args }];
  },
};
