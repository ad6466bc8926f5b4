import { basename } from 'node:path';
import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type {
  Controller,
  ControllerFile,
  ControllerDirectory,
  HostFacts,
  Plan,
  PlannedUndo,
  Sight,
} from '../../core/module.ts';
import { absentPath, type PathState } from '../../facts/archive.ts';
import { mapLimited } from '../../util/concurrency.ts';
import type { DirectoryEntry } from '../../util/directory.ts';
import { octalMode } from '../../util/mode.ts';
import {
  attributeActions,
  gone,
  inOrder,
  pickAttributes,
  topmostMade,
  toText,
  wrongType,
} from './file-plan.ts';
import {
  below,
  compareTree,
  followed,
  listing,
  onAll,
  sameContent,
  sameOwners,
  stateOf,
  type TreeComparison,
  type TreeEntry,
  undoOfTree,
} from './tree.ts';

export interface WantedDirectory {
  /** As in the task: with a trailing slash, only the content is copied to `dest`. */
  src: string;
  dest: string;
  /** Mode of files: octal, symbolic, or "preserve". */
  mode?: string;
  /** Mode of new directories. */
  directoryMode?: string;
  owner?: string;
  group?: string;
  /** Leave existing files alone. */
  keepExisting: boolean;
}

interface Entry extends TreeEntry {
  /** Only for files. */
  file?: ControllerFile;
}

interface Comparison extends TreeComparison<Entry> {
  /** Directory on the host. */
  root: string;
  made: boolean;
}

/** Files read at a time. */
const READERS = 8;

/** Larger files, and all files after this total, are streamed; the others are sent with the actions. */
const INLINE_BYTES = 64 * 1024;
const INLINE_TOTAL_BYTES = 4 * 1024 * 1024;

/** Plan of copying a directory and its content from the controller to the host. */
export async function planDirectory(
  wanted: WantedDirectory,
  directory: ControllerDirectory,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Plan> {
  const found = await compare(wanted, directory, { host, controller });
  const { root, made, different, states } = found;
  const actions: Action[] = made ? [{ kind: 'mkdir', path: root }] : [];
  const directories = different.filter(({ type }) => type === 'directory');
  if (directories.length > 0) actions.push(onAll(root, directories, 'mkdir', '-p'));
  const fresh = [...(made ? [{ path: '' }] : []), ...directories];
  if (fresh.length > 0) {
    if (wanted.directoryMode !== undefined)
      actions.push(onAll(root, fresh, 'chmod', octalMode(wanted.directoryMode, '', true)));
    const who = `${wanted.owner ?? ''}${wanted.group === undefined ? '' : `:${wanted.group}`}`;
    if (who !== '') actions.push(onAll(root, fresh, 'chown', who));
  }
  let inline = 0;
  for (const entry of different) {
    const { file, path } = entry;
    if (file === undefined) continue;
    const to = below(root, path);
    const state = stateOf(states, entry);
    const attributes = {
      ...pickAttributes({ owner: wanted.owner, group: wanted.group }),
      ...(wanted.mode === undefined ? {} : { mode: modeOf(entry, state, wanted.mode) }),
    };
    if (sameContent(entry, state)) {
      // The content is right; only the attributes may differ.
      const now = { ...state, uid: Number(state.uid), gid: Number(state.gid) };
      actions.push(...attributeActions(to, now, attributes));
    } else if (
      file.encrypted !== true &&
      (file.size > INLINE_BYTES || inline + file.size > INLINE_TOTAL_BYTES)
    ) {
      const { size, checksum, path: from } = file;
      actions.push({ kind: 'upload', path: to, from, size, checksum, ...attributes });
    } else {
      inline += file.size;
      const content = await controller.file(file.path);
      const text = toText(content);
      actions.push({
        kind: 'write',
        path: to,
        content: text ?? content.toString('base64'),
        ...(text === undefined ? { encoding: 'base64' as const } : {}),
        ...attributes,
      });
    }
  }
  return {
    actions,
    result: { dest: root, src: wanted.src, changed_files: different.map(({ path }) => path) },
    ...(host.wantsDiff && different.length > 0 ? { diff: [listing(root, found)] } : {}),
    ...(actions.length > 0 ? { undo: await undoOfDirectory(found, host) } : {}),
  };
}

async function undoOfDirectory(found: Comparison, host: HostFacts): Promise<PlannedUndo> {
  const { root, made } = found;
  return made ? inOrder(gone(await topmostMade(root, host))) : undoOfTree(root, found, host);
}

async function compare(
  wanted: WantedDirectory,
  directory: ControllerDirectory,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Comparison> {
  const named = wanted.src.endsWith('/')
    ? wanted.dest
    : below(wanted.dest, basename(directory.path));
  const [{ path: root, state }, entries] = await Promise.all([
    followed(named, host),
    mapLimited(directory.entries, READERS, (entry) =>
      entryOf(entry, wanted, directory, controller),
    ),
  ]);
  if (state.type === 'absent') {
    // The undo needs to know which parent directories will be created.
    await topmostMade(root, host);
    const states = new Map(entries.map(({ path }) => [path, absentPath]));
    return { root, made: true, wanted: entries, states, different: entries };
  }
  if (state.type !== 'directory')
    throw new TaskError(wrongType(root, state.type, 'directory', host));
  const isAsWanted = (entry: Entry, now: PathState) => {
    if (entry.type === 'directory') return now.type === 'directory';
    if (wanted.keepExisting && now.type === 'file') return true;
    return (
      sameContent(entry, now) &&
      (wanted.mode === undefined || modeOf(entry, now, wanted.mode) === now.mode) &&
      sameOwners(wanted, now)
    );
  };
  return { root, made: false, ...(await compareTree(root, entries, isAsWanted, host)) };
}

async function entryOf(
  { path, type, mode }: DirectoryEntry,
  { mode: given }: WantedDirectory,
  directory: ControllerDirectory,
  controller: Controller,
): Promise<Entry> {
  // The mode of a new file, which a diff shows.
  const wanted = given === undefined || given === 'preserve' ? mode : octalMode(given, '', false);
  if (type === 'directory') return { path, type, mode, checksum: '', target: '' };
  const file = await controller.fileInfo(below(directory.path, path));
  return { path, type, mode: wanted, checksum: file.checksum, target: '', file };
}

/** Applies a symbolic mode to that of the existing file. */
function modeOf(entry: Entry, now: PathState, given: string): string {
  return given === 'preserve' ? entry.mode : octalMode(given, now.mode, false);
}
