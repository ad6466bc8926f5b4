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
    path: { type: 'string', description: 'Path to bring back.' },
    state: { enum: ['absent', 'file', 'directory', 'link'], description: 'What was found there.' },
    mode: { type: 'string', description: 'Permissions that were found.' },
    owner: { type: 'string', description: 'Owner that was found.' },
    group: { type: 'string', description: 'Group that was found.' },
    checksum: { type: 'string', description: 'SHA-256 of the file that was found.' },
    tree: { type: 'string', description: 'Sum of all below the directory that was found.' },
    target: { type: 'string', description: 'What the link pointed at.' },
    copy: hostPath('Copy that was taken aside before the step.'),
  },
  required: ['path', 'state'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_path: Module<FromSchema<typeof schema>> = {
  name: 'restore_path',
  summary: 'Bring a path back to the state a step found. Used by automatic undo.',
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
      // The mode of a link is its kind's.
      const plain = state === 'absent' || state === 'link';
      return { actions: plain ? [] : attributeActions(path, now, wanted) };
    }
    if (state === 'absent') return { actions: [{ kind: 'remove', path }] };
    if (state === 'directory' && now.type === 'directory' && tree === undefined)
      return { actions: attributeActions(path, now, wanted) };
    return { actions: [await fromCopy(args, { host, controller })] };
  },
};

/** Brings the content back, from the copy on the host if that is whole, else from the controller's. */
async function fromCopy(
  { path, state, mode, owner, group, checksum, target, tree, copy }: FromSchema<typeof schema>,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Action> {
  if (copy === undefined) throw new TaskError(`No copy of "${path}" was kept.`);
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
    `The copy of "${path}" on the host is ${kept.type === 'absent' ? 'gone' : 'not what was copied'}, and the controller has none.`,
    { hint: 'Restore the path by hand, then run the rollback again with --skip CHANGE.' },
  );
}
