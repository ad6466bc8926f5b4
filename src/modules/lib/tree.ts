import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type { FileDiff, HostFacts, PlannedUndo } from '../../core/module.ts';
import { pathStates, type PathState } from '../../facts/archive.ts';
import { fileState, realPath, type FileState } from '../../facts/file.ts';
import type { ArchiveEntry } from '../../util/archive.ts';
import { gone, inOrder, undoOfPath, wrongType } from './file-plan.ts';

/** The wanted state of a path below a directory of the host. */
export interface TreeEntry extends Omit<ArchiveEntry, 'name'> {
  /** Relative to the directory. */
  path: string;
}

export interface TreeComparison<E extends TreeEntry = TreeEntry> {
  wanted: E[];
  states: Map<string, PathState>;
  /** The wanted entries that differ from their state. */
  different: E[];
}

/** Runs a command with the names on standard input as arguments. */
const ON_ALL = `cd "$1" || exit 1
shift
tr '\\n' '\\0' | xargs -0 "$@"`;

/**
 * Compares the wanted entries with the content of an existing directory, in two round trips.
 *
 * @throws TaskError when a path has another type
 */
export async function compareTree<E extends TreeEntry>(
  directory: string,
  wanted: E[],
  isAsWanted: (entry: E, state: PathState) => boolean,
  host: HostFacts,
): Promise<TreeComparison<E>> {
  const paths = wanted.map(({ path }) => path);
  const states =
    paths.length === 0
      ? new Map<string, PathState>()
      : await host.fact(pathStates, directory, JSON.stringify(paths));
  const different = wanted.filter((entry) => !isAsWanted(entry, stateOf(states, entry)));
  for (const entry of different) {
    const { type } = stateOf(states, entry);
    const fits = type === 'absent' || (type === 'directory') === (entry.type === 'directory');
    if (type === 'other' || !fits)
      throw new TaskError(wrongType(below(directory, entry.path), type, entry.type, host), {
        hint: 'Move or remove it first.',
      });
  }
  const compared = { wanted, states, different };
  // The undo needs the state of every replaced path; read them in one round trip.
  await Promise.all(
    replaced(compared).map(({ path }) => host.fact(fileState, below(directory, path))),
  );
  return compared;
}

/** A path and its state; for a link, those of its target. */
export async function followed(
  path: string,
  host: HostFacts,
): Promise<{ path: string; state: FileState }> {
  const state = await host.fact(fileState, path);
  const real = state.type === 'link' ? await host.fact(realPath, path) : undefined;
  return real === undefined
    ? { path, state }
    : { path: real, state: await host.fact(fileState, real) };
}

export function below(directory: string, path: string): string {
  return `${directory.replace(/\/$/, '')}/${path}`;
}

export function stateOf(states: Map<string, PathState>, { path }: TreeEntry): PathState {
  const state = states.get(path);
  if (!state) throw new TaskError(`The host did not report the state of "${path}".`);
  return state;
}

export function sameContent(entry: TreeEntry, state: PathState): boolean {
  if (entry.type !== state.type) return false;
  return entry.type === 'link' ? entry.target === state.target : entry.checksum === state.checksum;
}

/** Whether owner and group, by name or ID, are the wanted ones. */
export function sameOwners(
  { owner, group }: { owner?: string; group?: string },
  state: PathState,
): boolean {
  return (
    (owner === undefined || [state.owner, state.uid].includes(owner)) &&
    (group === undefined || [state.group, state.gid].includes(group))
  );
}

/** The existing paths that will be replaced. */
export function replaced<E extends TreeEntry>({ different, states }: TreeComparison<E>): E[] {
  return different.filter(
    (entry) => entry.type !== 'directory' && stateOf(states, entry).type !== 'absent',
  );
}

/** The topmost new paths. Their removal includes everything below them. */
function newPlaces({ different, states }: TreeComparison): string[] {
  const absent = different.filter((entry) => stateOf(states, entry).type === 'absent');
  const made = new Set(absent.map(({ path }) => path));
  return [...made].filter((path) => !made.has(parentOf(path)));
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The undo of all changes below a directory. */
export async function undoOfTree(
  directory: string,
  found: TreeComparison,
  host: HostFacts,
): Promise<PlannedUndo> {
  const restored = await Promise.all(
    replaced(found).map(async ({ path }) => {
      const whole = below(directory, path);
      return undoOfPath(whole, await host.fact(fileState, whole), host);
    }),
  );
  return inOrder(...newPlaces(found).map((path) => gone(below(directory, path))), ...restored);
}

/** One command for many paths below a directory. */
export function onAll(
  directory: string,
  entries: readonly { path: string }[],
  ...command: string[]
): Action {
  return {
    kind: 'exec',
    argv: ['/bin/sh', '-c', ON_ALL, 'each', directory, ...command],
    stdin: `${entries.map(({ path }) => `./${path}`).join('\n')}\n`,
  };
}

/** One line for each path that changes, with its checksum. */
export function listing(directory: string, { different, states }: TreeComparison): FileDiff {
  const line = (
    path: string,
    { type, mode, checksum, target }: Pick<PathState, 'type' | 'mode' | 'checksum' | 'target'>,
  ) =>
    `${type} ${mode} ${path}${checksum === '' ? '' : ` ${checksum}`}${target === '' ? '' : ` -> ${target}`}\n`;
  const before = different.flatMap((entry) => {
    const state = stateOf(states, entry);
    return state.type === 'absent' ? [] : [line(entry.path, state)];
  });
  const after = different.map((entry) => line(entry.path, entry));
  return { path: directory, before: before.join(''), after: after.join('') };
}
