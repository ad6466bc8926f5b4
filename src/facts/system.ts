import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';
import { statFields, type FileState } from './file.ts';

/** Hostname of the running kernel. */
export const kernelHostname: Fact<[], string> = {
  name: 'system.hostname',
  command: () => ({ script: 'uname -n' }),
  parse({ stdout }) {
    return stdout.trim();
  },
};

/** Crontab of a user; undefined if there is none. */
export const crontab: Fact<[user: string], string | undefined> = {
  name: 'system.crontab',
  command: (user) => ({
    script: `command -v crontab >/dev/null || { echo 'the program "crontab" is not installed' >&2; exit 127; }; if [ "$(id -un)" = ${quote(user)} ]; then crontab -l; else crontab -l -u ${quote(user)}; fi`,
  }),
  parse({ code, stdout, stderr }, user) {
    if (code === 0) return stdout;
    if (code === 1 && /no crontab|can't open/i.test(stderr)) return undefined;
    throw new TaskError(`Cannot read the crontab of "${user}": ${stderr.trim()}`);
  },
};

export interface Mounted {
  src: string;
  fstype: string;
  /** Options of the mount itself. */
  own: string[];
  /** Options of the mount and of its file system. */
  opts: string[];
  /** Only a part of the file system is mounted, as with `mount --bind`. */
  isPart: boolean;
  /** Other paths of the host with the same files. */
  elsewhere: string[];
}

/** The file system mounted at a path; undefined if there is none. The last mount hides earlier ones. */
export const mountedAt: Fact<[path: string], Mounted | undefined> = {
  name: 'system.mount',
  // Reads the table twice: for the device, and for its other mounts. Spaces in paths are octal escapes.
  command: (path) => ({
    script: `awk -v p=${quote(escapeMount(path).replaceAll('\\', String.raw`\\`))} 'NR == FNR { if ($5 == p) d = $3; next } $3 == d' /proc/self/mountinfo /proc/self/mountinfo`,
  }),
  parse({ code, stdout, stderr }, path) {
    if (code !== 0) throw new TaskError(`Cannot read the mounts at "${path}": ${stderr}`);
    const mounts = stdout.split('\n').flatMap((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [, , , root = '', place = '', own = ''] = left.split(' ');
      const [fstype = '', src = '', superOptions = ''] = right.split(' ');
      if (place === '') return [];
      return [
        {
          root: unescapeMount(root),
          place: unescapeMount(place),
          own,
          fstype,
          src: unescapeMount(src),
          superOptions,
        },
      ];
    });
    const found = mounts.findLast(({ place }) => place === path);
    if (!found) return undefined;
    const list = (options: string) => options.split(',').filter((one) => one !== '');
    const elsewhere = mounts
      .filter(({ root, place }) => place !== path && isBelow(found.root, root))
      .map(({ root, place }) => `${place}/${found.root.slice(root.length)}`.replaceAll(/\/+/g, '/'))
      .map((one) => (one === '/' ? one : one.replace(/\/$/, '')));
    return {
      src: found.src,
      fstype: found.fstype,
      own: list(found.own),
      opts: [...new Set([...list(found.own), ...list(found.superOptions)])],
      isPart: found.root !== '/' && !found.superOptions.includes('subvol='),
      elsewhere,
    };
  },
};

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** Octal escapes, as fstab(5) and the kernel write them. */
export function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

export function escapeMount(text: string): string {
  return text.replaceAll(
    /[\\ \t\n]/g,
    (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}

export type FoundFile = Omit<FileState, 'type' | 'checksum' | 'target'> & {
  path: string;
  type: Exclude<FileState['type'], 'absent'>;
};

/**
 * Paths below others, from `find`. `depth` is for -maxdepth, empty for no limit; `contains` is an extended regular
 * expression for a line of a regular file, empty for any. Parameters are strings, because they are the key of the fact.
 */
export const filesBelow: Fact<
  [paths: string, depth: string, follow: string, contains: string],
  { files: FoundFile[]; skipped: string[] }
> = {
  name: 'system.find',
  command: (paths, depth, follow, contains) => {
    const limit = depth === '' ? '' : ` -maxdepth ${quote(depth)}`;
    const holds = contains === '' ? '' : ` -type f -exec grep -Eqs -e ${quote(contains)} -- {} \\;`;
    const places = (JSON.parse(paths) as string[]).map(quote).join(' ');
    // No path contains "//", so a line that begins with it starts a record.
    return {
      script: `for p in ${places}; do if [ -d "$p" ]; then find ${follow === 'true' ? '-L ' : ''}"$p" -mindepth 1${limit}${holds} -exec stat -c '//%F|%a|%u|%g|%U|%G|%s|%Y|%n' {} +; elif [ ! -e "$p" ]; then echo "$p: no such directory" >&2; fi; done`,
    };
  },
  parse({ stdout, stderr }) {
    const skipped = stderr.split('\n').filter((line) => line !== '');
    const files = stdout
      .split(/^\/\//m)
      .slice(1)
      .map((record) => {
        const [kind = '', ...fields] = record.replace(/\n$/, '').split('|');
        // The name is the last field and may contain the separator.
        return { path: fields.slice(7).join('|'), type: typeOf(kind), ...statFields(fields) };
      });
    return { files, skipped };
  },
};

function typeOf(kind: string): FoundFile['type'] {
  if (kind.startsWith('regular')) return 'file';
  if (kind === 'directory') return 'directory';
  return kind === 'symbolic link' ? 'link' : 'other';
}

/** Seconds since 1970, by the clock of the host. */
export const hostClock: Fact<[], number> = {
  name: 'system.clock',
  command: () => ({ script: 'date +%s' }),
  parse: ({ stdout }) => Number(stdout.trim()),
};
