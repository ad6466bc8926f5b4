import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Module } from '../../src/core/module.ts';
import { blockinfile } from '../../src/modules/blockinfile.ts';
import { modprobe } from '../../src/modules/modprobe.ts';
import { ping } from '../../src/modules/ping.ts';
import { replace } from '../../src/modules/replace.ts';
import { sysctl } from '../../src/modules/sysctl.ts';
import { systemd_service } from '../../src/modules/systemd_service.ts';
import { wait_for_connection } from '../../src/modules/wait_for_connection.ts';
import { absent, fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';

const path = '/etc/app.conf';
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const found = (text: string, file = path) => ({
  [`file.state ${file}`]: fileFact({ checksum: sha(text) }),
  [`file.content ${file}`]: Buffer.from(text),
});
const missing = (file = path) => ({
  [`file.state ${file}`]: absent,
  [`file.content ${file}`]: undefined,
});
const write = [`write ${path}`];

/** The text that a module would write. */
async function written<A>(module: Module<A>, args: A, text: string): Promise<string> {
  const { actions } = await module.plan(args, fakeHost({ facts: found(text) }));
  const [action] = actions;
  if (action?.kind !== 'write') throw new Error('Nothing is written.');
  return action.content;
}

const block = '# BEGIN ANSIBLE MANAGED BLOCK\none\ntwo\n# END ANSIBLE MANAGED BLOCK\n';
testModule(blockinfile, {
  settled: [
    { title: 'the block is there', args: { path, block: 'one\ntwo' }, facts: found(`a\n${block}`) },
    { title: 'no block to remove', args: { path, state: 'absent' }, facts: found('a\n') },
    { title: 'no file to remove it from', args: { path, block: '' }, facts: missing() },
  ],
  changes: [
    { title: 'adds a block', args: { path, block: 'one' }, facts: found('a\n'), actions: write },
    {
      title: 'makes the file',
      args: { path, block: 'one', create: true, mode: '0600' },
      facts: missing(),
      actions: [`write ${path} mode 0600`],
      restore: [{ module: 'restore_path', args: { path, state: 'absent' } }],
    },
  ],
  refused: [
    { title: 'a missing file', args: { path, block: 'a' }, facts: missing(), code: 'TASK_FAILED' },
    {
      title: 'a block without an end',
      args: { path, block: 'a' },
      facts: found('# BEGIN ANSIBLE MANAGED BLOCK\nx\n'),
      code: 'TASK_FAILED',
    },
    {
      title: 'marks that are the same',
      args: { path, block: 'a', marker_end: 'BEGIN' },
      facts: found(''),
      code: 'TASK_FAILED',
    },
    { title: 'a marker without a mark', args: { path, marker: '# x' }, code: 'SCHEMA' },
  ],
});

describe('blockinfile', () => {
  it('puts a block where it is told, and replaces and removes it', async () => {
    const text = 'a\nb\n';
    expect(await written(blockinfile, { path, block: 'one\ntwo' }, text)).toBe(`${text}${block}`);
    expect(await written(blockinfile, { path, block: 'one\ntwo', insertafter: '^a' }, text)).toBe(
      `a\n${block}b\n`,
    );
    expect(await written(blockinfile, { path, block: 'one\ntwo', insertbefore: 'BOF' }, text)).toBe(
      `${block}${text}`,
    );
    const there = `a\n${block}b\n`;
    expect(await written(blockinfile, { path, state: 'absent' }, there)).toBe(text);
    expect(await written(blockinfile, { path, block: 'ü\n' }, there)).toBe(
      'a\n# BEGIN ANSIBLE MANAGED BLOCK\nü\n# END ANSIBLE MANAGED BLOCK\nb\n',
    );
    const own = { path, block: 'x', marker: '<!-- {mark} -->', marker_begin: 'A', marker_end: 'Z' };
    expect(await written(blockinfile, own, '')).toBe('<!-- A -->\nx\n<!-- Z -->\n');
  });
});

testModule(replace, {
  settled: [
    { title: 'nothing matches', args: { path, regexp: 'x', replace: 'y' }, facts: found('a\n') },
    {
      title: 'it is replaced already',
      args: { path, regexp: '^a=.*', replace: 'a=1' },
      facts: found('a=1\n'),
    },
    {
      title: 'the part it is looked for in is not there',
      args: { path, regexp: 'a', replace: 'b', after: '^\\[x\\]' },
      facts: found('a\n'),
    },
  ],
  changes: [
    { title: 'replaces', args: { path, regexp: 'a' }, facts: found('a\n'), actions: write },
  ],
  refused: [
    { title: 'a missing file', args: { path, regexp: 'a' }, facts: missing(), code: 'TASK_FAILED' },
    { title: 'no expression', args: { path, regexp: '(' }, facts: found('a'), code: 'TASK_FAILED' },
  ],
});

describe('replace', () => {
  it('knows groups, ends of lines, parts, and text that looks like a group', async () => {
    const text = 'a=1\n[x]\na=2\n[y]\na=3\n';
    expect(await written(replace, { path, regexp: '^a=(\\d)$', replace: 'b=\\1\\1' }, text)).toBe(
      'b=11\n[x]\nb=22\n[y]\nb=33\n',
    );
    const part = { path, regexp: 'a', replace: '$& é', after: '^\\[x\\]', before: '^\\[y\\]' };
    expect(await written(replace, part, text)).toBe('a=1\n[x]\n$& é=2\n[y]\na=3\n');
    const named = { path, regexp: '(?<n>\\d)', replace: '<\\g<n>>' };
    expect(await written(replace, named, 'a=1')).toBe('a=<1>');
  });
});

const file = '/etc/sysctl.d/99-runner.conf';
testModule(sysctl, {
  settled: [
    {
      title: 'set now and at boot',
      args: { name: 'net.ipv4.ip_forward', value: 1 },
      facts: {
        'kernel.parameter net.ipv4.ip_forward': '1',
        ...found('net.ipv4.ip_forward = 1\n', file),
      },
    },
    {
      title: 'in no file',
      args: { name: 'a.b', state: 'absent' },
      facts: { 'kernel.parameter a.b': '1', ...missing(file) },
    },
    {
      title: 'unknown to the kernel, which is fine',
      args: { name: 'a.b', value: '1', ignoreerrors: true, persist: false },
      facts: { 'kernel.parameter a.b': undefined },
    },
  ],
  changes: [
    {
      title: 'sets it now and at boot, and knows what it was',
      args: { name: 'a.b', value: '1  2' },
      facts: { 'kernel.parameter a.b': '3 4', ...missing(file) },
      actions: [`write ${file}`, 'exec sysctl -q -w a.b=1 2'],
      restore: [
        { module: 'sysctl', args: { name: 'a.b', value: '3 4', persist: false } },
        { module: 'restore_path', args: { path: file, state: 'absent' } },
      ],
    },
  ],
  refused: [
    {
      title: 'a parameter that is not there',
      args: { name: 'a.b', value: '1' },
      facts: { 'kernel.parameter a.b': undefined },
      code: 'TASK_FAILED',
    },
    {
      title: 'no value',
      args: { name: 'a.b' },
      facts: {},
      code: 'TASK_FAILED',
    },
    { title: 'a name with a blank', args: { name: 'a b', value: '1' }, code: 'SCHEMA' },
  ],
});

testModule(modprobe, {
  settled: [
    { title: 'loaded', args: { name: 'overlay' }, facts: { 'kernel.module overlay': 'loaded' } },
    { title: 'built in', args: { name: 'overlay' }, facts: { 'kernel.module overlay': 'builtin' } },
  ],
  changes: [
    {
      title: 'loads it, now and at boot',
      args: { name: 'br_netfilter', persistent: 'present', params: 'a=1 b=2' },
      facts: {
        'kernel.module br_netfilter': 'absent',
        ...missing('/etc/modules-load.d/br_netfilter.conf'),
      },
      actions: [
        'exec modprobe br_netfilter a=1 b=2',
        'write /etc/modules-load.d/br_netfilter.conf',
      ],
      restore: [
        { module: 'modprobe', args: { name: 'br_netfilter', state: 'absent' } },
        {
          module: 'restore_path',
          args: { path: '/etc/modules-load.d/br_netfilter.conf', state: 'absent' },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'taking out what is built in',
      args: { name: 'overlay', state: 'absent' },
      facts: { 'kernel.module overlay': 'builtin' },
      code: 'TASK_FAILED',
    },
  ],
});

testModule(ping, { settled: [{ title: 'answers', args: {}, result: { ping: 'pong' } }] });

testModule(wait_for_connection, { settled: [{ title: 'only asks', args: { timeout: 5 } }] });

testModule(systemd_service, {
  settled: [
    {
      title: 'runs',
      args: { name: 'a', state: 'started' },
      facts: { 'systemd.unit a': { exists: true, active: true, enabled: true, masked: false } },
    },
  ],
});
