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
        'Archive in "files/" of the role or beside the playbook: tar, also with gzip. With remote_src a path on the host: all that its tar reads, and zip where it has unzip.',
    },
    dest: {
      type: 'string',
      pattern: '^/',
      description: 'Directory of the host to unpack into. It must be there.',
    },
    remote_src: { type: 'boolean', description: 'The archive is on the host. Default: false.' },
    creates: {
      type: 'string',
      pattern: '^/',
      description: 'Nothing is unpacked where this path is there.',
    },
    include: textOrTexts('Only what matches one of these shell patterns, or is below it.'),
    exclude: textOrTexts('Not what matches one of these shell patterns, or is below it.'),
    strip_components: {
      type: 'integer',
      minimum: 1,
      description: 'So many directories in front of each name are left out. Not for zip.',
    },
    list_files: { type: 'boolean', description: 'Tell the names in "files" of the result.' },
    mode: {
      type: 'string',
      pattern: '^[0-7]{3,4}$',
      description:
        'Permissions of the files, as quoted octal digits. Default: those in the archive.',
    },
    owner: { type: 'string', description: 'Owner of all. Default: who unpacks.' },
    group: { type: 'string', description: 'Group of all. Default: that of who unpacks.' },
  },
  required: ['src', 'dest'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

interface Wanted extends TreeEntry {
  /** As the archive writes it. */
  name: string;
  /** A directory above a member, of which the archive says nothing. */
  implied?: boolean;
}

interface Comparison extends TreeComparison<Wanted> {
  /** Where the archive lies on the host, or will lie. */
  archive: string;
  /** The archive on the controller, when it is sent. */
  from?: ControllerFile;
}

/** Members come on standard input, a name a line; directories among them are not gone into. $4: remove the archive. */
const UNPACK = `a=$1 d=$2 s=$3
if [ -n "$4" ]; then trap 'rm -f "$a"' EXIT; fi
${TAR_FLAG}
if [ "$z" = zip ]; then sed 's/\\[/[[]/g' | tr '\\n' '\\0' | xargs -0 unzip -oq "$a" -d "$d"
else tr '\\n' '\\0' | xargs -0 tar -xpo"$z"f "$a" -C "$d" --no-recursion --strip-components="$s"; fi`;

export const unarchive: Module<Args> = {
  name: 'unarchive',
  summary: 'Unpack an archive; what is there as the archive has it is left alone.',
  args: schema,
  effect: 'restores',

  async plan(args, { host, controller }) {
    const { src, dest, creates, mode, owner, group } = args;
    if (creates !== undefined && (await host.fact(fileState, creates)).type !== 'absent')
      return { actions: [], result: { dest, src, msg: `"${creates}" is there.` } };
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
      hint: `Make it first: file: { path: ${dest}, state: directory }.`,
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
  { src, remote_src: isThere }: Args,
  { host, controller }: Pick<Sight, 'host' | 'controller'>,
): Promise<Content> {
  if (isThere === true) return host.fact(archiveEntries, src);
  const [from, entries] = await Promise.all([controller.fileInfo(src), controller.archive(src)]);
  return { kind: 'tar', entries, from };
}

/** What is to be unpacked, under the name it gets. */
function select(entries: readonly ArchiveEntry[], args: Args, kind: 'tar' | 'zip'): Wanted[] {
  const strip = args.strip_components ?? 0;
  if (kind === 'zip' && strip > 0)
    throw new TaskError('"strip_components" is not for zip archives: unzip has nothing like it.');
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
      throw new TaskError(
        `The archive has an entry "${entry.name}": such a name is not unpacked.`,
        {
          hint: 'Absolute names, "..", line ends, backslashes and a dash in front are refused.',
        },
      );
    if (include.length > 0 && !include.some((pattern) => covers(pattern, parts))) continue;
    if (exclude.some((pattern) => covers(pattern, parts))) continue;
    const path = parts.slice(strip).join('/');
    if (path === '') continue;
    const mode = entry.type === 'file' ? (args.mode?.padStart(4, '0') ?? entry.mode) : entry.mode;
    // Of two entries with one name the later one counts.
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

/** Directories that are there keep their permissions and owner: they are not the archive's alone. */
function isAsWanted(entry: Wanted, state: PathState, args: Args): boolean {
  if (entry.type === 'directory') return state.type === 'directory';
  return (
    sameContent(entry, state) &&
    (entry.type === 'link' || entry.mode === state.mode) &&
    sameOwners(args, state)
  );
}
