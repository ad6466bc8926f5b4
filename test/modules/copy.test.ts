import { expect } from 'vitest';
import { copy } from '../../src/modules/copy.ts';
import { found, path, restored, sha, there } from '../helpers/file-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

const removed = { module: 'restore_path', args: { path, state: 'absent' } };

const none = there({ type: 'absent', mode: '', checksum: '', owner: '', group: '' });

const other = '/etc/other.conf';

const confOnTheController = {
  directories: Object.fromEntries(
    ['conf', 'conf/'].map((name) => [
      name,
      [
        { path: 'a', type: 'file' as const, mode: '0640' },
        { path: 'bin', type: 'directory' as const, mode: '0755' },
        { path: 'bin/run', type: 'file' as const, mode: '0755' },
        { path: 'bin/old', type: 'file' as const, mode: '0644' },
      ],
    ]),
  ),
  files: Object.fromEntries(
    Object.entries({ a: 'A', 'bin/run': 'R', 'bin/old': 'O' }).map(([name, text]) => [
      `/controller/conf/${name}`,
      text,
    ]),
  ),
};

testModule(copy, {
  settled: [
    {
      title: 'a file on the host was already copied',
      args: { src: path, dest: other, remote_src: true },
      facts: { ...found('a'), [`file.state ${other}`]: fileFact({ checksum: sha('a') }) },
    },
    {
      title: 'the content of a directory exists in the target of a link',
      args: { src: 'conf/', dest: '/srv/link' },
      ...confOnTheController,
      facts: {
        'file.state /srv/link': fileFact({ type: 'link' }),
        'file.real /srv/link': '/srv/real',
        'file.state /srv/real': fileFact({ type: 'directory' }),
        'archive.states /srv/real ["a","bin","bin/run","bin/old"]': new Map([
          ['a', there({ checksum: sha('A') })],
          ['bin', there({ type: 'directory' })],
          ['bin/run', there({ checksum: sha('R') })],
          ['bin/old', there({ checksum: sha('O') })],
        ]),
      },
    },
    { title: 'the content is equal', args: { content: 'a\n', dest: path }, facts: found('a\n') },
    {
      title: 'content and mode are equal',
      args: { content: 'a', dest: path, mode: '0644' },
      facts: found('a'),
    },
    {
      title: '"force: false" keeps an existing file',
      args: { content: 'b', dest: path, force: false },
      facts: found('a'),
    },
  ],
  changes: [
    {
      title: 'copies a file on the host, with another owner',
      args: { src: path, dest: other, remote_src: true, mode: '0600', owner: 'eva' },
      facts: { ...found('a'), [`file.state ${other}`]: absent },
      actions: [`copy ${path} -> ${other} mode 0600`],
      restore: [{ module: 'restore_path', args: { path: other, state: 'absent' } }],
    },
    {
      title: 'creates a file',
      args: { content: 'a', dest: path, mode: '0600' },
      facts: missing,
      actions: [`write ${path} mode 0600`],
      restore: [removed],
    },
    {
      title: 'replaces different content, which the undo restores',
      args: { content: 'b', dest: path },
      facts: found('a'),
      actions: [`write ${path}`],
      restore: [restored('a')],
    },
    {
      title: 'sets only mode and owner if the content is equal',
      args: { content: 'a', dest: path, mode: '0600', owner: 'app' },
      facts: found('a'),
      actions: [`chown app ${path}`, `chmod 0600 ${path}`],
    },
    {
      title: 'copies the missing files of a directory',
      args: { src: 'conf', dest: '/etc', mode: 'preserve', directory_mode: '0700', owner: 'eva' },
      ...confOnTheController,
      facts: {
        'file.state /etc/conf': fileFact({ type: 'directory' }),
        'archive.states /etc/conf ["a","bin","bin/run","bin/old"]': new Map([
          ['a', there({ mode: '0640', checksum: sha('A'), owner: 'eva' })],
          ['bin', none],
          ['bin/run', none],
          ['bin/old', there({ mode: '0640', checksum: sha('before') })],
        ]),
        'file.state /etc/conf/bin/old': fileFact({ checksum: sha('before') }),
      },
      actions: [
        expect.stringMatching(/each \/etc\/conf mkdir -p$/) as string,
        expect.stringMatching(/each \/etc\/conf chmod 0700$/) as string,
        expect.stringMatching(/each \/etc\/conf chown eva$/) as string,
        'write /etc/conf/bin/run mode 0755',
        'write /etc/conf/bin/old mode 0644',
      ],
      restore: [
        { module: 'restore_path', args: { path: '/etc/conf/bin', state: 'absent' } },
        {
          module: 'restore_path',
          args: {
            ...{ path: '/etc/conf/bin/old', state: 'file', checksum: sha('before') },
            ...{ mode: '0644', owner: 'root', group: 'root', copy: '/captured/etc/conf/bin/old' },
          },
        },
      ],
    },
    {
      title: 'copies the content of a directory to a new directory',
      args: { src: 'conf/', dest: '/srv/a/b', mode: 'u=rwX,go=' },
      ...confOnTheController,
      facts: {
        'file.state /srv/a/b': absent,
        'file.state /srv/a': absent,
        'file.state /srv': fileFact({ type: 'directory' }),
      },
      actions: [
        'mkdir /srv/a/b',
        expect.stringMatching(/each \/srv\/a\/b mkdir -p$/) as string,
        'write /srv/a/b/a mode 0600',
        'write /srv/a/b/bin/run mode 0600',
        'write /srv/a/b/bin/old mode 0600',
      ],
      restore: [{ module: 'restore_path', args: { path: '/srv/a', state: 'absent' } }],
    },
    {
      title: '"preserve" sets the mode from the controller',
      args: { src: 'app.conf', dest: path, mode: 'preserve', checksum: `sha256:${sha('x')}` },
      facts: missing,
      files: { 'app.conf': 'x' },
      actions: [`write ${path} mode 0640`],
    },
    {
      title: 'copies a file from the controller',
      args: { src: 'app.conf', dest: path },
      facts: missing,
      files: { 'app.conf': 'x' },
      actions: [`write ${path}`],
    },
  ],
  refused: [
    {
      title: 'a source on the host that does not exist',
      args: { src: path, dest: other, remote_src: true },
      facts: { ...missing, [`file.state ${other}`]: absent },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file with an unexpected checksum',
      args: { src: 'a', dest: path, checksum: sha('b') },
      facts: missing,
      files: { a: 'a' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file in place of a directory',
      args: { src: 'conf/', dest: path },
      ...confOnTheController,
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: '"validate" for a directory',
      args: { src: 'conf', dest: '/etc', validate: 'sh -n %s' },
      ...confOnTheController,
      code: 'TASK_FAILED',
    },
    {
      title: 'a relative source on the host',
      args: { src: 'a', dest: other, remote_src: true },
      code: 'TASK_FAILED',
    },
    {
      title: 'src and content together',
      args: { src: 'a', content: 'b', dest: path },
      code: 'SCHEMA',
    },
    { title: 'an unquoted mode', args: { content: 'a', dest: path, mode: 644 }, code: 'SCHEMA' },
    { title: 'a relative dest', args: { content: 'a', dest: 'app.conf' }, code: 'SCHEMA' },
    {
      title: 'a directory as dest',
      args: { content: 'a', dest: path },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'directory' }),
        [`file.content ${path}`]: undefined,
      },
      code: 'TASK_FAILED',
    },
  ],
});
