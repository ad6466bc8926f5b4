import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

export interface FileSystem {
  /** Mount point. */
  place: string;
  /** Device number; paths with the same number share the free space. */
  device: string;
  /** Bytes available to users other than root. */
  free: number;
  /** Undefined where the file system does not count them, such as btrfs. */
  freeInodes: number | undefined;
}

/** For each path, the file system that holds it, or would hold it once it is created. */
export const fileSystems: Fact<string[], FileSystem[]> = {
  name: 'disk.filesystems',
  command: (...paths) => ({
    script: `for path in ${paths.map(quote).join(' ')}; do
until [ -e "$path" ]; do path=\${path%/*}; [ -n "$path" ] || path=/; done
stat -L -c %d -- "$path" && stat -f -c '%a %S %d %c' -- "$path" && df -P -- "$path" | tail -n 1 || exit 1
done`,
  }),
  parse({ code, stdout, stderr }, ...paths) {
    const lines = stdout.trimEnd().split('\n');
    const unread = (): TaskError =>
      new TaskError(`Cannot read the free space of ${paths.join(', ')}: ${stderr.trim()}`);
    if (code !== 0 || lines.length !== paths.length * LINES) throw unread();
    return paths.map((_path, index) => {
      const [device = '', numbers = '', row = ''] = lines.slice(index * LINES);
      const [blocks = NaN, size = NaN, freeInodes = NaN, inodes = NaN] = numbers
        .split(' ')
        .map(Number);
      // The mount point is the rest of the row, after "Capacity", and may contain spaces.
      const place = /\s(?:\d+%|-)\s+(\/.*)$/.exec(row)?.[1];
      if (place === undefined || ![blocks, size, freeInodes, inodes].every(Number.isFinite))
        throw unread();
      return {
        place,
        device,
        free: blocks * size,
        freeInodes: inodes === 0 ? undefined : freeInodes,
      };
    });
  },
};

const LINES = 3;
