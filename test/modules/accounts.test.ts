import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ACCOUNT_FILES } from '../../src/facts/account.ts';
import { authorized_key } from '../../src/modules/authorized_key.ts';
import { group } from '../../src/modules/group.ts';
import { restore_account, withEntry } from '../../src/modules/undo/restore_account.ts';
import { user } from '../../src/modules/user.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const files = Object.fromEntries(
  ACCOUNT_FILES.map((path) => [
    `file.state ${path}`,
    path === '/etc/passwd' ? fileFact({ checksum: 'ab' }) : absent,
  ]),
);
const account = (name: string) => ({
  module: 'restore_account',
  args: { name, files: [{ path: '/etc/passwd', copy: '/captured/etc/passwd', checksum: 'ab' }] },
});
const shadow = { 'account.tools': 'shadow', ...files };
const busybox = { 'account.tools': 'busybox', ...files };
const ops = { gid: 900, members: [] };

testModule(group, {
  settled: [
    { title: 'is there', args: { name: 'ops' }, facts: { ...shadow, 'account.group ops': ops } },
    {
      title: 'has its number',
      args: { name: 'ops', gid: 900 },
      facts: { ...shadow, 'account.group ops': ops },
    },
    {
      title: 'is not there',
      args: { name: 'ops', state: 'absent' },
      facts: { ...shadow, 'account.group ops': undefined },
    },
  ],
  changes: [
    {
      title: 'is made',
      args: { name: 'ops', gid: 900, system: true },
      facts: { ...shadow, 'account.group ops': undefined },
      actions: ['exec groupadd -g 900 -r ops'],
      restore: [account('ops')],
    },
    {
      title: 'gets another number',
      args: { name: 'ops', gid: 901 },
      facts: { ...shadow, 'account.group ops': ops },
      actions: ['exec groupmod -g 901 ops'],
    },
    {
      title: 'is made by busybox',
      args: { name: 'ops', gid: 900 },
      facts: { ...busybox, 'account.group ops': undefined },
      actions: ['exec addgroup -g 900 ops'],
    },
    {
      title: 'is removed',
      args: { name: 'ops', state: 'absent' },
      facts: { ...shadow, 'account.group ops': ops },
      actions: ['exec groupdel ops'],
      restore: [account('ops')],
    },
  ],
  refused: [
    { title: 'a name that would be two fields', args: { name: 'a:b' }, code: 'SCHEMA' },
    {
      title: 'another number without groupmod',
      args: { name: 'ops', gid: 901 },
      facts: { ...busybox, 'account.group ops': ops },
      code: 'TASK_FAILED',
    },
  ],
});

const eva = {
  uid: 1001,
  gid: 1001,
  comment: 'Eva',
  home: '/home/eva',
  shell: '/bin/sh',
  groups: ['eva', 'wheel', 'disk'],
};
const groups = {
  'account.group ops': ops,
  'account.group wheel': { gid: 10, members: ['eva'] },
  'account.group nope': undefined,
};
const there = { ...shadow, ...groups, 'account.user eva': eva };
const gone = { ...shadow, ...groups, 'account.user eva': undefined };
const password = { same: false, locked: false, expires: undefined };

