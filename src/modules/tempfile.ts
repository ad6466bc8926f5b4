import { randomBytes } from 'node:crypto';
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import type { UndoCall as ModuleCall } from '../core/module.ts';
import type { OldModule as Module } from './lib/old-module.ts';
import { fileState } from '../facts/file.ts';
import type { HostView } from './lib/old-module.ts';

const schema = {
  type: 'object',
  properties: {
    state: { enum: ['file', 'directory'], description: 'Default: file.' },
    path: { type: 'string', pattern: '^/', description: 'Folder it is made in. Default: /tmp.' },
    prefix: {
      type: 'string',
      pattern: '^[^/\\n]*$',
      description: 'What its name begins with. Default: runner.',
    },
    suffix: { type: 'string', pattern: '^[^/\\n]*$', description: 'What its name ends with.' },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

/** Names given out while planning, so that the undo of a step takes the one that the step made. */
const given = new WeakMap<HostView, string>();

export const tempfile: Module<FromSchema<typeof schema>> = {
  name: 'tempfile',
  summary: 'Create a temporary file or directory with a unique name, accessible by its owner only.',
  schema,

  async plan({ state = 'file', path: folder = '/tmp', prefix = 'runner.', suffix = '' }, host) {
    let path: string;
    do {
      path = `${folder.replace(/\/$/, '')}/${prefix}${randomBytes(8).toString('hex')}${suffix}`;
    } while ((await host.fact(fileState, path)).type !== 'absent');
    given.set(host, path);
    const actions: Action[] =
      state === 'directory'
        ? [
            { kind: 'mkdir', path },
            { kind: 'chmod', path, mode: '0700' },
          ]
        : [{ kind: 'write', path, content: '', mode: '0600' }];
    return { actions, result: { path, state } };
  },

  restore(_args, host): Promise<ModuleCall[]> {
    const path = given.get(host);
    return Promise.resolve(
      path === undefined ? [] : [{ module: 'restore_path', args: { path, state: 'absent' } }],
    );
  },
};
