import { describe, expect, it } from 'vitest';
import { escapeMount, filesBelow, mountedAt, unescapeMount } from '../../src/facts/system.ts';

describe('system.mount', () => {
  const parse = (line: string) => mountedAt.parse({ code: 0, stdout: line, stderr: '' }, '/data');

  it('parses mountinfo with and without optional fields; the last mount of a path counts', () => {
    const lines = [
      '20 1 8:17 / /srv rw shared:1 - ext4 /dev/sdb1 rw',
      '21 1 8:17 / /data rw,noexec shared:1 - ext4 /dev/sdb1 rw',
      '22 1 8:17 /logs/x /data rw,relatime - ext4 /dev/sdb1 rw,discard',
    ];
    expect(parse(`${lines.join('\n')}\n`)).toEqual({
      src: '/dev/sdb1',
      fstype: 'ext4',
      own: ['rw', 'relatime'],
      opts: ['rw', 'relatime', 'discard'],
      isPart: true,
      elsewhere: ['/srv/logs/x'],
    });
    expect(parse('20 1 0:44 / /data ro - tmpfs tmpfs ro,size=1k\n')).toMatchObject({
      src: 'tmpfs',
      isPart: false,
      elsewhere: [],
    });
    expect(parse('')).toBeUndefined();
  });

  it('escapes whitespace as in fstab', () => {
    expect(escapeMount('/a b\\c')).toBe('/a\\040b\\134c');
    expect(unescapeMount('/a\\040b\\134c')).toBe('/a b\\c');
  });
});

describe('system.find', () => {
  it('supports names with line breaks, and reports unreadable directories', () => {
    const record = (name: string) => `//regular file|644|0|0|root|root|1|2|${name}\n`;
    const { files, skipped } = filesBelow.parse(
      { code: 1, stdout: record('/a/x\ny') + record('/a/b|c'), stderr: 'find: /a/z: denied\n' },
      '["/a"]',
      '1',
      'false',
      '',
    );
    expect(files.map(({ path }) => path)).toEqual(['/a/x\ny', '/a/b|c']);
    expect(skipped).toEqual(['find: /a/z: denied']);
  });
});
