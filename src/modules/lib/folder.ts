import { basename } from 'node:path';
import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type {
  Controller,
  ControllerFile,
  ControllerFolder,
  HostFacts,
  Plan,
  PlannedUndo,
  Sight,
} from '../../core/module.ts';
import { absentPath, type PathState } from '../../facts/archive.ts';
import { mapLimited } from '../../util/concurrency.ts';
import type { FolderEntry } from '../../util/folder.ts';
import { octalMode } from '../../util/mode.ts';
import {
  attributeActions,
  gone,
  inOrder,
  pickAttributes,
  topmostMade,
  toText,
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

export interface WantedFolder {
  /** As the task says it: with a slash at the end, what is in it goes to `dest`, otherwise it itself. */
  src: string;
  dest: string;
  /** Of files: octal, symbolic, or "preserve". */
  mode?: string;
  /** Of directories that are made. */
  directoryMode?: string;
  owner?: string;
  group?: string;
  /** Leave existing files alone. */
  keepExisting: boolean;
}

interface Entry extends TreeEntry {
  /** Of files. */
  file?: ControllerFile;
}

interface Comparison extends TreeComparison<Entry> {
  /** Directory on the host. */
  root: string;
  made: boolean;
}

/** Files read at a time. */
const READERS = 8;

/** Larger files are streamed, and all behind so many bytes of smaller ones: those travel with the other actions. */
const INLINE_BYTES = 64 * 1024;
const INLINE_TOTAL_BYTES = 4 * 1024 * 1024;

/** Plan of putting a directory of the controller, with all that is in it, on the host. */
export async function planFolder(
  wanted: WantedFolder,
  folder: ControllerFolder,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Plan> {
  const found = await compare(wanted, folder, { host, controller });
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
      // What a file with the right content still needs.
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
    ...(actions.length > 0 ? { undo: await undoOfFolder(found, host) } : {}),
  };
}

async function undoOfFolder(found: Comparison, host: HostFacts): Promise<PlannedUndo> {
  const { root, made } = found;
  return made ? inOrder(gone(await topmostMade(root, host))) : undoOfTree(root, found, host);
}

async function compare(
  wanted: WantedFolder,
  folder: ControllerFolder,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Comparison> {
  const named = wanted.src.endsWith('/') ? wanted.dest : below(wanted.dest, basename(folder.path));
  const [{ path: root, state }, entries] = await Promise.all([
    followed(named, host),
    mapLimited(folder.entries, READERS, (entry) => entryOf(entry, wanted, folder, controller)),
  ]);
  if (state.type === 'absent') {
    // Asked for together: the undo needs to know which of the directories above are made.
    await topmostMade(root, host);
    const states = new Map(entries.map(({ path }) => [path, absentPath]));
    return { root, made: true, wanted: entries, states, different: entries };
  }
  if (state.type !== 'directory')
    throw new TaskError(`"${root}" on "${host.name}" is no directory, but ${state.type}.`);
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
  { path, type, mode }: FolderEntry,
  { mode: given }: WantedFolder,
  folder: ControllerFolder,
  controller: Controller,
): Promise<Entry> {
  // What new files get; it shows in a diff.
  const wanted = given === undefined || given === 'preserve' ? mode : octalMode(given, '', false);
  if (type === 'directory') return { path, type, mode, checksum: '', target: '' };
  const file = await controller.fileInfo(below(folder.path, path));
  return { path, type, mode: wanted, checksum: file.checksum, target: '', file };
}

/** A mode in symbols is seen from the file that is there. */
function modeOf(entry: Entry, now: PathState, given: string): string {
  return given === 'preserve' ? entry.mode : octalMode(given, now.mode, false);
}
