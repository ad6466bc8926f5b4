import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { ArchiveEntry } from '../util/archive.ts';
import { quote } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

/** Separates the parts of the output; no name in an archive looks like it. */
const END = '::';

/** Prints types, modes, checksums and link targets of everything below the working directory, with names from find. */
const LOOK = `find . ! -name . -exec stat -c '%F|%a|%n' {} + && echo ${END} &&
find . -type f -exec sha256sum {} + && echo ${END} &&
find . -type l -exec sh -c 'for f; do printf "%s\\n" "$f"; readlink "$f"; done' sh {} +`;

/** Sets z to the decompression option of tar for the file $a, or to "zip". Unlike GNU tar, busybox does not detect it. */
export const TAR_FLAG = `case $(head -c 2 "$a" | od -An -tx1 | tr -d ' ') in
504b) z=zip ;; 1f8b) z=z ;; 425a) z=j ;; fd37) z=J ;; *) z= ;;
esac`;

/** The entries of an archive on the host. For their checksums, it is unpacked into a temporary directory. */
export const archiveEntries: Fact<
  [path: string],
  { kind: 'tar' | 'zip'; entries: ArchiveEntry[] }
> = {
  name: 'archive.entries',
  command: (path) => ({
    script: `(
a=${quote(path)}
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
${TAR_FLAG}
if [ "$z" = zip ]; then
echo zip
unzip -q "$a" -d "$t" || exit 1
else
echo tar
tar -xpo"$z"f "$a" -C "$t" && tar -t"$z"f "$a" || exit 1
fi
echo ${END}
cd "$t" || exit 1
${LOOK}
)`,
  }),
  parse(output, path) {
    requireAnswer(output, `Cannot read the archive "${path}"`);
    const [head = '', kinds = '', sums = '', links = ''] = output.stdout.split(`${END}\n`);
    const [kind = '', ...names] = linesOf(head);
    if (kind !== 'tar' && kind !== 'zip')
      throw new TaskError(`Unexpected output for "${path}": ${kind}`);
    const written = new Map(names.map((name) => [plainName(name), name]));
    const checksums = sumsOf(sums);
    const targets = targetsOf(links);
    const entries = linesOf(kinds).map((line): ArchiveEntry => {
      const [type = '', mode = '', name = ''] = fields(line);
      const plain = plainName(name);
      return {
        name: kind === 'tar' ? (written.get(plain) ?? plain) : plain,
        type: typeOf(type, name),
        mode: mode.padStart(4, '0'),
        checksum: checksums.get(plain) ?? '',
        target: targets.get(plain) ?? '',
      };
    });
    return { kind, entries };
  },
};

export interface PathState extends Omit<ArchiveEntry, 'name' | 'type'> {
  type: ArchiveEntry['type'] | 'absent' | 'other';
  owner: string;
  group: string;
  uid: string;
  gid: string;
}

/** State of a path that does not exist. */
export const absentPath: PathState = {
  type: 'absent',
  mode: '',
  checksum: '',
  target: '',
  owner: '',
  group: '',
  uid: '',
  gid: '',
};

/** States of paths below a directory, by path. Links are not followed. */
export const pathStates: Fact<[directory: string, paths: string], Map<string, PathState>> = {
  name: 'archive.states',
  command(directory, paths) {
    const names = (JSON.parse(paths) as string[]).map((name) => quote(`./${name}`)).join(' ');
    return {
      script: `(
cd ${quote(directory)} || exit 1
each() { printf '%s\\0' ${names} | xargs -0 "$@"; }
each stat -c '%F|%a|%U|%G|%u|%g|%n'
echo ${END}
each sha256sum 2>/dev/null
echo ${END}
each sh -c 'for f; do [ ! -L "$f" ] || { printf "%s\\n" "$f"; readlink "$f"; }; done' sh
exit 0
)`,
    };
  },
  parse(output, directory, paths) {
    requireAnswer(output, `Cannot list the contents of "${directory}"`);
    const trouble = linesOf(output.stderr).find(
      (line) => !/(No such file or directory|Not a directory)$/.test(line),
    );
    if (trouble !== undefined)
      throw new TaskError(`Cannot list the contents of "${directory}": ${trouble}`);
    const [kinds = '', sums = '', links = ''] = output.stdout.split(`${END}\n`);
    const checksums = sumsOf(sums);
    const targets = targetsOf(links);
    const states = new Map<string, PathState>();
    for (const line of linesOf(kinds)) {
      const [kind = '', mode = '', owner = '', group = '', uid = '', gid = '', name = ''] = fields(
        line,
        7,
      );
      const plain = plainName(name);
      const type = kindOf(kind) ?? 'other';
      const checksum = checksums.get(plain);
      if (type === 'file' && checksum === undefined)
        throw new TaskError(`Cannot read "${directory}/${plain}".`);
      states.set(plain, {
        type,
        mode: mode.padStart(4, '0'),
        owner,
        group,
        uid,
        gid,
        checksum: type === 'file' ? (checksum ?? '') : '',
        target: targets.get(plain) ?? '',
      });
    }
    return new Map(
      (JSON.parse(paths) as string[]).map((name) => [name, states.get(name) ?? absentPath]),
    );
  },
};

/** A name without a leading "./" and a trailing "/". */
export function plainName(name: string): string {
  return name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The last field is a name, which may contain the separator. */
function fields(line: string, count = 3): string[] {
  const parts = line.split('|');
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join('|')];
}

function sumsOf(text: string): Map<string, string> {
  return new Map(
    linesOf(text).map((line) => [plainName(line.replace(/^\\?\S+ [ *]/, '')), line.slice(0, 64)]),
  );
}

function targetsOf(text: string): Map<string, string> {
  const lines = text.split('\n');
  const targets = new Map<string, string>();
  for (let index = 0; index + 1 < lines.length; index += 2)
    targets.set(plainName(lines[index] ?? ''), lines[index + 1] ?? '');
  return targets;
}

/** Type for the words that stat prints; undefined for special files. */
function kindOf(word: string): ArchiveEntry['type'] | undefined {
  if (word === 'regular file' || word === 'regular empty file') return 'file';
  if (word === 'directory') return 'directory';
  return word === 'symbolic link' ? 'link' : undefined;
}

function typeOf(word: string, name: string): ArchiveEntry['type'] {
  const type = kindOf(word);
  if (type === undefined)
    throw new TaskError(`"${name}" in the archive is a ${word}, not a file, directory or link.`);
  return type;
}
