import { file } from '../../src/modules/file.ts';
import { attributes, path } from '../helpers/file-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const removed = { module: 'restore_path', args: { path, state: 'absent' } };

testModule(file, {
  settled: [
    {
      title: 'the directory exists',
      args: { path, state: 'directory' },
      facts: { [`file.state ${path}`]: fileFact({ type: 'directory' }) },
    },
    {
      title: 'the path does not exist',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: absent },
    },
    {
      title: 'the link has the target',
      args: { path, state: 'link', src: '/x' },
      facts: { [`file.state ${path}`]: fileFact({ type: 'link', target: '/x' }) },
    },
    {
      title: 'an existing directory has, through a link, the symbolic mode',
      args: { path, mode: 'u=rwX,go=rX' },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'link', target: '/srv/real' }),
        [`file.real ${path}`]: '/srv/real',
        'file.state /srv/real': fileFact({ type: 'directory', mode: '0755' }),
      },
    },
    {
      title: 'all paths below a directory have the wanted attributes; modes of links do not count',
      args: { path: '/srv', state: 'directory', recurse: true, mode: 'u=rwX,go=', owner: '7' },
      facts: {
        'file.state /srv': fileFact({ type: 'directory', mode: '0750' }),
        'file.attributes /srv ^$': [
          attributes('/srv', { type: 'directory', mode: '0700', uid: 7 }),
          attributes('/srv/a', { mode: '0600', uid: 7 }),
          attributes('/srv/run', { mode: '0700', uid: 7 }),
          attributes('/srv/link', { type: 'link', mode: '0777', uid: 7 }),
        ],
      },
    },
    {
      title: 'the hard link exists',
      args: { path, state: 'hard', src: '/srv/a' },
      facts: {
        [`file.state ${path}`]: fileFact(),
        'file.state /srv/a': fileFact(),
        [`file.same /srv/a ${path}`]: true,
      },
    },
    {
      title: 'touch finds an existing file',
      args: { path, state: 'touch' },
      facts: { [`file.state ${path}`]: fileFact() },
    },
  ],
  changes: [
    {
      title: 'creates a directory; the undo removes the topmost new one',
      args: { path: '/srv/a/b', state: 'directory', mode: '0700' },
      facts: {
        'file.state /srv/a/b': absent,
        'file.state /srv/a': absent,
        'file.state /srv': fileFact({ type: 'directory' }),
      },
      actions: ['mkdir /srv/a/b', 'chmod 0700 /srv/a/b'],
      restore: [{ module: 'restore_path', args: { path: '/srv/a', state: 'absent' } }],
    },
    {
      title: 'removes a file',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: fileFact() },
      actions: [`remove ${path}`],
    },
    {
      title: 'sets mode and owner of all paths below a directory; the undo restores them',
      args: { path: '/srv', state: 'directory', recurse: true, mode: '0750', group: 'a.b' },
      facts: {
        'file.state /srv': fileFact({ type: 'directory', mode: '0750' }),
        [`file.attributes /srv ^(750\\|[^|]*\\|[^|]*\\|[^|]*\\|a\\.b\\||[0-7]+\\|[^|]*\\|[^|]*\\|[^|]*\\|a\\.b\\|symbolic link\\|)`]:
          [
            attributes('/srv/a', { mode: '4755' }),
            attributes('/srv/b', { mode: '0750', gid: 4 }),
            attributes('/srv/c', { mode: '4755' }),
          ],
      },
      actions: ['chown :a.b /srv', 'chmod 0750 /srv'],
      restore: [
        {
          module: 'restore_attributes',
          args: {
            name: '/srv',
            found: { '4755 0 0': ['/srv/a', '/srv/c'], '0750 0 4': ['/srv/b'] },
          },
        },
      ],
    },
    {
      title: 'applies a symbolic mode to the current one',
      args: { path, mode: 'u+x,o=' },
      facts: { [`file.state ${path}`]: fileFact() },
      actions: [`chmod 0740 ${path}`],
    },
    {
      title: 'replaces a file with a link if "force" is set',
      args: { path, state: 'link', src: 'x', force: true },
      facts: { [`file.state ${path}`]: fileFact(), 'file.state /etc': fileFact() },
      actions: [`symlink ${path} -> x`],
      restore: [
        {
          module: 'restore_path',
          args: {
            ...{ path, state: 'file', mode: '0644', owner: 'root', group: 'root' },
            ...{ copy: `/captured${path}`, checksum: '' },
          },
        },
      ],
    },
    {
      title: 'creates a hard link',
      args: { path, state: 'hard', src: '/srv/a' },
      facts: {
        [`file.state ${path}`]: absent,
        'file.state /etc': fileFact({ type: 'directory' }),
        'file.state /srv/a': fileFact(),
      },
      actions: [`exec ln -f /srv/a ${path}`],
      restore: [removed],
    },
    {
      title: 'changes the target of a link',
      args: { path, state: 'link', src: '/y' },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'link', target: '/x' }),
        'file.state /etc': fileFact({ type: 'directory' }),
      },
      actions: [`symlink ${path} -> /y`],
    },
  ],
  refused: [
    {
      title: 'attributes of a missing file',
      args: { path },
      facts: { [`file.state ${path}`]: absent },
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory in place of a file',
      args: { path, state: 'directory' },
      facts: { [`file.state ${path}`]: fileFact() },
      code: 'TASK_FAILED',
    },
    {
      title: 'a link in place of a file',
      args: { path, state: 'link', src: 'x' },
      facts: { [`file.state ${path}`]: fileFact() },
      code: 'TASK_FAILED',
    },
    {
      title: 'a broken link',
      args: { path, state: 'touch' },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'link' }),
        [`file.real ${path}`]: undefined,
      },
      code: 'TASK_FAILED',
    },
    {
      title: '"recurse" for a file',
      args: { path, recurse: true, mode: '0600' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a mode for a hard link',
      args: { path, state: 'hard', src: '/x', mode: '0600' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a hard link to a directory',
      args: { path, state: 'hard', src: '/srv' },
      facts: { [`file.state ${path}`]: absent, 'file.state /srv': fileFact({ type: 'directory' }) },
      code: 'TASK_FAILED',
    },
    {
      title: 'a link without src',
      args: { path, state: 'link' },
      facts: { [`file.state ${path}`]: absent },
      code: 'TASK_FAILED',
    },
  ],
});
