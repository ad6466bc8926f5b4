import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { backup } from '../../src/modules/backup.ts';
import { restore_backup } from '../../src/modules/undo/restore_backup.ts';
import { copy } from '../../src/modules/copy.ts';
import { file } from '../../src/modules/file.ts';
import { lineinfile } from '../../src/modules/lineinfile.ts';
import { restore_attributes } from '../../src/modules/undo/restore_attributes.ts';
import type { PathAttributes } from '../../src/facts/file.ts';
import { restore_path } from '../../src/modules/undo/restore_path.ts';
import { slurp } from '../../src/modules/slurp.ts';
import { stat } from '../../src/modules/stat.ts';
import { template } from '../../src/modules/template.ts';
import { unarchive } from '../../src/modules/unarchive.ts';
import { fetch } from '../../src/modules/fetch.ts';
import { validateValue } from '../../src/util/schema.ts';
import { absent, fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const path = '/etc/app.conf';
const found = (text: string, extra = {}) => ({
  [`file.state ${path}`]: fileFact({ checksum: sha(text), ...extra }),
  [`file.content ${path}`]: Buffer.from(text),
});
const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };
const restored = (text: string) => ({
  module: 'restore_path',
  args: {
    path,
    state: 'file',
    mode: '0644',
    owner: 'root',
    group: 'root',
    copy: `/captured${path}`,
    checksum: sha(text),
  },
});
const removed = { module: 'restore_path', args: { path, state: 'absent' } };

