import { describe, expect, it } from 'vitest';
import { nameEntries, packageList } from '../../src/facts/lists.ts';

describe('lists of a host', () => {
  const said = (stdout: string, code = 0) => ({ code, stdout, stderr: 'why' });
  it('contain installed packages with all their architectures', () => {
    const dpkg = 'apt\nii |libc6|2.36|amd64\nii |libc6|2.36|i386\nrc |old|1|all\n';
    expect(packageList.parse(said(dpkg))).toEqual({
      libc6: ['amd64', 'i386'].map((arch) => ({
        ...{ name: 'libc6', version: '2.36', arch, source: 'apt' },
      })),
    });
    expect(() => packageList.parse(said('', 1))).toThrow('Cannot list the packages: why');
  });

  it('contain name entries, separated by colons or whitespace', () => {
    expect(nameEntries.parse(said('eva:x:7:7:Eva:/home/eva:/bin/sh\n'), 'passwd')).toEqual({
      eva: ['x', '7', '7', 'Eva', '/home/eva', '/bin/sh'],
    });
    expect(nameEntries.parse(said('fe80::1   a b\n'), 'hosts')).toEqual({ 'fe80::1': ['a', 'b'] });
    expect(nameEntries.parse(said('', 2), 'passwd', 'no')).toBeUndefined();
    expect(() => nameEntries.parse(said('', 1), 'nothing')).toThrow(
      'getent has no database "nothing"',
    );
    expect(() => nameEntries.parse(said('', 127), 'passwd')).toThrow('getent failed: why');
  });
});
