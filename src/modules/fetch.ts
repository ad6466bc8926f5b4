import { join } from 'node:path';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      pattern: '^/',
      description: 'Absolute path of a file on the host.',
    },
    dest: {
      type: 'string',
      description: 'File on the controller; a trailing slash means a folder.',
    },
    flat: {
      type: 'boolean',
      description:
        'With false, dest is a folder in which each host has one of its own, and in that the path it has there. Default: true.',
    },
    fail_on_missing: {
      type: 'boolean',
      description: 'A file that is not there is a failure. Default: true.',
    },
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const fetch: Module<FromSchema<typeof schema>> = {
  name: 'fetch',
  summary: 'Copy a file of the host to the controller.',
  schema,
  shorthand: 'src',

  async plan({ src, dest, flat = true, fail_on_missing: mustExist = true }, host) {
    const state = await host.fact(fileState, src);
    if (state.type === 'absent' && !mustExist)
      return { actions: [], result: { msg: `"${src}" is not there.` } };
    if (state.type === 'absent') throw new TaskError(`"${src}" does not exist on "${host.name}".`);
    if (state.type !== 'file') {
      throw new TaskError(`"${src}" on "${host.name}" is a ${state.type}, not a file.`, {
        hint: state.type === 'link' ? `It points at "${state.target}": fetch that.` : undefined,
      });
    }
    const inFolder = dest.endsWith('/') ? `${dest}${src.slice(src.lastIndexOf('/') + 1)}` : dest;
    const path = flat ? inFolder : join(dest, host.name, src);
    const before = await host.localChecksum(path);
    if (before === state.checksum)
      return { actions: [], result: { dest: path, checksum: state.checksum } };
    return {
      actions: [{ kind: 'fetch', path: src, to: path, checksum: state.checksum }],
      result: { dest: path, checksum: state.checksum },
    };
  },

  async restore() {
    // A copy on the operator's machine is evidence; taking the run back does not remove it.
    return Promise.resolve([]);
  },
};