const there = (more: object = {}) => ({
  ...{
    type: 'file',
    mode: '0644',
    checksum: sha('new'),
    target: '',
    owner: 'root',
    group: 'root',
    uid: '0',
    gid: '0',
  },
  ...more,
});
const none = there({ type: 'absent', mode: '', checksum: '', owner: '', group: '' });
const other = '/etc/other.conf';
const confOnTheController = {
  folders: Object.fromEntries(
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
      title: 'the file of the host is there already',
      args: { src: path, dest: other, remote_src: true },
      facts: { ...found('a'), [`file.state ${other}`]: fileFact({ checksum: sha('a') }) },
    },
    {
      title: 'what is in a directory is there already, behind a link',
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
    { title: 'same bytes', args: { content: 'a\n', dest: path }, facts: found('a\n') },
    {
      title: 'same bytes and mode',
      args: { content: 'a', dest: path, mode: '0644' },
      facts: found('a'),
    },
    {
      title: 'force: false keeps what is there',
      args: { content: 'b', dest: path, force: false },
      facts: found('a'),
    },
  ],
  changes: [
    {
      title: 'a file of the host to another place, whose owner is another one',
      args: { src: path, dest: other, remote_src: true, mode: '0600', owner: 'eva' },
      facts: { ...found('a'), [`file.state ${other}`]: absent },
      actions: [`copy ${path} -> ${other} mode 0600`],
      restore: [{ module: 'restore_path', args: { path: other, state: 'absent' } }],
    },
    {
      title: 'writes a new file',
      args: { content: 'a', dest: path, mode: '0600' },
      facts: missing,
      actions: [`write ${path} mode 0600`],
      restore: [removed],
    },
    {
      title: 'replaces other bytes and can put them back',
      args: { content: 'b', dest: path },
      facts: found('a'),
      actions: [`write ${path}`],
      restore: [restored('a')],
    },
    {
      title: 'sets mode and owner of equal bytes',
      args: { content: 'a', dest: path, mode: '0600', owner: 'app' },
      facts: found('a'),
      actions: [`chown app ${path}`, `chmod 0600 ${path}`],
    },
    {
      title: 'a directory, of which some is there already',
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
      title: 'what is in a directory, to a place that is not there',
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
      title: 'the mode it has on the controller',
      args: { src: 'app.conf', dest: path, mode: 'preserve', checksum: `sha256:${sha('x')}` },
      facts: missing,
      files: { 'app.conf': 'x' },
      actions: [`write ${path} mode 0640`],
    },
    {
      title: 'takes a file of the controller',
      args: { src: 'app.conf', dest: path },
      facts: missing,
      files: { 'app.conf': 'x' },
      actions: [`write ${path}`],
    },
  ],
  refused: [
    {
      title: 'a file of the host that is not there',
      args: { src: path, dest: other, remote_src: true },
      facts: { ...missing, [`file.state ${other}`]: absent },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file that is another one than is meant',
      args: { src: 'a', dest: path, checksum: sha('b') },
      facts: missing,
      files: { a: 'a' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file where a directory is to go',
      args: { src: 'conf/', dest: path },
      ...confOnTheController,
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory that a command is to accept',
      args: { src: 'conf', dest: '/etc', validate: 'sh -n %s' },
      ...confOnTheController,
      code: 'TASK_FAILED',
    },
    {
      title: 'a relative place on the host',
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

testModule(template, {
  settled: [
    { title: 'same text', args: { src: 't', dest: path }, facts: found('a'), files: { t: 'a' } },
  ],
  changes: [
    {
      title: 'other text',
      args: { src: 't', dest: path },
      facts: found('a'),
      files: { t: 'b' },
      actions: [`write ${path}`],
      restore: [restored('a')],
    },
  ],
  refused: [{ title: 'no src', args: { dest: path }, code: 'SCHEMA' }],
});

testModule(lineinfile, {
  settled: [
    { title: 'the line is there', args: { path, line: 'a=1' }, facts: found('a=1\nb=2\n') },
    {
      title: 'nothing to remove',
      args: { path, regexp: '^z', state: 'absent' },
      facts: found('a=1\n'),
    },
    { title: 'no file to remove from', args: { path, line: 'a', state: 'absent' }, facts: missing },
  ],
  changes: [
    {
      title: 'appends',
      args: { path, line: 'c' },
      facts: found('a\n'),
      actions: [`write ${path}`],
      restore: [restored('a\n')],
    },
    {
      title: 'replaces what matches',
      args: { path, regexp: '^a=', line: 'a=2' },
      facts: found('a=1\n'),
      actions: [`write ${path}`],
    },
    {
      title: 'makes the file',
      args: { path, line: 'a', create: true },
      facts: missing,
      actions: [`write ${path}`],
      restore: [removed],
    },
    {
      title: 'removes all that match',
      args: { path, regexp: '^a', state: 'absent' },
      facts: found('a\nb\na\n'),
      actions: [`write ${path}`],
    },
  ],
  refused: [
    { title: 'a missing file', args: { path, line: 'a' }, facts: missing, code: 'TASK_FAILED' },
    {
      title: 'a broken expression',
      args: { path, regexp: '(', line: 'a' },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
  ],
});

function attributes(at: string, more: object = {}): PathAttributes {
  const all = {
    path: at,
    type: 'other',
    mode: '0644',
    uid: 0,
    gid: 0,
    owner: 'root',
    group: 'root',
  };
  return { ...all, ...more } as PathAttributes;
}

testModule(restore_attributes, {
  settled: [
    {
      title: 'they have them, or are gone',
      args: { name: '/srv', found: { '0755 1 0': ['/srv/a', '/srv/gone'] } },
      facts: {
        'file.attributes of ["/srv/a","/srv/gone"]': [
          attributes('/srv/a', { mode: '0755', uid: 1 }),
        ],
      },
    },
  ],
  changes: [
    {
      title: 'owner first, since that takes set-id bits away',
      args: { name: '/srv', found: { '4755 1 0': ['/srv/a', '/srv/l'], '0600 0 0': ['/srv/b'] } },
      facts: {
        'file.attributes of ["/srv/a","/srv/l","/srv/b"]': [
          attributes('/srv/a', { mode: '4755' }),
          attributes('/srv/l', { mode: '0777', type: 'link' }),
          attributes('/srv/b'),
        ],
      },
      actions: [
        expect.stringContaining('each / chown -h 1:0') as string,
        expect.stringContaining('each / chmod 04755') as string,
        expect.stringContaining('each / chmod 00600') as string,
      ],
    },
  ],
});

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

testModule(restore_path, {
  settled: [
    {
      title: 'still absent',
      args: { path, state: 'absent' },
      facts: { [`file.state ${path}`]: absent },
    },
    {
      title: 'still as found',
      args: { path, state: 'file', checksum: sha('a'), mode: '0644' },
      facts: found('a'),
    },
  ],
  changes: [
    {
      title: 'removes what was not there',
      args: { path, state: 'absent' },
      facts: found('a'),
      actions: [`remove ${path}`],
    },
    {
      title: 'copies the kept file back',
      args: { path, state: 'file', checksum: sha('a'), copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('a')[`file.state ${path}`] },
      actions: [`copy /keep/1 -> ${path}`],
    },
    {
      title: 'takes the copy of the controller when that of the host is damaged',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('c')[`file.state ${path}`] },
      files: { '/keep/1': 'a' },
      actions: [`write ${path} mode 0600`],
    },
    {
      title: 'sets the mode back',
      args: { path, state: 'file', checksum: sha('a'), mode: '0600', copy: '/keep/1' },
      facts: found('a'),
      actions: [`chmod 0600 ${path}`],
    },
  ],
  refused: [
    {
      title: 'no copy',
      args: { path, state: 'file', checksum: sha('a') },
      facts: found('b'),
      code: 'TASK_FAILED',
    },
    {
      title: 'a damaged copy',
      args: { path, state: 'file', checksum: sha('a'), copy: '/keep/1' },
      facts: { ...found('b'), 'file.state /keep/1': found('c')[`file.state ${path}`] },
      code: 'TASK_FAILED',
    },
  ],
});

testModule(stat, {
  settled: [
    {
      title: 'what a link leads to, with another sum',
      args: { path: '/link', follow: true, checksum_algorithm: 'md5' },
      facts: { 'file.real /link': path, ...found('a'), [`file.sum ${path} md5`]: 'abc' },
      result: { stat: { isreg: true, checksum: 'abc' } },
    },
    {
      title: 'a link to nowhere',
      args: { path: '/link', follow: true },
      facts: { 'file.real /link': undefined },
      result: { stat: { exists: false } },
    },
    {
      title: 'no sum',
      args: { path, get_checksum: false },
      facts: found('a'),
      result: { stat: { mode: '0644' } },
    },
    {
      title: 'a file',
      args: { path },
      facts: found('a'),
      result: { stat: { exists: true, isreg: true } },
    },
    { title: 'nothing', args: { path }, facts: missing, result: { stat: { exists: false } } },
  ],
  refused: [{ title: 'a relative path', args: { path: 'x' }, code: 'SCHEMA' }],
});

testModule(slurp, {
  settled: [
    { title: 'text', args: { src: path }, facts: found('hello'), result: { text: 'hello' } },
  ],
  refused: [{ title: 'a missing file', args: { src: path }, facts: missing, code: 'TASK_FAILED' }],
});

const recipient = 'age1xn27zc2wc52sfwsaqwee9jp8e82ewztyumkrtama64fewfgeduqq6ff304';

testModule(fetch, {
  settled: [
    {
      title: 'a file that need not be there',
      args: { src: path, dest: '/here/', fail_on_missing: false },
      facts: missing,
    },
    {
      title: 'the same file is here',
      args: { src: path, dest: '/here/app.conf' },
      facts: { ...found('a'), 'local /here/app.conf': sha('a') },
    },
  ],
  changes: [
    {
      title: 'each host into a folder of its own',
      args: { src: path, dest: '/here', flat: false },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/host1/etc/app.conf on the controller'],
    },
    {
      title: 'saves into a folder',
      args: { src: path, dest: '/here/' },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/app.conf on the controller'],
      restore: [],
    },
    {
      title: 'encrypts for a public key, also when an encrypted file is there',
      args: { src: path, dest: '/here/', encrypt: { recipients: [recipient] } },
      facts: { ...found('a'), 'local /here/app.conf.age': sha('a') },
      actions: ['fetch /etc/app.conf -> /here/app.conf.age on the controller, encrypted'],
    },
    {
      title: 'encrypts with a passphrase, and keeps a name that ends in ".age"',
      args: { src: path, dest: '/here/x.age', encrypt: { passphrase: 'eight or more' } },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/x.age on the controller, encrypted'],
    },
  ],
  refused: [
    {
      title: 'a damaged public key',
      args: { src: path, dest: '/here/', encrypt: { recipients: [recipient.replace('q', 'p')] } },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'two ways to encrypt',
      args: {
        src: path,
        dest: '/here/',
        encrypt: { recipients: [recipient], passphrase: 'eight or more' },
      },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'no way to encrypt',
      args: { src: path, dest: '/here/', encrypt: {} },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'an empty passphrase',
      args: { src: path, dest: '/here/', encrypt: { passphrase: '' } },
      code: 'SCHEMA',
    },
    {
      title: 'a passphrase that was not supplied again in a resumed run',
      args: { src: path, dest: '/here/', encrypt: { passphrase: '⟦secret:phrase⟧' } },
      facts: found('a'),
      code: 'SECRET_MISSING',
    },
    {
      title: 'a missing file',
      args: { src: path, dest: '/here/' },
      facts: missing,
      code: 'TASK_FAILED',
    },
    {
      title: 'a link, naming what it points at',
      args: { src: path, dest: '/here/' },
      facts: found('a', { type: 'link', target: '/etc/real.conf' }),
      code: 'TASK_FAILED',
    },
  ],
});

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
      title: 'all is there',
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
      title: 'what the archive makes is there',
      args: { ...args, creates: '/opt/tool' },
      facts: { 'file.state /opt/tool': fileFact({ type: 'directory' }) },
    },
    {
      title: 'nothing is left of it',
      args: { ...args, exclude: 'tool' },
      ...sending,
      facts: states(),
    },
  ],
  changes: [
    {
      title: 'makes what is not there',
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
      title: 'keeps what it writes over, without the directories in front',
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
      title: 'changes only the permissions, of an archive of the host',
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
      title: 'a directory that is not there',
      args,
      ...sending,
      facts: { 'file.state /opt': absent },
      code: 'TASK_FAILED',
    },
    {
      title: 'a name that leads out of it',
      args,
      archives: { 'tool.tgz': [entry('a/../../etc/passwd')] },
      files: { 'tool.tgz': 'bytes' },
      facts: { 'file.state /opt': fileFact({ type: 'directory' }) },
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory in the place of a file',
      args,
      archives: { 'tool.tgz': [entry('a')] },
      files: { 'tool.tgz': 'bytes' },
      facts: states(['a', directory]),
      code: 'TASK_FAILED',
    },
    {
      title: 'stripped names in a zip',
      args: { src: '/srv/a.zip', dest: '/opt', remote_src: true, strip_components: 1 },
      facts: {
        'archive.entries /srv/a.zip': { kind: 'zip', entries: [entry('a/b')] },
        'file.state /opt': fileFact({ type: 'directory' }),
      },
      code: 'TASK_FAILED',
    },
    { title: 'a relative place', args: { src: 'a', dest: 'opt' }, code: 'SCHEMA' },
  ],
});

