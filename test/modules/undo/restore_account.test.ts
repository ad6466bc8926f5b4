import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { restore_account, withEntry } from '../../../src/modules/undo/restore_account.ts';
import { testModule } from '../../helpers/module-tester.ts';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

const before = 'root:x:0:0::/root:/bin/sh\n';

const restoring = {
  name: 'eva',
  files: [{ path: '/etc/passwd', copy: '/c', checksum: sum(before) }],
};

testModule(restore_account, {
  settled: [
    {
      title: 'the file is unchanged, although a step that never started made no copy',
      args: restoring,
      facts: { 'file.content /etc/passwd': Buffer.from(before), 'file.content /c': undefined },
    },
  ],
  changes: [
    {
      title: 'removes the user',
      args: restoring,
      facts: {
        'file.content /etc/passwd': Buffer.from(`${before}eva:x:1001:1001::/home/eva:/bin/sh\n`),
        'file.content /c': Buffer.from(before),
      },
      actions: ['write /etc/passwd'],
    },
  ],
  refused: [
    {
      title: 'a damaged copy',
      args: restoring,
      facts: {
        'file.content /etc/passwd': Buffer.from('eva:x:1:1:::\n'),
        'file.content /c': Buffer.from('root'),
      },
      code: 'TASK_FAILED',
    },
  ],
});

describe('withEntry', () => {
  it('returns exactly the old file if nothing else changed, in any order', () => {
    const old = 'a:x:1:1\neva:x:5:5\nb:x:2:2\n';
    expect(withEntry('a:x:1:1\nb:x:2:2\n', old, 'eva', '/etc/passwd')).toBe(old);
    expect(withEntry('a:x:1:1\nb:x:2:2\neva:x:9:9\n', old, 'eva', '/etc/passwd')).toBe(old);
  });

  it('keeps other changes', () => {
    const old = 'a:x:1:1\neva:x:5:5\n';
    const now = 'a:x:1:7\nnew:x:8:8\n';
    expect(withEntry(now, old, 'eva', '/etc/passwd')).toBe('a:x:1:7\nnew:x:8:8\neva:x:5:5\n');
  });

  it('restores the group memberships of this user only', () => {
    const old = 'wheel:x:10:eva,max\nops:x:11:\n';
    const now = 'wheel:x:10:max\nops:x:11:eva,new\n';
    expect(withEntry(now, old, 'eva', '/etc/group')).toBe('wheel:x:10:max,eva\nops:x:11:new\n');
  });
});
