import { createHash } from 'node:crypto';
import { copy } from '../../src/modules/copy.ts';
import { file } from '../../src/modules/file.ts';
import { lineinfile } from '../../src/modules/lineinfile.ts';
import { restore_path } from '../../src/modules/restore_path.ts';
import { slurp } from '../../src/modules/slurp.ts';
import { stat } from '../../src/modules/stat.ts';
import { template } from '../../src/modules/template.ts';
import { fetch } from '../../src/modules/fetch.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

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

testModule(copy, {
  settled: [
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
      title: 'takes a file of the controller',
      args: { src: 'app.conf', dest: path },
      facts: missing,
      files: { 'app.conf': 'x' },
      actions: [`write ${path}`],
    },
  ],
  refused: [
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

testModule(fetch, {
  settled: [
    {
      title: 'the same file is here',
      args: { src: path, dest: '/here/app.conf' },
      facts: { ...found('a'), 'local /here/app.conf': sha('a') },
    },
  ],
  changes: [
    {
      title: 'saves into a folder',
      args: { src: path, dest: '/here/' },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/app.conf on the controller'],
      restore: [],
    },
  ],
  refused: [
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
