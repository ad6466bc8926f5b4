import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type { Module, Sight } from '../../core/module.ts';
import { fileState, treeSum } from '../../facts/file.ts';
import { sha256 } from '../../util/digest.ts';
import { attributeActions, hostPath, pickAttributes } from '../lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Path to restore.' },
    state: {
      enum: ['absent', 'file', 'directory', 'link'],
      description: 'Type of the path before the step.',
    },
    mode: { type: 'string', description: 'Permissions before the step.' },
    owner: { type: 'string', description: 'Owner before the step.' },
    group: { type: 'string', description: 'Group before the step.' },
    checksum: { type: 'string', description: 'SHA-256 of the file before the step.' },
    tree: {
      type: 'string',
      description: 'Checksum over the tree of the directory before the step.',
    },
    target: { type: 'string', description: 'Target of the link before the step.' },
    copy: hostPath('Copy from before the step.'),
  },
  required: ['path', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_path: Module<FromSchema<typeof schema>> = {
  name: 'restore_path',
  summary: 'Restore the state of a path before a step. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { path, state, mode, owner, group, tree } = args;
    const [now, below] = await Promise.all([
      host.fact(fileState, path),
      tree === undefined ? undefined : host.fact(treeSum, path),
    ]);
    const wanted = pickAttributes({ mode, owner, group });
    const same =
      now.type === state &&
      (state !== 'file' || now.checksum === args.checksum) &&
      (state !== 'link' || now.target === args.target) &&
      below === tree;
    if (same) {
      // A link has no mode of its own.
      const plain = state === 'absent' || state === 'link';
      return { actions: plain ? [] : attributeActions(path, now, wanted) };
    }
    if (state === 'absent') return { actions: [{ kind: 'remove', path }] };
    if (state === 'directory' && now.type === 'directory' && tree === undefined)
      return { actions: attributeActions(path, now, wanted) };
    return { actions: [await fromCopy(args, { host, controller })] };
  },
};

/** Restores the content from the copy on the host or, if that is damaged, from the copy on the controller. */
async function fromCopy(
  { path, state, mode, owner, group, checksum, target, tree, copy }: FromSchema<typeof schema>,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Action> {
  if (copy === undefined) throw new TaskError(`There is no copy of "${path}".`);
  const [kept, below] = await Promise.all([
    host.fact(fileState, copy),
    tree === undefined ? undefined : host.fact(treeSum, copy),
  ]);
  const whole =
    kept.type === state &&
    (state !== 'file' || kept.checksum === checksum) &&
    (state !== 'link' || kept.target === target) &&
    below === tree;
  if (whole) return { kind: 'copy', from: copy, path };
  const own = state === 'file' ? controller.keptCopy(copy) : undefined;
  if (own && sha256(own) === checksum) {
    const content = { content: own.toString('base64'), encoding: 'base64' as const };
    return {
      kind: 'write',
      path,
      ...content,
      ...pickAttributes({ mode, owner, group }),
    };
  }
  throw new TaskError(
    `The copy of "${path}" on the host is ${kept.type === 'absent' ? 'missing' : 'damaged'}, and the controller has no valid copy.`,
    { hint: 'Restore the path by hand, then run the rollback again with --skip CHANGE.' },
  );
}
