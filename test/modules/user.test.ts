import { user } from '../../src/modules/user.ts';
import { account, eva, files } from '../helpers/account-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const shadow = { 'account.tools': 'shadow', ...files };

const busybox = { 'account.tools': 'busybox', ...files };

const ops = { gid: 900, members: [] };

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
