import { file } from '../../src/modules/file.ts';
import { attributes, path } from '../helpers/file-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const removed = { module: 'restore_path', args: { path, state: 'absent' } };

testModule(file, {
  settled: [
    {
      title: 'a directory that is there',
      args: { path, state: 'directory' },
      facts: { [`file.state ${path}`]: fileFact({ type: 'directory' }) },
    },
    {
      title: 'absent already',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: absent },
    },
    {
      title: 'a link that points there',
      args: { path, state: 'link', src: '/x' },
      facts: { [`file.state ${path}`]: fileFact({ type: 'link', target: '/x' }) },
    },
    {
      title: 'what is there, a directory too, has its mode, in symbols or through a link',
      args: { path, mode: 'u=rwX,go=rX' },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'link', target: '/srv/real' }),
        [`file.real ${path}`]: '/srv/real',
        'file.state /srv/real': fileFact({ type: 'directory', mode: '0755' }),
      },
    },
    {
      title: 'all below a directory is as wanted, links aside',
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
      title: 'another name of a file',
      args: { path, state: 'hard', src: '/srv/a' },
      facts: {
        [`file.state ${path}`]: fileFact(),
        'file.state /srv/a': fileFact(),
        [`file.same /srv/a ${path}`]: true,
      },
    },
    {
      title: 'touch keeps a file',
      args: { path, state: 'touch' },
      facts: { [`file.state ${path}`]: fileFact() },
    },
  ],
  changes: [
    {
      title: 'makes a directory, and its undo removes the topmost one made',
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
      title: 'removes',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: fileFact() },
      actions: [`remove ${path}`],
    },
    {
      title: 'sets mode and owner of all below a directory, and knows what they were',
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
      title: 'a mode in symbols is seen from what is there',
      args: { path, mode: 'u+x,o=' },
      facts: { [`file.state ${path}`]: fileFact() },
      actions: [`chmod 0740 ${path}`],
    },
    {
      title: 'a link in the place of a file, when that is meant',
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
      title: 'another name for a file',
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
      title: 'turns a link',
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
      title: 'a directory over a file',
      args: { path, state: 'directory' },
      facts: { [`file.state ${path}`]: fileFact() },
      code: 'TASK_FAILED',
    },
    {
      title: 'a link over a file',
      args: { path, state: 'link', src: 'x' },
      facts: { [`file.state ${path}`]: fileFact() },
      code: 'TASK_FAILED',
    },
    {
      title: 'a link that leads nowhere',
      args: { path, state: 'touch' },
      facts: {
        [`file.state ${path}`]: fileFact({ type: 'link' }),
        [`file.real ${path}`]: undefined,
      },
      code: 'TASK_FAILED',
    },
    { title: 'all below a file', args: { path, recurse: true, mode: '0600' }, code: 'TASK_FAILED' },
    {
      title: 'a mode of another name',
      args: { path, state: 'hard', src: '/x', mode: '0600' },
      code: 'TASK_FAILED',
    },
    {
      title: 'another name of a directory',
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
