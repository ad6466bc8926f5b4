import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { gone, inOrder } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    state: { enum: ['file', 'directory'], description: 'Default: file.' },
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Directory to create it in. Default: /tmp.',
    },
    prefix: {
      type: 'string',
      pattern: '^[^/\\n]*$',
      description: 'Prefix of the name. Default: "runner.".',
    },
    suffix: {
      type: 'string',
      pattern: '^[^/\\n]*$',
      description: 'Suffix of the name. Default: none.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export const tempfile: Module<FromSchema<typeof schema>> = {
  name: 'tempfile',
  summary: 'Create a temporary file or directory with a unique name, accessible by its owner only.',
  args: schema,
  effect: 'restores',

  async plan(
    { state = 'file', path: directory = '/tmp', prefix = 'runner.', suffix = '' },
    { host, controller },
  ) {
    let path: string;
    do {
      path = `${directory.replace(/\/$/, '')}/${prefix}${controller.randomBytes(8).toString('hex')}${suffix}`;
    } while ((await host.fact(fileState, path)).type !== 'absent');
    const actions: Action[] =
      state === 'directory'
        ? [
            { kind: 'mkdir', path },
            { kind: 'chmod', path, mode: '0700' },
          ]
        : [{ kind: 'write', path, content: '', mode: '0600' }];
    return { actions, result: { path, state }, undo: inOrder(gone(path)) };
  },
};
