import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { crontab } from '../../facts/system.ts';
import { withJob, withVariable, writeTable } from '../lib/crontab.ts';

const schema = {
  type: 'object',
  properties: {
    user: { type: 'string', description: 'User of the crontab.' },
    name: { type: 'string', description: 'Name of the job or variable.' },
    line: { type: 'string', description: 'Line before the step; absent if there was none.' },
    env: { type: 'boolean', description: 'Restore a variable instead of a job.' },
    place: { type: 'integer', description: 'Index of the line of the variable.' },
    had_table: { type: 'boolean', description: 'Whether the user had a crontab.' },
  },
  required: ['user', 'name', 'had_table'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_cron: Module<FromSchema<typeof schema>> = {
  name: 'restore_cron',
  summary: 'Restore a cron job or variable. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ user, name, line, env, place, had_table: hadTable }, { host }) {
    const now = await host.fact(crontab, user);
    const text =
      env === true ? withVariable(now ?? '', name, line, place) : withJob(now ?? '', name, line);
    const stays = text === (now ?? '') && (hadTable || text !== '' || now === undefined);
    return { actions: stays ? [] : [writeTable(user, text)] };
  },
};
