import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { ControllerFile, Module, Sight } from '../core/module.ts';
import { archiveEntries, plainName, TAR_FLAG, type PathState } from '../facts/archive.ts';
import { fileState } from '../facts/file.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import { globPattern } from '../util/patterns.ts';
import { listOf, textOrTexts } from './lib/arguments.ts';
import { gone, inOrder } from './lib/file-plan.ts';
import {
  below,
  compareTree,
  followed,
  listing,
  onAll,
  parentOf,
  sameContent,
  sameOwners,
  stateOf,
  type TreeComparison,
  type TreeEntry,
  undoOfTree,
} from './lib/tree.ts';

const schema = {
  type: 'object',
  properties: {
    src: {
      type: 'string',
      minLength: 1,
      description:
        'Archive in "files/" of the role or beside the playbook: tar, optionally with gzip. With remote_src, a path on the host: any format that its tar reads, and zip if unzip is installed.',
    },
    dest: {
      type: 'string',
      pattern: '^/',
      description: 'Existing directory on the host to unpack into.',
    },
    remote_src: { type: 'boolean', description: 'The archive is on the host. Default: false.' },
    creates: {
      type: 'string',
      pattern: '^/',
      description: 'Path on the host. If it exists, nothing is unpacked.',
    },
    include: textOrTexts(
      'Unpack only entries that match one of these shell patterns, or are below a match.',
    ),
    exclude: textOrTexts(
      'Skip entries that match one of these shell patterns, or are below a match.',
    ),
    strip_components: {
      type: 'integer',
      minimum: 1,
      description: 'Number of leading directories to strip from each name. Not for zip.',
    },
    list_files: {
      type: 'boolean',
      description: 'Return the names as "files" in the result. Default: false.',
    },
    mode: {
      type: 'string',
      pattern: '^[0-7]{3,4}$',
      description:
        'Permissions of the files, as quoted octal digits. Default: those in the archive.',
    },
    owner: { type: 'string', description: 'Owner of all entries. Default: the user who unpacks.' },
    group: {
      type: 'string',
      description: 'Group of all entries. Default: that of the user who unpacks.',
    },
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

interface Wanted extends TreeEntry {
  /** Name in the archive. */
  name: string;
  /** A parent directory without an entry of its own in the archive. */
  implied?: boolean;
}

interface Comparison extends TreeComparison<Wanted> {
  /** Path of the archive on the host. */
  archive: string;
  /** The archive on the controller, when it is sent. */
  from?: ControllerFile;
}

/** Unpacks the members that standard input lists, one per line, without recursion. Removes the archive if $4 is set. */
const UNPACK = `a=$1 d=$2 s=$3
if [ -n "$4" ]; then trap 'rm -f "$a"' EXIT; fi
${TAR_FLAG}
if [ "$z" = zip ]; then sed 's/\\[/[[]/g' | tr '\\n' '\\0' | xargs -0 unzip -oq "$a" -d "$d"
else tr '\\n' '\\0' | xargs -0 tar -xpo"$z"f "$a" -C "$d" --no-recursion --strip-components="$s"; fi`;

export const unarchive: Module<Args> = {
  name: 'unarchive',
  summary: 'Unpack an archive. Paths that already match the archive are not changed.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { src, dest, creates, mode, owner, group } = args;
    if (creates !== undefined && (await host.fact(fileState, creates)).type !== 'absent')
      return { actions: [], result: { dest, src, msg: `"${creates}" exists.` } };
    const found = await compare(args, { host, controller });
    const { wanted, different, states, archive, from } = found;
    const result = {
      dest,
      src,
      ...(args.list_files === true ? { files: wanted.map(({ path }) => path) } : {}),
    };
    if (different.length === 0) return { actions: [], result };
    const actions: Action[] = [];
    const members = different.filter((entry) => {
      const state = stateOf(states, entry);
      const same = sameContent(entry, state) && (mode !== undefined || entry.mode === state.mode);
      return !same && entry.implied !== true;
    });
    if (members.length > 0) {
      if (from)
        actions.push({
          kind: 'upload',
          path: archive,
          from: from.path,
          mode: '0600',
          size: from.size,
          checksum: from.checksum,
        });
      const strip = String(args.strip_components ?? 0);
      actions.push({
        kind: 'exec',
        argv: ['/bin/sh', '-c', UNPACK, 'unpack', archive, dest, strip, from ? 'sent' : ''],
        stdin: members.map(({ name }) => `${name}\n`).join(''),
      });
    }
    const made = different.filter((entry) => entry.implied === true);
    if (made.length > 0) actions.unshift(onAll(dest, made, 'mkdir', '-p'));
    const files = different.filter(({ type }) => type === 'file');
    if (mode !== undefined && files.length > 0) actions.push(onAll(dest, files, 'chmod', mode));
    const who = `${owner ?? ''}${group === undefined ? '' : `:${group}`}`;
    if (who !== '') actions.push(onAll(dest, different, 'chown', '-h', who));
    return {
      actions,
      result,
      ...(host.wantsDiff ? { diff: [listing(dest, found)] } : {}),
      undo: inOrder(from && gone(archive), await undoOfTree(dest, found, host)),
    };
  },
};

async function compare(
  args: Args,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Comparison> {
  const { src, dest } = args;
  const [{ state }, content] = await Promise.all([
    followed(dest, host),
    contentOf(args, { host, controller }),
  ]);
  if (state.type !== 'directory') {
    throw new TaskError(`There is no directory "${dest}" on "${host.name}".`, {
      hint: `Create it first: file: { path: ${dest}, state: directory }.`,
    });
  }
  const wanted = select(content.entries, args, content.kind);
  const compared = await compareTree(
    dest,
    wanted,
    (entry, state) => isAsWanted(entry, state, args),
    host,
  );
  const { from } = content;
  if (!from) return { ...compared, archive: src };
  return {
    ...compared,
    from,
    archive: below(dest, `.runner-unpack-${from.checksum.slice(0, 16)}`),
  };
}

interface Content {
  kind: 'tar' | 'zip';
  entries: ArchiveEntry[];
  from?: ControllerFile;
}

async function contentOf(
  { src, remote_src: isRemote }: Args,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Content> {
  if (isRemote === true) return host.fact(archiveEntries, src);
  const [from, entries] = await Promise.all([controller.fileInfo(src), controller.archive(src)]);
  return { kind: 'tar', entries, from };
}

/** The entries to unpack, with their paths below the destination. */
function select(entries: readonly ArchiveEntry[], args: Args, kind: 'tar' | 'zip'): Wanted[] {
  const strip = args.strip_components ?? 0;
  if (kind === 'zip' && strip > 0)
    throw new TaskError(
      '"strip_components" cannot be used with zip archives: unzip has no such option.',
    );
  const include = listOf(args.include);
  const exclude = listOf(args.exclude);
  const wanted = new Map<string, Wanted>();
  for (const entry of entries) {
    const plain = plainName(entry.name);
    if (plain === '' || plain === '.') continue;
    const parts = plain.split('/');
    if (
      plain.startsWith('/') ||
      parts.includes('..') ||
      /[\n\\]/.test(plain) ||
      plain.startsWith('-')
    )
      throw new TaskError(`The archive contains an unsafe name: "${entry.name}".`, {
        hint: 'Use relative names without "..", line breaks, backslashes or a leading dash.',
      });
    if (include.length > 0 && !include.some((pattern) => covers(pattern, parts))) continue;
    if (exclude.some((pattern) => covers(pattern, parts))) continue;
    const path = parts.slice(strip).join('/');
    if (path === '') continue;
    const mode = entry.type === 'file' ? (args.mode?.padStart(4, '0') ?? entry.mode) : entry.mode;
    // Of two entries with one name, the later one wins.
    wanted.set(path, {
      ...entry,
      mode,
      path,
      implied: kind === 'zip' && entry.type === 'directory',
    });
  }
  for (const path of [...wanted.keys()]) addParents(path, wanted);
  return [...wanted.values()];
}

function addParents(path: string, wanted: Map<string, Wanted>): void {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
    if (wanted.has(parent)) continue;
    const nothing = { mode: '', checksum: '', target: '' };
    wanted.set(parent, {
      name: parent,
      path: parent,
      type: 'directory',
      implied: true,
      ...nothing,
    });
  }
}

/** A pattern matches the whole name, or a directory above. */
function covers(pattern: string, parts: readonly string[]): boolean {
  const matches = globPattern(plainName(pattern));
  return parts.some((_, index) => matches.test(parts.slice(0, index + 1).join('/')));
}

/** Existing directories keep their permissions and owner, because they may hold other files, too. */
function isAsWanted(entry: Wanted, state: PathState, args: Args): boolean {
  if (entry.type === 'directory') return state.type === 'directory';
  return (
    sameContent(entry, state) &&
    (entry.type === 'link' || entry.mode === state.mode) &&
    sameOwners(args, state)
  );
}
