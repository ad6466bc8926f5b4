import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileSystems } from '../../src/facts/disk.ts';

const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: 'no such program' });
const root = '2049\n100 4096 7 9\n/dev/sda1 1000 500 400 56% /\n';

describe('free space of file systems', () => {
  it('is read on this machine, also for paths that do not exist yet', () => {
    const dir = mkdtempSync(join(tmpdir(), "it's here "));
    try {
      const paths = [`${dir}/not/yet`, '/proc'];
      const { script } = fileSystems.command(...paths);
      const stdout = execFileSync('/bin/sh', ['-c', script]).toString();
      const [own, proc] = fileSystems.parse(answer(stdout), ...paths);
      expect(own?.device).toBe(String(statSync(dir).dev));
      expect(own?.free).toBeGreaterThan(0);
      expect(proc).toMatchObject({ place: '/proc', free: 0 });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('supports mount points with spaces and file systems without an inode count', () => {
    const other = '51\n2 1024 0 0\nmy disk 10 8 2 80% /mnt/my disk\n';
    expect(fileSystems.parse(answer(root + other), '/a', '/b')).toEqual([
      { place: '/', device: '2049', free: 409_600, freeInodes: 7 },
      { place: '/mnt/my disk', device: '51', free: 2048, freeInodes: undefined },
    ]);
  });

  it('is an error if the output is incomplete', () => {
    for (const output of [answer(root), answer(`${root}51\n? ?\nx\n`), answer(root + root, 1)])
      expect(() => fileSystems.parse(output, '/a', '/b')).toThrow(
        'Cannot read the free space of /a, /b: no such program',
      );
  });
});
