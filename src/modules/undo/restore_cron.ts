import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { crontab } from '../../facts/system.ts';
import { withJob, withVariable, writeTable } from '../lib/crontab.ts';

const schema = {
  type: 'object',
  properties: {
    user: { type: 'string', description: 'Whose table it is.' },
    name: { type: 'string', description: 'Name of the job.' },
    line: { type: 'string', description: 'The line that was found; absent when there was none.' },
    env: { type: 'boolean', description: 'It is a variable, not a job.' },
    place: { type: 'integer', description: 'Which line of the table the variable was.' },
    had_table: { type: 'boolean', description: 'Whether the user had a table at all.' },
  },
  required: ['user', 'name', 'had_table'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_cron: Module<FromSchema<typeof schema>> = {
  name: 'restore_cron',
  summary: 'Bring a scheduled job back as a step found it. Used by automatic undo.',
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
