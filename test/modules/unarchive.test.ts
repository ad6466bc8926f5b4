import { expect } from 'vitest';
import { unarchive } from '../../src/modules/unarchive.ts';
import { sha, there } from '../helpers/file-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const none = there({ type: 'absent', mode: '', checksum: '', owner: '', group: '' });

const entry = (name: string, more: object = {}) => ({
  name,
  type: 'file' as const,
  mode: '0644',
  checksum: sha('new'),
  target: '',
  ...more,
});

const tool = [
  entry('./', { type: 'directory', mode: '0700', checksum: '' }),
  entry('./tool/bin/run', { mode: '0755' }),
  entry('./tool/LICENSE'),
  entry('./tool/latest', { type: 'link', mode: '0777', checksum: '', target: 'bin/run' }),
];

const states = (...known: [string, object][]) => ({
  'file.state /opt': fileFact({ type: 'directory' }),
  [`archive.states /opt ${JSON.stringify(known.map(([name]) => name))}`]: new Map(known),
});

const link = there({ type: 'link', mode: '0777', checksum: '', target: 'bin/run' });

const directory = there({ type: 'directory', mode: '0755', checksum: '' });

const args = { src: 'tool.tgz', dest: '/opt' };

const sending = { archives: { 'tool.tgz': tool }, files: { 'tool.tgz': 'bytes' } };

const place = `/opt/.runner-unpack-${sha('bytes').slice(0, 16)}`;

const upload = `upload /controller/tool.tgz -> ${place} mode 0600`;

testModule(unarchive, {
  settled: [
    {
      title: 'all entries exist',
      args: { ...args, list_files: true },
      ...sending,
      facts: states(
        ['tool/bin/run', there({ mode: '0755' })],
        ['tool/LICENSE', there()],
        ['tool/latest', link],
        ['tool/bin', directory],
        ['tool', directory],
      ),
      result: { files: ['tool/bin/run', 'tool/LICENSE', 'tool/latest', 'tool/bin', 'tool'] },
    },
    {
      title: 'the path in "creates" exists',
      args: { ...args, creates: '/opt/tool' },
      facts: { 'file.state /opt/tool': fileFact({ type: 'directory' }) },
    },
    {
      title: 'the patterns select no entry',
      args: { ...args, exclude: 'tool' },
      ...sending,
      facts: states(),
    },
  ],
  changes: [
    {
      title: 'unpacks missing entries',
      args,
      ...sending,
      facts: states(
        ['tool/bin/run', none],
        ['tool/LICENSE', none],
        ['tool/latest', none],
        ['tool/bin', none],
        ['tool', none],
      ),
      actions: [
        expect.stringContaining('each /opt mkdir -p') as string,
        upload,
        expect.stringContaining(` unpack ${place} /opt 0 sent`) as string,
      ],
      restore: [
        { module: 'restore_path', args: { path: place, state: 'absent' } },
        { module: 'restore_path', args: { path: '/opt/tool', state: 'absent' } },
      ],
    },
    {
      title: 'replaces files with stripped names; the undo restores them',
      args: { ...args, strip_components: 1, include: ['tool/bin', '*/LICENSE'], owner: 'root' },
      ...sending,
      facts: {
        ...states(
          ['bin/run', there({ mode: '0755', checksum: sha('old') })],
          ['LICENSE', none],
          ['bin', directory],
        ),
        'file.state /opt/bin/run': fileFact({ mode: '0755', checksum: sha('old') }),
      },
      actions: [
        upload,
        expect.stringContaining(` unpack ${place} /opt 1 sent`) as string,
        expect.stringContaining('each /opt chown -h root') as string,
      ],
      restore: [
        { module: 'restore_path', args: { path: place, state: 'absent' } },
        { module: 'restore_path', args: { path: '/opt/LICENSE', state: 'absent' } },
        {
          module: 'restore_path',
          args: {
            path: '/opt/bin/run',
            state: 'file',
            mode: '0755',
            owner: 'root',
            group: 'root',
            copy: '/captured/opt/bin/run',
            checksum: sha('old'),
          },
        },
      ],
    },
    {
      title: 'changes only permissions for an archive on the host',
      args: { src: '/srv/a.zip', dest: '/opt', remote_src: true, mode: '0600' },
      facts: {
        'archive.entries /srv/a.zip': { kind: 'zip', entries: [entry('a')] },
        ...states(['a', there()]),
        'file.state /opt/a': fileFact({ checksum: sha('new') }),
      },
      actions: [expect.stringContaining('each /opt chmod 0600') as string],
    },
  ],
  refused: [
    {
      title: 'a destination that does not exist',
      args,
      ...sending,
      facts: { 'file.state /opt': absent },
      code: 'TASK_FAILED',
    },
    {
      title: 'a name that leads out of the destination',
      args,
      archives: { 'tool.tgz': [entry('a/../../etc/passwd')] },
      files: { 'tool.tgz': 'bytes' },
      facts: { 'file.state /opt': fileFact({ type: 'directory' }) },
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory in place of a file',
      args,
      archives: { 'tool.tgz': [entry('a')] },
      files: { 'tool.tgz': 'bytes' },
      facts: states(['a', directory]),
      code: 'TASK_FAILED',
    },
    {
      title: '"strip_components" for a zip archive',
      args: { src: '/srv/a.zip', dest: '/opt', remote_src: true, strip_components: 1 },
      facts: {
        'archive.entries /srv/a.zip': { kind: 'zip', entries: [entry('a/b')] },
        'file.state /opt': fileFact({ type: 'directory' }),
      },
      code: 'TASK_FAILED',
    },
    { title: 'a relative destination', args: { src: 'a', dest: 'opt' }, code: 'SCHEMA' },
  ],
});
