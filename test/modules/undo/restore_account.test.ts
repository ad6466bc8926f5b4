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
      title: 'as before; a step that never began has no copy',
      args: restoring,
      facts: { 'file.content /etc/passwd': Buffer.from(before), 'file.content /c': undefined },
    },
  ],
  changes: [
    {
      title: 'takes the user away',
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
      title: 'a copy that is not whole',
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
  it('gives the old file to the byte where nothing else changed, in any order', () => {
    const old = 'a:x:1:1\neva:x:5:5\nb:x:2:2\n';
    expect(withEntry('a:x:1:1\nb:x:2:2\n', old, 'eva', '/etc/passwd')).toBe(old);
    expect(withEntry('a:x:1:1\nb:x:2:2\neva:x:9:9\n', old, 'eva', '/etc/passwd')).toBe(old);
  });

  it('leaves what others changed meanwhile', () => {
    const old = 'a:x:1:1\neva:x:5:5\n';
    const now = 'a:x:1:7\nnew:x:8:8\n';
    expect(withEntry(now, old, 'eva', '/etc/passwd')).toBe('a:x:1:7\nnew:x:8:8\neva:x:5:5\n');
  });

  it('brings membership of groups back, that of this user only', () => {
    const old = 'wheel:x:10:eva,max\nops:x:11:\n';
    const now = 'wheel:x:10:max\nops:x:11:eva,new\n';
    expect(withEntry(now, old, 'eva', '/etc/group')).toBe('wheel:x:10:max,eva\nops:x:11:new\n');
  });
});
