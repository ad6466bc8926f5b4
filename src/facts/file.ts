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
  /** Target of a symbolic link. */
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

/** State of a path. Links are not followed. */
export const fileState: Fact<[path: HostPath], FileState> = {
  name: 'file.state',
  command: (path) => ({ script: 'rn_file_state "$1"', paths: [path], inSessionShell: true }),
  parse(output, path) {
    requireAnswer(output, `Cannot read the state of ${describePath(path)}`);
    const [line = '', second = ''] = output.stdout.split('\n');
    if (line === 'absent') return absent;
    const [type = '', ...fields] = line.split('|');
    if (!['file', 'directory', 'link', 'other'].includes(type)) {
      throw new TaskError(`Unexpected output for ${describePath(path)}: ${line}`);
    }
    return {
      type: type as FileState['type'],
      ...statFields(fields),
      checksum: type === 'file' ? (second.replace(/^\\/, '').split(' ')[0] ?? '') : '',
      target: type === 'link' ? second : '',
    };
  },
};

/** A path with all links resolved; undefined if that is not possible. */
export const realPath: Fact<[path: string], string | undefined> = {
  name: 'file.real',
  command: (path) => ({ script: `readlink -f ${quote(path)}` }),
  parse: ({ code, stdout }) => (code === 0 ? stdout.replace(/\n$/, '') : undefined),
};

/** Checksum of a regular file in hex, from the coreutils program ALGORITHMsum. */
export const fileSum: Fact<[path: string, algorithm: string], string> = {
  name: 'file.sum',
  command: (path, algorithm) => ({ script: `${algorithm}sum <${quote(path)}` }),
  parse(output, path) {
    requireAnswer(output, `Cannot compute the checksum of "${path}"`);
    return output.stdout.split(' ')[0] ?? '';
  },
};

/** One checksum over everything below a directory; undefined if the directory does not exist. */
export const treeSum: Fact<[path: HostPath], string | undefined> = {
  name: 'file.tree',
  command: (path) => ({ script: 'rn_tree_sum "$1"', paths: [path], inSessionShell: true }),
  parse(output, path) {
    requireAnswer(output, `Cannot read the tree below ${describePath(path)}`);
    const [word = ''] = output.stdout.trim().split(' ');
    return word === 'absent' ? undefined : word;
  },
};

/** Bytes of a regular file, at most 8 MiB; undefined if it does not exist. */
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

/** Whether two paths are the same file. */
export const sameFile: Fact<[one: string, other: string], boolean> = {
  name: 'file.same',
  command: (one, other) => ({ script: `[ ${quote(one)} -ef ${quote(other)} ]` }),
  parse: ({ code }) => code === 0,
};

/** Mode and owner of a path. */
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
 * Attributes of a directory and everything below it; links are not followed. The host leaves out the paths whose line
 * "mode|uid|gid|owner|group|type|" matches the `grep -E` pattern `without`.
 */
export const treeAttributes: Fact<[path: string, without: string], PathAttributes[]> = {
  name: 'file.attributes',
  command: (path, without) => ({
    script: `find ${quote(path)} -exec stat -c '%a|%u|%g|%U|%G|%F|%n' {} + | grep -Ev ${quote(without)}`,
  }),
  parse({ code, stdout, stderr }, path) {
    // grep exits with 1 if no line is left; find and stat print errors. Paths that vanish in between are ignored.
    const trouble = stderr
      .split('\n')
      .find((line) => line !== '' && !line.endsWith('No such file or directory'));
    if (code > 1 || trouble !== undefined)
      throw new TaskError(
        `Cannot list the contents of "${path}": ${trouble ?? `exit code ${String(code)}`}`,
      );
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): PathAttributes => {
        const found = ATTRIBUTES.exec(line);
        if (!found) throw new TaskError(`A name in "${path}" contains a line break: ${line}`);
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

/** The same for single paths, given as a JSON list. Missing paths are left out. */
export const pathAttributes: Fact<[paths: string], PathAttributes[]> = {
  name: 'file.attributes of',
  command(paths) {
    const names = (JSON.parse(paths) as string[]).map((name) => quote(name)).join(' ');
    return {
      script: `printf '%s\\0' ${names} | xargs -0 sh -c 'for f; do [ ! -e "$f" ] && [ ! -L "$f" ] || stat -c "%a|%u|%g|%U|%G|%F|%n" "$f" || exit 1; done' sh`,
    };
  },
  parse(output) {
    requireAnswer(output, 'Cannot read the attributes of paths');
    return treeAttributes.parse({ ...output, stderr: '' }, '/', '');
  },
};
