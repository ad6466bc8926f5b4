import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type {
  ControllerFile,
  FileDiff,
  HostFacts,
  Plan,
  PlannedUndo,
  UndoCall,
} from '../../core/module.ts';
import { sha256 } from '../../util/digest.ts';
import { MODE_PATTERN, octalMode } from '../../util/mode.ts';
import { fileContent, fileState, type FileState } from '../../facts/file.ts';

/** Argument of all modules that write a file. */
export const validateProperty = {
  type: 'string',
  pattern: '%s',
  description:
    'Command that checks the new file, whose path is %s. If it fails, the old file is kept.',
} as const;

/** Arguments of modules that write a whole file. */
export const destinationProperties = {
  dest: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
  force: { type: 'boolean', description: 'Replace a file that differs. Default: true.' },
  validate: validateProperty,
} as const;

export const fileProperties = {
  mode: {
    type: 'string',
    pattern: MODE_PATTERN,
    description: 'Permissions as quoted octal digits, or symbolic. Default: unchanged.',
  },
  owner: { type: 'string', description: 'Name or numeric ID of the owner. Default: unchanged.' },
  group: { type: 'string', description: 'Name or numeric ID of the group. Default: unchanged.' },
} as const;

export interface FileAttributes {
  mode?: string;
  owner?: string;
  group?: string;
}

/** Actions that change mode, owner and group of an existing path where they differ. */
export function attributeActions(
  path: string,
  state: Pick<FileState, 'type' | 'mode' | 'uid' | 'gid' | 'owner' | 'group'>,
  wanted: FileAttributes,
): Action[] {
  const actions: Action[] = [];
  const owner = wanted.owner !== undefined && !names(wanted.owner, state.owner, state.uid);
  const group = wanted.group !== undefined && !names(wanted.group, state.group, state.gid);
  if (owner || group) {
    actions.push({
      kind: 'chown',
      path,
      ...(owner && wanted.owner !== undefined ? { owner: wanted.owner } : {}),
      ...(group && wanted.group !== undefined ? { group: wanted.group } : {}),
    });
  }
  if (wanted.mode !== undefined && state.type !== 'link') {
    const mode = octalMode(wanted.mode, state.mode, state.type === 'directory');
    if (mode !== state.mode) actions.push({ kind: 'chmod', path, mode });
  }
  return actions;
}

/** Whether `wanted` is the name or ID of an owner or group. */
export function names(wanted: string, name: string, id: number): boolean {
  return wanted === name || wanted === String(id);
}

export interface WantedPath extends FileAttributes {
  path: string;
  /** Leave an existing file alone. */
  keepExisting?: boolean;
  validate?: string;
}

export interface WantedFile extends WantedPath {
  content: Buffer;
}

const DIFF_LIMIT = 64 * 1024;

/** Plan of writing given bytes to a file. */
export async function planFile(wanted: WantedFile, host: HostFacts): Promise<Plan> {
  const { path, content } = wanted;
  const [state, before] = await Promise.all([
    host.fact(fileState, path),
    host.wantsDiff ? host.fact(fileContent, path) : undefined,
  ]);
  const checksum = sha256(content);
  const settled = settledFile(wanted, state, checksum, host);
  if (settled) return settled;
  const text = toText(content);
  return {
    actions: [
      {
        kind: 'write',
        path,
        content: text ?? content.toString('base64'),
        ...(text === undefined ? { encoding: 'base64' as const } : {}),
        ...writtenAttributes(wanted, state),
        ...(wanted.validate === undefined ? {} : { validate: wanted.validate }),
      },
    ],
    result: { dest: path, checksum },
    ...(host.wantsDiff ? { diff: [fileDiff(path, before, content)] } : {}),
    undo: undoOfPath(path, state, host),
  };
}

/** Plan of uploading a large file from the controller. Its content is compared by checksum only. */
export async function planLargeFile(
  wanted: WantedPath & { file: ControllerFile },
  host: HostFacts,
): Promise<Plan> {
  const { path, file, validate } = wanted;
  const state = await host.fact(fileState, path);
  const settled = settledFile(wanted, state, file.checksum, host);
  if (settled) return settled;
  const describe = (size: number, checksum: string) => `(${String(size)} bytes, ${checksum})\n`;
  return {
    actions: [
      {
        kind: 'upload',
        path,
        from: file.path,
        size: file.size,
        checksum: file.checksum,
        ...writtenAttributes(wanted, state),
        ...(validate === undefined ? {} : { validate }),
      },
    ],
    result: { dest: path, checksum: file.checksum },
    diff: [
      {
        path,
        before: state.type === 'file' ? describe(state.size, state.checksum) : '',
        after: describe(file.size, file.checksum),
      },
    ],
    undo: undoOfPath(path, state, host),
  };
}