const tree = { path: '/srv/a', type: 'directory', sum: 'tree' } as const;
const plain = { path: '/etc/a.conf', type: 'file', sum: sha('a') } as const;
const kept = (file: string | undefined) => ({
  'file.state /srv/a': fileFact({ type: 'directory' }),
  'file.tree /srv/a': 'tree',
  'file.state /etc/a.conf': fileFact({ checksum: sha('a') }),
  'file.tree /etc/a.conf': undefined,
  ...(file === undefined ? {} : { [`local ${file}`]: sha('archive') }),
});
const named = `backup-${sha(JSON.stringify([tree, plain])).slice(0, 16)}.tar.gz`;
const local = `/here/host1/${named}`;
const saving = { paths: ['/srv/a/', '/etc/a.conf'], dest: '/here/' };
testModule(backup, {
  settled: [
    {
      title: 'the same is kept already',
      args: saving,
      facts: kept(local),
      result: { dest: local, saved: [tree, plain] },
    },
  ],
  changes: [
    {
      title: 'packs, takes it and leaves nothing on the host',
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
      title: 'what is not there',
      args: { paths: '/none', dest: '/here' },
      facts: { 'file.state /none': absent, 'file.tree /none': undefined },
      code: 'TASK_FAILED',
    },
    { title: 'everything', args: { paths: '/', dest: '/here' }, code: 'TASK_FAILED' },
    { title: 'a relative folder', args: { paths: '/a', dest: 'here' }, code: 'SCHEMA' },
    { title: 'a way up', args: { paths: '/a/../b', dest: '/here' }, code: 'TASK_FAILED' },
  ],
});
testModule(restore_backup, {
  settled: [
    {
      title: 'all is as saved',
      args: { file: local, archive: '/var/tmp/x', saved: [tree, plain] },
      facts: kept(undefined),
    },
  ],
  changes: [
    {
      title: 'brings back what differs, and only that',
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

describe('lineinfile with its other ways to find a line', () => {
  const edited = async (text: string, args: object): Promise<string> => {
    const { actions } = await lineinfile.plan({ path, ...args }, fakeHost({ facts: found(text) }));
    const [action] = actions;
    return action?.kind === 'write' ? action.content : text;
  };

  it('finds text as it is, the last or the first', async () => {
    const text = 'a.b=1\naxb=2\na.b=3\n';
    expect(await edited(text, { search_string: 'a.b', line: 'x' })).toBe('a.b=1\naxb=2\nx\n');
    expect(await edited(text, { search_string: 'a.b', line: 'x', firstmatch: true })).toBe(
      'x\naxb=2\na.b=3\n',
    );
    expect(await edited(text, { search_string: 'a.b', state: 'absent' })).toBe('axb=2\n');
    expect(await edited(text, { search_string: 'none', line: 'new' })).toBe(`${text}new\n`);
  });

  it('puts in what groups matched, and leaves a file without a match', async () => {
    const args = { regexp: '^(\\w+) = (?<value>.*)$', line: '\\1: \\g<value>', backrefs: true };
    expect(await edited('# x\nport = 80\n', args)).toBe('# x\nport: 80\n');
    expect(await edited('nothing\n', args)).toBe('nothing\n');
    await expect(edited('a = 1\n', { ...args, line: '\\3' })).rejects.toThrow('does not have');
    await expect(edited('a\n', { line: 'x', backrefs: true })).rejects.toThrow('needs "regexp"');
  });

  it('does not take both ways at once', () => {
    const both = { path, regexp: 'a', search_string: 'a', line: 'x' };
    expect(validateValue(lineinfile.args, both)).not.toEqual([]);
  });
});
