import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileState } from '../facts/file.ts';
import { attributeActions } from './shared.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Path to bring back.' },
    state: { enum: ['absent', 'file', 'directory', 'link'], description: 'What was found there.' },
    mode: { type: 'string', description: 'Permissions that were found.' },
    owner: { type: 'string', description: 'Owner that was found.' },
    group: { type: 'string', description: 'Group that was found.' },
    checksum: { type: 'string', description: 'SHA-256 of the file that was found.' },
    target: { type: 'string', description: 'What the link pointed at.' },
    copy: { type: 'string', description: 'Copy that was taken aside before the step.' },
  },
  required: ['path', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_path: Module<FromSchema<typeof schema>> = {
  name: 'restore_path',
  summary: 'Bring a path back to the state a step found. Used by automatic undo.',
  schema,
  internal: true,

  async plan({ path, state, mode, owner, group, checksum, target, copy }, host) {
    const now = await host.fact(fileState, path);
    const wanted = {
      ...(mode === undefined ? {} : { mode }),
      ...(owner === undefined ? {} : { owner }),
      ...(group === undefined ? {} : { group }),
    };
    const same =
      now.type === state &&
      (state !== 'file' || now.checksum === checksum) &&
      (state !== 'link' || now.target === target);
    if (same) return { actions: state === 'absent' ? [] : attributeActions(path, now, wanted) };
    if (state === 'absent') return { actions: [{ kind: 'remove', path }] };
    if (state === 'directory' && now.type === 'directory')
      return { actions: attributeActions(path, now, wanted) };
    if (copy === undefined) throw new TaskError(`No copy of "${path}" was kept.`);
    const actions: Action[] = [{ kind: 'copy', from: copy, path }];
    return { actions };
  },
};