/** The plan if the content is already right or must not be replaced; undefined if it must be written. */
export function settledFile(
  wanted: WantedPath,
  state: FileState,
  checksum: string,
  host: HostFacts,
): Plan | undefined {
  const { path, keepExisting } = wanted;
  if (state.type === 'directory') {
    throw new TaskError(`"${path}" is a directory on "${host.name}".`, {
      hint: 'Use the full path of the file.',
    });
  }
  if (state.type !== 'file' || !(keepExisting || state.checksum === checksum)) return undefined;
  const actions = attributeActions(path, state, wanted);
  return {
    actions,
    result: { dest: path, checksum },
    ...(actions.length > 0 ? { undo: undoOfPath(path, state, host) } : {}),
  };
}

/** Message for a path that does not have the wanted type. */
export function wrongType(
  path: string,
  found: FileState['type'],
  wanted: 'file' | 'directory' | 'link',
  { name }: Pick<HostFacts, 'name'>,
): string {
  if (found === 'absent') return `There is no ${wanted} "${path}" on "${name}".`;
  const kind = found === 'other' ? 'special file' : found;
  return `"${path}" on "${name}" is a ${kind}, not a ${wanted}.`;
}

/** Attributes for an action that writes a file. A symbolic mode is applied to that of the existing file. */
export function writtenAttributes(
  { mode, owner, group }: FileAttributes,
  state: FileState,
): FileAttributes {
  return {
    ...(mode === undefined
      ? {}
      : { mode: octalMode(mode, state.type === 'file' ? state.mode : '', false) }),
    ...pickAttributes({ owner, group }),
  };
}

export function pickAttributes({
  mode,
  owner,
  group,
}: Partial<Record<keyof FileAttributes, string | undefined>>): FileAttributes {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
  };
}

/** @returns undefined if the bytes are not UTF-8 text, or contain NUL, which a shell cannot store */
export function toText(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return text.includes('\u0000') || !Buffer.from(text, 'utf8').equals(bytes) ? undefined : text;
}

export function fileDiff(path: string, before: Buffer | undefined, after: Buffer): FileDiff {
  const show = (bytes: Buffer | undefined) =>
    bytes === undefined
      ? ''
      : bytes.length > DIFF_LIMIT
        ? `(${String(bytes.length)} bytes)\n`
        : (toText(bytes) ?? `(${String(bytes.length)} bytes, not text)\n`);
  return { path, before: show(before), after: show(after) };
}

/** Schema of a `HostPath`: a path on a host, or the copy of one. */
export const hostPath = <D extends string>(description: D) =>
  ({
    oneOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: {
          copyOf: { type: 'string', description: 'The path that was copied.' },
          unit: {
            type: 'integer',
            description: 'Number of the change for which the copy was made.',
          },
        },
        required: ['copyOf', 'unit'],
        additionalProperties: false,
      },
    ],
    description,
  }) as const;

/**
 * The undo that restores the found state of a path, with its content from a copy.
 * @param options `copy`: false if the content does not change; `tree`: checksum over the tree of a removed directory
 */
export function undoOfPath(
  path: string,
  { type, mode, owner, group, checksum, target }: FileState,
  host: HostFacts,
  { copy = true, tree }: { copy?: boolean; tree?: string } = {},
): PlannedUndo {
  if (type === 'other')
    return {
      calls: [],
      impossible: `"${path}" on "${host.name}" is not a file, directory or link.`,
    };
  const args: UndoCall['args'] = { path, state: type };
  if (type !== 'absent') Object.assign(args, { mode, owner, group });
  if (type !== 'absent' && copy) args['copy'] = host.copyOf(path);
  if (type === 'file') args['checksum'] = checksum;
  if (type === 'link') args['target'] = target;
  if (tree !== undefined) args['tree'] = tree;
  return { calls: [{ module: 'restore_path', args }] };
}

/** The undo call that removes a path that did not exist. */
export function gone(path: string): UndoCall {
  return { module: 'restore_path', args: { path, state: 'absent' } };
}

/** Joins several undos into one, in this order. */
export function inOrder(...parts: readonly (PlannedUndo | UndoCall | undefined)[]): PlannedUndo {
  const undos = parts.map((part): PlannedUndo => {
    if (part === undefined) return { calls: [] };
    return 'calls' in part ? part : { calls: [part] };
  });
  const [impossible] = undos.flatMap((one) => one.impossible ?? []);
  return {
    calls: undos.flatMap(({ calls }) => calls),
    ...(impossible === undefined ? {} : { impossible }),
  };
}

/** The topmost directory that `mkdir -p` will create for a path. The undo removes it. */
export async function topmostMade(path: string, host: HostFacts): Promise<string> {
  let made = path;
  for (;;) {
    const parent = made.slice(0, made.lastIndexOf('/'));
    if (parent === '') return made;
    if ((await host.fact(fileState, parent)).type !== 'absent') return made;
    made = parent;
  }
}
