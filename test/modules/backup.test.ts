import { expect } from 'vitest';
import { backup } from '../../src/modules/backup.ts';
import { kept, sha } from '../helpers/file-facts.ts';
import { absent, testModule } from '../helpers/module-tester.ts';

const tree = { path: '/srv/a', type: 'directory', sum: 'tree' } as const;

const plain = { path: '/etc/a.conf', type: 'file', sum: sha('a') } as const;

const named = `backup-${sha(JSON.stringify([tree, plain])).slice(0, 16)}.tar.gz`;

const local = `/here/host1/${named}`;

const saving = { paths: ['/srv/a/', '/etc/a.conf'], dest: '/here/' };

testModule(backup, {
  settled: [
    {
      title: 'the controller already has the same archive',
      args: saving,
      facts: kept(local),
      result: { dest: local, saved: [tree, plain] },
    },
  ],
  changes: [
    {
      title: 'packs the paths, fetches the archive and removes it from the host',
      args: saving,
      facts: kept(undefined),
      actions: [
        expect.stringContaining(`pack /var/tmp/runner-${named} ./srv/a ./etc/a.conf`) as string,
        `fetch /var/tmp/runner-${named} -> ${local} on the controller`,
        `remove /var/tmp/runner-${named}`,
      ],
      restore: [
        {
          module: 'restore_backup',
          args: { file: local, archive: `/var/tmp/runner-${named}`, saved: [tree, plain] },
        },
        {
          module: 'restore_path',
          args: { path: `/var/tmp/runner-${named}`, state: 'absent' },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'a path that does not exist',
      args: { paths: '/none', dest: '/here' },
      facts: { 'file.state /none': absent, 'file.tree /none': undefined },
      code: 'TASK_FAILED',
    },
    { title: 'the root directory', args: { paths: '/', dest: '/here' }, code: 'TASK_FAILED' },
    {
      title: 'a relative directory on the controller',
      args: { paths: '/a', dest: 'here' },
      code: 'SCHEMA',
    },
    { title: 'a path with ".."', args: { paths: '/a/../b', dest: '/here' }, code: 'TASK_FAILED' },
  ],
});
