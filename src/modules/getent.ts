import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { nameEntries } from '../facts/lists.ts';

const schema = {
  type: 'object',
  properties: {
    database: {
      type: 'string',
      pattern: '^[a-z][a-z0-9]*$',
      description: 'Database to search: passwd, group, hosts, services or another one.',
    },
    key: { type: 'string', minLength: 1, description: 'Entry to look up. Default: all entries.' },
    fail_key: {
      type: 'boolean',
      description: 'Fail if the entry does not exist. Default: true.',
    },
  },
  required: ['database'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const getent: Module<FromSchema<typeof schema>> = {
  name: 'getent',
  summary: 'Look up users, groups, hosts, services and other names as the host resolves them.',
  args: schema,
  effect: 'reads',

  async plan({ database, key, fail_key: mustExist = true }, { host }) {
    const found = await (key === undefined
      ? host.fact(nameEntries, database)
      : host.fact(nameEntries, database, key));
    if (found === undefined && mustExist)
      throw new TaskError(`"${key ?? ''}" is not in "${database}" of "${host.name}".`);
    return { actions: [], result: { entries: found ?? {} } };
  },
};
