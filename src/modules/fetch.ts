import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileContent, fileState } from '../facts/file.ts';
import { sha256 } from './shared.ts';

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      pattern: '^/',
      description: 'Absolute path of a file on the host, at most 8 MiB.',
    },
    dest: {
      type: 'string',
      description: 'File on the controller; a trailing slash means a folder.',
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

  async plan({ src, dest }, host) {
    const [state, content] = await Promise.all([
      host.fact(fileState, src),
      host.fact(fileContent, src),
    ]);
    if (content === undefined) throw new TaskError(`"${src}" does not exist on "${host.name}".`);
    if (sha256(content) !== state.checksum) {
      throw new TaskError(`"${src}" changed while it was read, or is larger than 8 MiB.`);
    }
    const path = dest.endsWith('/') ? `${dest}${src.slice(src.lastIndexOf('/') + 1)}` : dest;
    const before = await host.localChecksum(path);
    if (before === state.checksum)
      return { actions: [], result: { dest: path, checksum: state.checksum } };
    return {
      actions: [{ kind: 'save', path, content: content.toString('base64') }],
      result: { dest: path, checksum: state.checksum },
    };
  },

  async restore() {
    // A copy on the operator's machine is evidence; taking the run back does not remove it.
    return Promise.resolve([]);
  },
};
