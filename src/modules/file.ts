import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { HostFacts, Module, Plan, PlannedUndo } from '../core/module.ts';
import {
  fileState,
  realPath,
  sameFile,
  treeAttributes,
  treeSum,
  type FileState,
  type PathAttributes,
} from '../facts/file.ts';
import { octalMode } from '../util/mode.ts';
import {
  attributeActions,
  fileProperties,
  gone,
  inOrder,
  names,
  pickAttributes,
  topmostMade,
  undoOfPath,
  wrongType,
} from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
    state: {
      enum: ['file', 'directory', 'absent', 'touch', 'link', 'hard'],
      description:
        'Wanted state; "file" requires an existing file and does not create one. Default: the existing file or directory.',
    },
    src: {
      type: 'string',
      minLength: 1,
      description: 'Target of the link. For "hard", the absolute path of an existing file.',
    },
    force: {
      type: 'boolean',
      description: 'Let a link replace an existing file. Default: false.',
    },
    follow: {
      type: 'boolean',
      description:
        'If path is a link, use its target; not with the states link, hard and absent. Default: true.',
    },
    recurse: {
      type: 'boolean',
      description:
        'Set mode, owner and group of everything below the directory, too. In a symbolic mode, "X" applies to directories and executable files only. If more than 5000 paths change, the task needs an undo.',
    },
    ...fileProperties,
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

/** If the attributes of more paths change, there is no automatic undo. */
const MAX_UNDO_PATHS = 5000;

export const file: Module<Args> = {
  name: 'file',
  summary: 'Create or remove a file, directory or link, and set its owner and mode.',
  args: schema,
  effect: 'restores',

  async plan(given, { host }) {
    requireValid(given);
    const args = await followed(given, host);
    const { path } = args;
    const found = await host.fact(fileState, path);
    const result = { path };
    const actions = await makeActions(args, found, host);
    if (actions.length > 0) actions.push(...attributesOfNew(args));
    else if (args.state === 'absent') return { actions, result };
    else if (args.recurse === true && found.type === 'directory') {
      const other = await otherAttributes(args, host);
      return { actions: treeActions(args, other), result, ...undoBelow(path, other) };
    } else actions.push(...attributeActions(path, found, args));
    if (actions.length === 0) return { actions, result };
    return { actions, result, undo: await undoOf(args, found, host) };
  },
};

async function undoOf(args: Args, found: FileState, host: HostFacts): Promise<PlannedUndo> {
  const { path } = args;
  if (found.type === 'absent') return inOrder(gone(await topmostMade(path, host)));
  const copy = needsCopy(args, found);
  const whole = copy && found.type === 'directory';
  const tree = whole ? ((await host.fact(treeSum, path)) ?? '') : undefined;
  return undoOfPath(path, found, host, { copy, ...(tree === undefined ? {} : { tree }) });
}

function requireValid({ state, src, recurse, path, ...attributes }: Args): void {
  if (recurse === true && state !== 'directory')
    throw new TaskError('"recurse" needs "state: directory".');
  const isLink = state === 'link' || state === 'hard';
  if (isLink && src === undefined) throw new TaskError('A link needs its target in "src".');
  if (state === 'hard' && src?.startsWith('/') === false)
    throw new TaskError(`"${src}" is not an absolute path on the host.`);
  const given = (['mode', 'owner', 'group'] as const).find((one) => attributes[one] !== undefined);
  if (state === 'hard' && given !== undefined)
    throw new TaskError(`A hard link shares the ${given} of its file: set it there.`);
  if (state === 'hard' && src === path)
    throw new TaskError(`"${path}" cannot be a link to itself.`);
}

/** The arguments, with a link in "path" replaced by its target. */
async function followed(args: Args, host: HostFacts): Promise<Args> {
  const { path, state, follow } = args;
  if (follow === false || ['absent', 'link', 'hard'].includes(state ?? 'file')) return args;
  if ((await host.fact(fileState, path)).type !== 'link') return args;
  const real = await host.fact(realPath, path);
  if (real === undefined)
    throw new TaskError(`The link "${path}" on "${host.name}" is broken.`, {
      hint: 'Remove it first, or set "follow: false".',
    });
  return { ...args, path: real };
}

