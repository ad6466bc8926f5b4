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
} from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^/', description: 'Absolute path on the host.' },
    state: {
      enum: ['file', 'directory', 'absent', 'touch', 'link', 'hard'],
      description:
        'What must be there; "file" makes none. Without it the file or directory that is there is meant.',
    },
    src: {
      type: 'string',
      minLength: 1,
      description: 'What a link points at, or the file of which "hard" is another name.',
    },
    force: {
      type: 'boolean',
      description: 'A link may take the place of a file that is there. Default: false.',
    },
    follow: {
      type: 'boolean',
      description:
        'Where path is a link, what it leads to is meant; not for links themselves and "absent". Default: true.',
    },
    recurse: {
      type: 'boolean',
      description:
        'Mode, owner and group are those of all below the directory, too. In symbols, "X" is for directories and programs only. Where more than 5000 paths change, it needs an undo of its own.',
    },
    ...fileProperties,
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

/** Above so many paths with other attributes an undo is not written down. */
const MAX_UNDO_PATHS = 5000;

export const file: Module<Args> = {
  name: 'file',
  summary: 'Make or remove a file, directory or link, and set owner and mode.',
  args: schema,
  effect: 'restores',

  async plan(given, { host }) {
    refuseNonsense(given);
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

function refuseNonsense({ state, src, recurse, path, ...attributes }: Args): void {
  if (recurse === true && state !== 'directory')
    throw new TaskError('"recurse" is for state: directory.');
  const isLink = state === 'link' || state === 'hard';
  if (isLink && src === undefined) throw new TaskError('A link needs "src", what it points at.');
  if (state === 'hard' && src?.startsWith('/') === false)
    throw new TaskError(`"${src}" is no absolute path on the host.`);
  const given = (['mode', 'owner', 'group'] as const).find((one) => attributes[one] !== undefined);
  if (state === 'hard' && given !== undefined)
    throw new TaskError(`A hard link has the ${given} of its file: set it there.`);
  if (state === 'hard' && src === path)
    throw new TaskError(`"${path}" cannot be a link to itself.`);
}

/** The arguments with the path that is meant. */
async function followed(args: Args, host: HostFacts): Promise<Args> {
  const { path, state, follow } = args;
  if (follow === false || ['absent', 'link', 'hard'].includes(state ?? 'file')) return args;
  if ((await host.fact(fileState, path)).type !== 'link') return args;
  const real = await host.fact(realPath, path);
  if (real === undefined)
    throw new TaskError(`The link "${path}" on "${host.name}" leads nowhere.`, {
      hint: 'Remove it first, or say "follow: false".',
    });
  return { ...args, path: real };
}

async function makeActions(
  { path, state, src = '', force }: Args,
  found: FileState,
  host: HostFacts,
): Promise<Action[]> {
  const refuse = (wanted: string, hint?: string) =>
    new TaskError(`"${path}" on "${host.name}" is a ${found.type}, not a ${wanted}.`, {
      ...(hint === undefined ? {} : { hint }),
    });
  const replaceable = () => {
    if (found.type === 'directory' || found.type === 'other') throw refuse('link');
    if (found.type === 'file' && force !== true)
      throw refuse('link', 'With "force: true" the link takes its place; its undo puts it back.');
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
      if (origin.type !== 'file')
        throw new TaskError(`"${src}" on "${host.name}" is no file, but ${origin.type}.`);
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
          hint: 'Use state: touch, or the module copy or template, to make one.',
        });
      throw refuse('file');
  }
}

/** Owner and mode of what the actions before make. */
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

/** What below the directory, it included, is not as the task wants it. */
async function otherAttributes(args: Args, host: HostFacts): Promise<PathAttributes[]> {
  const { path, mode, owner, group } = args;
  if (mode === undefined && owner === undefined && group === undefined) return [];
  const found = await host.fact(treeAttributes, path, settledPattern(args));
  return found.filter(
    (one) =>
      isForeign(one, args) ||
      (mode !== undefined &&
        one.type !== 'link' &&
        octalMode(mode, one.mode, one.type === 'directory') !== one.mode),
  );
}

/** Whether it belongs to somebody else than the task wants. */
function isForeign({ owner, uid, group, gid }: PathAttributes, wanted: Args): boolean {
  return (
    (wanted.owner !== undefined && !names(wanted.owner, owner, uid)) ||
    (wanted.group !== undefined && !names(wanted.group, group, gid))
  );
}

/** Lines of what is as wanted for certain; a mode in symbols means another one for each path. */
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
  if (other.some((one) => isForeign(one, args)))
    actions.push({
      kind: 'chown',
      path,
      recurse: true,
      ...pickAttributes({ owner, group }),
    });
  // A change of the owner takes set-id bits away, so the mode is set behind it.
  if (mode !== undefined) actions.push({ kind: 'chmod', path, mode, recurse: true });
  return actions;
}

/** The undo of other attributes below a directory; of too many paths there is none. */
function undoBelow(path: string, other: readonly PathAttributes[]): Pick<Plan, 'undo'> {
  if (other.length > MAX_UNDO_PATHS) return {};
  const found: Record<string, string[]> = {};
  for (const { path: one, mode, uid, gid } of other)
    (found[`${mode} ${String(uid)} ${String(gid)}`] ??= []).push(one);
  return { undo: { calls: [{ module: 'restore_attributes', args: { name: path, found } }] } };
}

/** A directory that stays needs no copy: only its attributes are touched. */
function needsCopy(args: Args, found: FileState): boolean {
  return !(found.type === 'directory' && args.state !== 'absent');
}
