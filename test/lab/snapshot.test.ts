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
    ['nothing happened', () => undefined, []],
    [
      'a file was rewritten with the same size and time',
      () => {
        const { atime, mtime } = statSync(path('etc/a'));
        writeFileSync(path('etc/a'), 'eno\n');
        utimesSync(path('etc/a'), atime, mtime);
      },
      ['etc/a'],
    ],
    [
      'a mode was changed',
      () => {
        chmodSync(path('etc/a'), 0o000);
      },
      ['etc/a'],
    ],
    [
      'a directory lost its permissions',
      () => {
        chmodSync(path('etc/empty'), 0o000);
      },
      ['etc/empty'],
    ],
    [
      'a file was removed',
      () => {
        rmSync(path('etc/b'));
      },
      ['etc/b'],
    ],
    [
      'a directory was removed',
      () => {
        rmSync(path('etc'), { recursive: true });
      },
      ['etc/link', 'etc/empty', 'etc/b', 'etc/a', 'etc'],
    ],
    [
      'a tree was added',
      () => {
        mkdirSync(path('opt/x/y'), { recursive: true });
        writeFileSync(path('opt/x/y/z'), '');
      },
      ['opt'],
    ],
    [
      'a file became a directory',
      () => {
        rmSync(path('etc/a'));
        mkdirSync(path('etc/a/b'), { recursive: true });
      },
      ['etc/a', 'etc/a'],
    ],
    [
      'a directory became a link',
      () => {
        rmSync(path('etc/empty'), { recursive: true });
        symlinkSync('/', path('etc/empty'));
      },
      ['etc/empty', 'etc/empty'],
    ],
    [
      'a link points elsewhere',
      () => {
        rmSync(path('etc/link'));
        symlinkSync('b', path('etc/link'));
      },
      ['etc/link', 'etc/link'],
    ],
    [
      'a file got a second name',
      () => {
        linkSync(path('etc/a'), path('etc/c'));
      },
      ['etc/c', 'etc/a'],
    ],
  ])('restores the tree after %s', (_, change, restored) => {
    const snapshot = new TreeSnapshot(dir);
    const before = treeOf(dir);
    change();
    expect(snapshot.restore()).toEqual(restored);
    expect(treeOf(dir)).toEqual(before);
    expect(snapshot.restore()).toEqual([]);
  });

  it('keeps the inode of a changed file, which may be bound to another place', () => {
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
  it('restores files, mounts and the hostname, and ends all processes', async () => {
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
      const said = await new Promise((resolve) => name.stdout?.once('data', resolve));
      expect(String(said)).toBe('h1\n');
    } finally {
      await lab.stop();
    }
  });
});
