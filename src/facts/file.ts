import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { describePath, type HostPath } from '../core/host-path.ts';
import { quote } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

export interface FileState {
  type: 'absent' | 'file' | 'directory' | 'link' | 'other';
  /** Octal with a leading zero, such as "0644". Empty when absent. */
  mode: string;
  uid: number;
  gid: number;
  owner: string;
  group: string;
  /** Bytes. */
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  /** SHA-256 in hex, of regular files. */
  checksum: string;
  /** What a symbolic link points at. */
  target: string;
}

const absent: FileState = {
  type: 'absent',
  mode: '',
  uid: -1,
  gid: -1,
  owner: '',
  group: '',
  size: 0,
  mtime: 0,
  checksum: '',
  target: '',
};

type StatFields = Pick<FileState, 'mode' | 'uid' | 'gid' | 'owner' | 'group' | 'size' | 'mtime'>;

/** What `stat -c '%a|%u|%g|%U|%G|%s|%Y'` prints, as its fields. */
export function statFields(fields: readonly string[]): StatFields {
  const [mode = '', uid, gid, owner = '', group = '', size, mtime] = fields;
  return {
    mode: mode.padStart(4, '0'),
    uid: Number(uid),
    gid: Number(gid),
    owner,
    group,
    size: Number(size),
    mtime: Number(mtime),
  };
}

/** State of a path, links not followed. */
export const fileState: Fact<[path: HostPath], FileState> = {
  name: 'file.state',
  command: (path) => ({ script: 'rn_file_state "$1"', paths: [path], inSessionShell: true }),
  parse(output, path) {
    requireAnswer(output, `Cannot look at ${describePath(path)}`);
    const [line = '', second = ''] = output.stdout.split('\n');
    if (line === 'absent') return absent;
    const [type = '', ...fields] = line.split('|');
    if (!['file', 'directory', 'link', 'other'].includes(type)) {
      throw new TaskError(`Unexpected answer about ${describePath(path)}: ${line}`);
    }
    return {
      type: type as FileState['type'],
      ...statFields(fields),
      checksum: type === 'file' ? (second.replace(/^\\/, '').split(' ')[0] ?? '') : '',
      target: type === 'link' ? second : '',
    };
  },
};

/** Where a path leads in the end; undefined when it leads nowhere. */
export const realPath: Fact<[path: string], string | undefined> = {
  name: 'file.real',
  command: (path) => ({ script: `readlink -f ${quote(path)}` }),
  parse: ({ code, stdout }) => (code === 0 ? stdout.replace(/\n$/, '') : undefined),
};

/** Sum of a regular file in hex, by the coreutils program ALGORITHMsum. */
export const fileSum: Fact<[path: string, algorithm: string], string> = {
  name: 'file.sum',
  command: (path, algorithm) => ({ script: `${algorithm}sum <${quote(path)}` }),
  parse(output, path) {
    requireAnswer(output, `Cannot make the sum of "${path}"`);
    return output.stdout.split(' ')[0] ?? '';
  },
};

/** One sum over all that is below a directory; undefined when there is none. */
export const treeSum: Fact<[path: HostPath], string | undefined> = {
  name: 'file.tree',
  command: (path) => ({ script: 'rn_tree_sum "$1"', paths: [path], inSessionShell: true }),
  parse(output, path) {
    requireAnswer(output, `Cannot look through ${describePath(path)}`);
    const [word = ''] = output.stdout.trim().split(' ');
    return word === 'absent' ? undefined : word;
  },
};

/** Bytes of a regular file, or undefined when there is none. At most 8 MiB. */
export const fileContent: Fact<[path: HostPath], Buffer | undefined> = {
  name: 'file.content',
  command: (path) => ({ script: 'rn_file_content "$1"', paths: [path], inSessionShell: true }),
  parse(output, path) {
    requireAnswer(output, `Cannot read ${describePath(path)}`);
    const end = output.stdout.indexOf('\n');
    if (output.stdout.slice(0, end) === 'absent') return undefined;
    return Buffer.from(output.stdout.slice(end + 1), 'base64');
  },
};

/** Whether two paths are one and the same file. */
export const sameFile: Fact<[one: string, other: string], boolean> = {
  name: 'file.same',
  command: (one, other) => ({ script: `[ ${quote(one)} -ef ${quote(other)} ]` }),
  parse: ({ code }) => code === 0,
};

/** Who may do what with a path. */
export interface PathAttributes {
  path: string;
  type: 'directory' | 'link' | 'other';
  /** Octal with a leading zero. */
  mode: string;
  uid: number;
  gid: number;
  owner: string;
  group: string;
}

const ATTRIBUTES = /^(\d+)\|(\d+)\|(\d+)\|([^|]*)\|([^|]*)\|([^|]*)\|(\/.*)$/;

/**
 * A directory and all below it, links not followed, without those whose line "mode|uid|gid|owner|group|kind|" matches a
 * pattern of `grep -E`: it is the host that leaves out what is of no interest.
 */
export const treeAttributes: Fact<[path: string, without: string], PathAttributes[]> = {
  name: 'file.attributes',
  command: (path, without) => ({
    script: `find ${quote(path)} -exec stat -c '%a|%u|%g|%U|%G|%F|%n' {} + | grep -Ev ${quote(without)}`,
  }),
  parse({ code, stdout, stderr }, path) {
    // grep answers 1 where no line is left; find and stat say what they cannot look at. What goes away meanwhile is gone.
    const trouble = stderr
      .split('\n')
      .find((line) => line !== '' && !line.endsWith('No such file or directory'));
    if (code > 1 || trouble !== undefined)
      throw new TaskError(
        `Cannot list the contents of "${path}": ${trouble ?? `code ${String(code)}`}`,
      );
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): PathAttributes => {
        const found = ATTRIBUTES.exec(line);
        if (!found) throw new TaskError(`A name in "${path}" has a line end in it: ${line}`);
        const [, mode = '', uid, gid, owner = '', group = '', kind = '', name = ''] = found;
        return {
          path: name,
          type: kind === 'directory' ? 'directory' : kind === 'symbolic link' ? 'link' : 'other',
          mode: mode.padStart(4, '0'),
          uid: Number(uid),
          gid: Number(gid),
          owner,
          group,
        };
      });
  },
};

/** The same of single paths; those that are not there are left out. Paths as JSON. */
export const pathAttributes: Fact<[paths: string], PathAttributes[]> = {
  name: 'file.attributes of',
  command(paths) {
    const names = (JSON.parse(paths) as string[]).map((name) => quote(name)).join(' ');
    return {
      script: `printf '%s\\0' ${names} | xargs -0 sh -c 'for f; do [ ! -e "$f" ] && [ ! -L "$f" ] || stat -c "%a|%u|%g|%U|%G|%F|%n" "$f" || exit 1; done' sh`,
    };
  },
  parse(output) {
    requireAnswer(output, 'Cannot look at paths');
    return treeAttributes.parse({ ...output, stderr: '' }, '/', '');
  },
};
