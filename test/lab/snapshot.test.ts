import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Lab } from '../../src/lab/lab.ts';
import { TreeSnapshot } from '../../src/lab/snapshot.ts';
import { labTree, treeOf } from '../../src/lab/tree.ts';

describe('TreeSnapshot', () => {
  let dir: string;
  const path = (name: string) => join(dir, name);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'runner-test-'));
    mkdirSync(path('etc/empty'), { recursive: true });
    writeFileSync(path('etc/a'), 'one\n', { mode: 0o640 });
    writeFileSync(path('etc/b'), 'two\n');
    symlinkSync('a', path('etc/link'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it.each<[string, () => void, string[]]>([
    ['nothing changes', () => undefined, []],
    [
      'a file is rewritten with the same size and time',
      () => {
        const { atime, mtime } = statSync(path('etc/a'));
        writeFileSync(path('etc/a'), 'eno\n');
        utimesSync(path('etc/a'), atime, mtime);
      },
      ['etc/a'],
    ],
    [
      'the mode of a file changes',
      () => {
        chmodSync(path('etc/a'), 0o000);
      },
      ['etc/a'],
    ],
    [
      'a directory loses its permissions',
      () => {
        chmodSync(path('etc/empty'), 0o000);
      },
      ['etc/empty'],
    ],
    [
      'a file is removed',
      () => {
        rmSync(path('etc/b'));
      },
      ['etc/b'],
    ],
    [
      'a directory is removed',
      () => {
        rmSync(path('etc'), { recursive: true });
      },
      ['etc/link', 'etc/empty', 'etc/b', 'etc/a', 'etc'],
    ],
    [
      'a directory with files is added',
      () => {
        mkdirSync(path('opt/x/y'), { recursive: true });
        writeFileSync(path('opt/x/y/z'), '');
      },
      ['opt'],
    ],
    [
      'a directory replaces a file',
      () => {
        rmSync(path('etc/a'));
        mkdirSync(path('etc/a/b'), { recursive: true });
      },
      ['etc/a', 'etc/a'],
    ],
    [
      'a symbolic link replaces a directory',
      () => {
        rmSync(path('etc/empty'), { recursive: true });
        symlinkSync('/', path('etc/empty'));
      },
      ['etc/empty', 'etc/empty'],
    ],
    [
      'a symbolic link gets another target',
      () => {
        rmSync(path('etc/link'));
        symlinkSync('b', path('etc/link'));
      },
      ['etc/link', 'etc/link'],
    ],
    [
      'a file gets a hard link',
      () => {
        linkSync(path('etc/a'), path('etc/c'));
      },
      ['etc/c', 'etc/a'],
    ],
  ])('restores the directory tree when %s', (_, change, restored) => {
    const snapshot = new TreeSnapshot(dir);
    const before = treeOf(dir);
    change();
    expect(snapshot.restore()).toEqual(restored);
    expect(treeOf(dir)).toEqual(before);
    expect(snapshot.restore()).toEqual([]);
  });

  it('keeps the inode of a changed file, so that its bind mounts stay valid', () => {
    const snapshot = new TreeSnapshot(dir);
    const { ino } = lstatSync(path('etc/a'));
    writeFileSync(path('etc/a'), 'changed');
    snapshot.restore();
    expect(lstatSync(path('etc/a')).ino).toBe(ino);
    expect(readFileSync(path('etc/a'), 'utf8')).toBe('one\n');
    expect(readlinkSync(path('etc/link'))).toBe('a');
  });
});

describe('Lab.restore', () => {
  it('restores files, mounts and the hostname, and kills the processes of the hosts', async () => {
    const lab = await Lab.start(['h1']);
    try {
      lab.snapshot();
      const before = labTree(lab);
      const { root } = lab.host('h1');
      const mounts = root.mounts();
      const child = root.spawn(
        'hostname other; echo other >/etc/hostname; echo x >/run/cluster/x; mkdir "/srv/a b"; mount -t tmpfs none "/srv/a b"; echo ready; exec sleep 1000',
      );
      const ended = new Promise((resolve) => child.once('close', resolve));
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      expect(root.mounts()).not.toEqual(mounts);
      await lab.restore();
      await ended;
      expect(labTree(lab)).toEqual(before);
      expect(root.mounts()).toEqual(mounts);
      const name = root.spawn('hostname');
      const output = await new Promise((resolve) => name.stdout?.once('data', resolve));
      expect(String(output)).toBe('h1\n');
    } finally {
      await lab.stop();
    }
  });
});
