import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { fileState, fileSum, realPath } from '../facts/file.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
    follow: { type: 'boolean', description: 'Follow symbolic links. Default: false.' },
    get_checksum: { type: 'boolean', description: 'Return the checksum of a file. Default: true.' },
    checksum_algorithm: {
      enum: ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'],
      description: 'Checksum algorithm. Default: sha256.',
    },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const stat: Module<FromSchema<typeof schema>> = {
  name: 'stat',
  summary: 'Report the type, attributes and checksum of a path on the host.',
  args: schema,
  effect: 'reads',

  async plan({ path, follow, get_checksum: sums = true, ...args }, { host }) {
    const { checksum_algorithm: algorithm = 'sha256' } = args;
    const place = follow === true ? await host.fact(realPath, path) : path;
    if (place === undefined) return { actions: [], result: { stat: { exists: false } } };
    const { type, checksum: sha256, ...rest } = await host.fact(fileState, place);
    const exists = type !== 'absent';
    const other = sums && type === 'file' && algorithm !== 'sha256';
    const sum = other ? await host.fact(fileSum, place, algorithm) : sha256;
    const state = { ...rest, ...(sums ? { checksum: sum } : {}) };
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