async function makeActions(
  { path, state, src = '', force }: Args,
  found: FileState,
  host: HostFacts,
): Promise<Action[]> {
  const refuse = (wanted: 'file' | 'directory' | 'link', hint?: string) =>
    new TaskError(wrongType(path, found.type, wanted, host), {
      ...(hint === undefined ? {} : { hint }),
    });
  const replaceable = () => {
    if (found.type === 'directory' || found.type === 'other') throw refuse('link');
    if (found.type === 'file' && force !== true)
      throw refuse('link', 'Set "force: true" to replace the file; the undo restores it.');
  };
  switch (state ?? 'any') {
    case 'directory':
      if (found.type === 'directory') return [];
      if (found.type !== 'absent') throw refuse('directory');
      return [{ kind: 'mkdir', path }];
    case 'touch':
      return found.type === 'absent' ? [{ kind: 'write', path, content: '' }] : [];
    case 'link':
      if (found.type === 'link' && found.target === src) return [];
      replaceable();
      return [{ kind: 'symlink', path, target: src }];
    case 'hard': {
      const origin = await host.fact(fileState, src);
      if (origin.type !== 'file') throw new TaskError(wrongType(src, origin.type, 'file', host));
      if (found.type === 'file' && (await host.fact(sameFile, src, path))) return [];
      replaceable();
      return [{ kind: 'exec', argv: ['ln', '-f', src, path] }];
    }
    case 'absent':
      return found.type === 'absent' ? [] : [{ kind: 'remove', path }];
    case 'file':
    case 'any':
      if (found.type === 'file' || (state === undefined && found.type === 'directory')) return [];
      if (found.type === 'absent')
        throw new TaskError(`There is no file "${path}" on "${host.name}".`, {
          hint: 'Use "state: touch", or the module copy or template, to create it.',
        });
      throw refuse('file');
  }
}

/** Sets owner and mode of the path that the actions before create. */
function attributesOfNew(args: Args): Action[] {
  if (args.state === 'absent') return [];
  const kind = args.state === 'directory' ? 'directory' : args.state === 'link' ? 'link' : 'file';
  const fresh: FileState = {
    type: kind,
    mode: '',
    owner: '',
    group: '',
    uid: -1,
    gid: -1,
    size: 0,
    mtime: 0,
    checksum: '',
    target: '',
  };
  return attributeActions(args.path, fresh, args);
}

/** The directory and all paths below it whose attributes differ from the task. */
async function otherAttributes(args: Args, host: HostFacts): Promise<PathAttributes[]> {
  const { path, mode, owner, group } = args;
  if (mode === undefined && owner === undefined && group === undefined) return [];
  const found = await host.fact(treeAttributes, path, settledPattern(args));
  return found.filter(
    (one) =>
      hasOtherOwner(one, args) ||
      (mode !== undefined &&
        one.type !== 'link' &&
        octalMode(mode, one.mode, one.type === 'directory') !== one.mode),
  );
}

/** Whether owner or group differ from the task. */
function hasOtherOwner({ owner, uid, group, gid }: PathAttributes, wanted: Args): boolean {
  return (
    (wanted.owner !== undefined && !names(wanted.owner, owner, uid)) ||
    (wanted.group !== undefined && !names(wanted.group, group, gid))
  );
}

/** Matches lines of paths that certainly need no change. A symbolic mode depends on each path, so nothing matches. */
function settledPattern({ mode, owner, group }: Args): string {
  if (mode !== undefined && !/^\d/.test(mode)) return '^$';
  const any = '[^|]*';
  const digits = mode?.replace(/^0+(?=.)/, '') ?? any;
  const ids = [owner, group].map((one) => (one !== undefined && isNumber(one) ? one : any));
  const called = [owner, group].map((one) =>
    one === undefined || isNumber(one) ? any : one.replaceAll(/[^\w-]/g, String.raw`\$&`),
  );
  const who = [...ids, ...called].join(String.raw`\|`);
  return String.raw`^(${digits}\|${who}\||[0-7]+\|${who}\|symbolic link\|)`;
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

function treeActions(args: Args, other: readonly PathAttributes[]): Action[] {
  const { path, mode, owner, group } = args;
  if (other.length === 0) return [];
  const actions: Action[] = [];
  if (other.some((one) => hasOtherOwner(one, args)))
    actions.push({
      kind: 'chown',
      path,
      recurse: true,
      ...pickAttributes({ owner, group }),
    });
  // chown clears the set-ID bits, so chmod follows it.
  if (mode !== undefined) actions.push({ kind: 'chmod', path, mode, recurse: true });
  return actions;
}

/** The undo of changed attributes below a directory; none for too many paths. */
function undoBelow(path: string, other: readonly PathAttributes[]): Pick<Plan, 'undo'> {
  if (other.length > MAX_UNDO_PATHS) return {};
  const found: Record<string, string[]> = {};
  for (const { path: one, mode, uid, gid } of other)
    (found[`${mode} ${String(uid)} ${String(gid)}`] ??= []).push(one);
  return { undo: { calls: [{ module: 'restore_attributes', args: { name: path, found } }] } };
}

/** A directory that stays needs no copy: only its attributes change. */
function needsCopy(args: Args, found: FileState): boolean {
  return !(found.type === 'directory' && args.state !== 'absent');
}
