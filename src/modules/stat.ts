import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const stat: Module<FromSchema<typeof schema>> = {
  name: 'stat',
  summary: 'Look at a path on the host.',
  schema,
  readOnly: true,

  async plan({ path }, host) {
    const { type, ...state } = await host.fact(fileState, path);
    const exists = type !== 'absent';
    return {
      actions: [],
      result: {
        stat: exists
          ? {
              exists,
              type,
              isdir: type === 'directory',
              isreg: type === 'file',
              islnk: type === 'link',
              ...state,
            }
          : { exists },
      },
    };
  },
};
