import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { accountTools, groupEntry } from '../facts/account.ts';
import { ACCOUNT_NAME, accountCall } from './lib/account.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: ACCOUNT_NAME, description: 'Name of the group.' },
    gid: {
      type: 'integer',
      minimum: 0,
      description: 'Numeric ID. Default: unchanged, or the next free one.',
    },
    system: { type: 'boolean', description: 'Create a system group.' },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const group: Module<FromSchema<typeof schema>> = {
  name: 'group',
  summary: 'Create, change or remove a group.',
  args: schema,
  effect: 'restores',

  async plan({ name, gid, system, state = 'present' }, { host }) {
    const [found, tools] = await Promise.all([
      host.fact(groupEntry, name),
      host.fact(accountTools),
    ]);
    const shadow = tools === 'shadow';
    const actions: Action[] = [];
    if (state === 'absent') {
      if (found) actions.push(exec(shadow ? 'groupdel' : 'delgroup', name));
    } else if (!found) {
      const number = gid === undefined ? [] : ['-g', String(gid)];
      actions.push(
        shadow
          ? exec('groupadd', ...number, ...(system ? ['-r'] : []), name)
          : exec('addgroup', ...number, ...(system ? ['-S'] : []), name),
      );
    } else if (gid !== undefined && gid !== found.gid) {
      if (!shadow)
        throw new TaskError(
          `Cannot change the ID ${String(found.gid)} of the group "${name}" on "${host.name}": "groupmod" is not installed.`,
        );
      actions.push(exec('groupmod', '-g', String(gid), name));
    }
    return {
      actions,
      result: { name, state, ...(found ? { gid: found.gid } : {}) },
      ...(actions.length > 0 ? { undo: { calls: [await accountCall(name, host)] } } : {}),
    };
  },
};
