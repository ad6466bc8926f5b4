import { expect } from 'vitest';
import { restore_backup } from '../../../src/modules/undo/restore_backup.ts';
import { kept, sha } from '../../helpers/file-facts.ts';
import { testModule } from '../../helpers/module-tester.ts';

const tree = { path: '/srv/a', type: 'directory', sum: 'tree' } as const;

const plain = { path: '/etc/a.conf', type: 'file', sum: sha('a') } as const;

const named = `backup-${sha(JSON.stringify([tree, plain])).slice(0, 16)}.tar.gz`;

const local = `/here/host1/${named}`;

testModule(restore_backup, {
  settled: [
    {
      title: 'all paths match the backup',
      args: { file: local, archive: '/var/tmp/x', saved: [tree, plain] },
      facts: kept(undefined),
    },
  ],
  changes: [
    {
      title: 'restores only the paths that differ',
      args: { file: local, archive: '/var/tmp/x', saved: [tree, plain] },
      files: { [local]: 'archive' },
      facts: { ...kept(undefined), 'file.tree /srv/a': 'other' },
      actions: [
        `upload ${local} -> /var/tmp/x mode 0600`,
        expect.stringMatching(/unpack \/var\/tmp\/x directory \/srv\/a$/) as string,
        'remove /var/tmp/x',
      ],
    },
  ],
});