testModule(user, {
  settled: [
    { title: 'is there', args: { name: 'eva', shell: '/bin/sh', comment: 'Eva' }, facts: there },
    {
      title: 'is in the groups already',
      args: { name: 'eva', groups: 'wheel', append: true },
      facts: there,
    },
    {
      title: 'keeps a password that was set when it was made',
      args: { name: 'eva', password: '$6$x', update_password: 'on_create' },
      facts: there,
    },
    {
      title: 'has the password, and does not close',
      args: { name: 'eva', password: '$6$x', expires: -1 },
      facts: { ...there, 'account.password eva $6$x': { ...password, same: true } },
    },
    { title: 'is not there', args: { name: 'eva', state: 'absent' }, facts: gone },
  ],
  changes: [
    {
      title: 'is made, its password on standard input',
      args: {
        name: 'eva',
        uid: 1001,
        groups: ['ops', 'wheel'],
        shell: '/bin/sh',
        password: '$6$x',
      },
      facts: { ...gone, 'file.state /home/eva': absent },
      actions: ['exec useradd -u 1001 -G ops,wheel -s /bin/sh -m -- eva', 'exec chpasswd -e'],
      restore: [
        account('eva'),
        { module: 'restore_path', args: { path: '/home/eva', state: 'absent' } },
      ],
    },
    {
      title: 'gets a home that was there: that stays',
      args: { name: 'eva' },
      facts: { ...gone, 'file.state /home/eva': fileFact({ type: 'directory' }) },
      actions: ['exec useradd -m -- eva'],
      restore: [account('eva')],
    },
    {
      title: 'is made by busybox',
      args: { name: 'eva', groups: ['ops'], create_home: false },
      facts: { ...gone, ...busybox },
      actions: ['exec adduser -D -H eva', 'exec addgroup eva ops'],
    },
    {
      title: 'leaves groups that are not named',
      args: { name: 'eva', groups: ['wheel'] },
      facts: there,
      actions: ['exec usermod -G wheel -- eva'],
      restore: [account('eva')],
    },
    {
      title: 'leaves all groups for an empty list',
      args: { name: 'eva', groups: [] },
      facts: there,
      actions: ['exec usermod -G  -- eva'],
    },
    {
      title: 'joins more groups',
      args: { name: 'eva', groups: ['ops'], append: true },
      facts: there,
      actions: ['exec usermod -G ops -a -- eva'],
    },
    {
      title: 'gets another password, and is closed',
      args: { name: 'eva', password: '$6$x', password_lock: true, expires: 86_400 },
      facts: { ...there, 'account.password eva $6$x': password },
      actions: ['exec usermod -e 1970-01-02 -- eva', 'exec chpasswd -e', 'exec usermod -L eva'],
    },
    {
      title: 'moves its home, and back',
      args: { name: 'eva', home: '/srv/eva', move_home: true },
      facts: there,
      actions: ['exec usermod -d /srv/eva -m -- eva'],
      restore: [
        { module: 'user', args: { name: 'eva', home: '/home/eva', move_home: true } },
        account('eva'),
      ],
    },
    {
      title: 'is removed with its home, which is kept',
      args: { name: 'eva', state: 'absent', remove: true },
      facts: {
        ...there,
        'file.state /home/eva': fileFact({ type: 'directory', mode: '0700', owner: 'eva' }),
        'file.tree /home/eva': 'cd',
      },
      actions: ['exec userdel -r eva'],
      restore: [
        {
          module: 'restore_path',
          args: {
            path: '/home/eva',
            state: 'directory',
            mode: '0700',
            owner: 'eva',
            group: 'root',
            copy: '/captured/home/eva',
            tree: 'cd',
          },
        },
        account('eva'),
      ],
    },
  ],
  refused: [
    {
      title: 'a group that is not there, before anything is done',
      args: { name: 'eva', groups: ['nope'] },
      facts: gone,
      code: 'TASK_FAILED',
    },
    {
      title: 'changes without usermod',
      args: { name: 'eva', shell: '/bin/dash' },
      facts: { ...there, ...busybox },
      code: 'TASK_FAILED',
    },
    { title: 'a shell of two fields', args: { name: 'eva', shell: '/bin/sh:x' }, code: 'SCHEMA' },
  ],
});

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

const key = 'ssh-ed25519 AAAAC3Nza eva@laptop';
const other = 'from="10.0.0.0/8" ssh-rsa AAAAB3 max';
const path = '/home/eva/.ssh/authorized_keys';
const keyFacts = (
  text: string | undefined,
  folder = fileFact({ type: 'directory', mode: '0700', uid: 1001, gid: 1001 }),
) => ({
  'account.user eva': eva,
  'file.state /home/eva/.ssh': folder,
  [`file.content ${path}`]: text === undefined ? undefined : Buffer.from(text),
  [`file.state ${path}`]: text === undefined ? absent : fileFact({ checksum: sum(text) }),
});

testModule(authorized_key, {
  settled: [
    { title: 'is there', args: { user: 'eva', key }, facts: keyFacts(`${other}\n${key}\n`) },
    {
      title: 'is there under another comment',
      args: { user: 'eva', key: `${key}-2` },
      facts: keyFacts(`${key}\n`),
    },
    {
      title: 'is not there',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`# ours\n${other}\n`),
    },
  ],
  changes: [
    {
      title: 'makes folder and file',
      args: { user: 'eva', key },
      facts: keyFacts(undefined, absent),
      actions: [
        'mkdir /home/eva/.ssh',
        'chown 1001:1001 /home/eva/.ssh',
        'chmod 0700 /home/eva/.ssh',
        `write ${path} mode 0600`,
      ],
      restore: [
        { module: 'restore_path', args: { path, state: 'absent' } },
        { module: 'restore_path', args: { path: '/home/eva/.ssh', state: 'absent' } },
      ],
    },
    {
      title: 'changes options, and removes other keys',
      args: { user: 'eva', key: 'ssh-rsa AAAAB3 max', exclusive: true },
      facts: keyFacts(`# ours\n${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
    {
      title: 'removes a key',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
  ],
  refused: [
    {
      title: 'what is no key',
      args: { user: 'eva', key: 'hello' },
      facts: keyFacts(''),
      code: 'TASK_FAILED',
    },
    {
      title: 'a user who is not there',
      args: { user: 'eva', key },
      facts: { 'account.user eva': undefined },
      code: 'TASK_FAILED',
    },
  ],
});
