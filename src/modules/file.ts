import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module, Plan } from '../core/module.ts';
import { fileState, type FileState } from '../facts/file.ts';
import { attributeActions, fileProperties, restorePath } from './shared.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
    state: {
      enum: ['file', 'directory', 'absent', 'touch', 'link'],
      description:
        'What must be there. "file" only sets attributes of an existing file. Default: file.',
    },
    src: { type: 'string', description: 'What a link points at.' },
    ...fileProperties,
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

function makeActions({ path, state, src }: Args, found: FileState): Action[] {
  switch (state ?? 'file') {
    case 'directory':
      if (found.type === 'directory') return [];
      if (found.type !== 'absent')
        throw new TaskError(`"${path}" is a ${found.type}, not a directory.`);
      return [{ kind: 'mkdir', path }];
    case 'touch':
      return found.type === 'absent' ? [{ kind: 'write', path, content: '' }] : [];
    case 'link':
      if (src === undefined) throw new TaskError('A link needs "src", what it points at.');
      if (found.type === 'link' && found.target === src) return [];
      if (found.type === 'directory') throw new TaskError(`"${path}" is a directory, not a link.`);
      return [{ kind: 'symlink', path, target: src }];
    case 'absent':
      return found.type === 'absent' ? [] : [{ kind: 'remove', path }];
    case 'file':
      if (found.type !== 'file') {
        throw new TaskError(
          `"${path}" is ${found.type === 'absent' ? 'absent' : `a ${found.type}`}, not a file.`,
          { hint: 'Use state: touch, or the module copy or template, to make one.' },
        );
      }
      return [];
  }
}

export const file: Module<Args> = {
  name: 'file',
  summary: 'Make or remove a file, directory or link, and set owner and mode.',
  schema,

  async plan(args, host): Promise<Plan> {
    const found = await host.fact(fileState, args.path);
    const actions = makeActions(args, found);
    if (args.state !== 'absent') {
      const fresh =
        actions.length > 0 ? { ...found, mode: '', owner: '', group: '', uid: -1, gid: -1 } : found;
      const isLink = args.state === 'link';
      actions.push(
        ...attributeActions(
          args.path,
          fresh,
          isLink ? { ...args, mode: undefined as never } : args,
        ),
      );
    }
    return {
      actions,
      result: { path: args.path },
      capture: needsCopy(args, found) ? [args.path] : [],
    };
  },

  async restore(args, host, captured) {
    const found = await host.fact(fileState, args.path);
    const whole = found.type === 'directory' && needsCopy(args, found);
    return restorePath(await topmostMade(args.path, host), host, captured, { whole });
  },
};

/** A directory that stays needs no copy: only its attributes are touched. */
function needsCopy(args: Args, found: FileState): boolean {
  return !(found.type === 'directory' && args.state !== 'absent');
}

/** `mkdir -p` makes parents too; the undo removes the first one that was not there. */
async function topmostMade(path: string, host: Parameters<Module['plan']>[1]): Promise<string> {
  let made = path;
  for (;;) {
    const parent = made.slice(0, made.lastIndexOf('/'));
    if (parent === '') return made;
    if ((await host.fact(fileState, parent)).type !== 'absent') return made;
    made = parent;
  }
}
