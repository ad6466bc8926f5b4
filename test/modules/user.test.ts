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
    {
      title: 'the user exists',
      args: { name: 'eva', shell: '/bin/sh', comment: 'Eva' },
      facts: there,
    },
    {
      title: 'the user is in the groups',
      args: { name: 'eva', groups: 'wheel', append: true },
      facts: there,
    },
    {
      title: '"update_password: on_create" keeps the password',
      args: { name: 'eva', password: '$6$x', update_password: 'on_create' },
      facts: there,
    },
    {
      title: 'the user has the password and does not expire',
      args: { name: 'eva', password: '$6$x', expires: -1 },
      facts: { ...there, 'account.password eva $6$x': { ...password, same: true } },
    },
    {
      title: 'a user to remove does not exist',
      args: { name: 'eva', state: 'absent' },
      facts: gone,
    },
  ],
  changes: [
    {
      title: 'creates the user, with the password on standard input',
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
      title: 'creates the user with an existing home directory, which the undo keeps',
      args: { name: 'eva' },
      facts: { ...gone, 'file.state /home/eva': fileFact({ type: 'directory' }) },
      actions: ['exec useradd -m -- eva'],
      restore: [account('eva')],
    },
    {
      title: 'creates the user with busybox',
      args: { name: 'eva', groups: ['ops'], create_home: false },
      facts: { ...gone, ...busybox },
      actions: ['exec adduser -D -H eva', 'exec addgroup eva ops'],
    },
    {
      title: 'removes the user from groups that are not listed',
      args: { name: 'eva', groups: ['wheel'] },
      facts: there,
      actions: ['exec usermod -G wheel -- eva'],
      restore: [account('eva')],
    },
    {
      title: 'removes the user from all groups for an empty list',
      args: { name: 'eva', groups: [] },
      facts: there,
      actions: ['exec usermod -G  -- eva'],
    },
    {
      title: 'adds the user to more groups',
      args: { name: 'eva', groups: ['ops'], append: true },
      facts: there,
      actions: ['exec usermod -G ops -a -- eva'],
    },
    {
      title: 'changes the password and lets the account expire',
      args: { name: 'eva', password: '$6$x', password_lock: true, expires: 86_400 },
      facts: { ...there, 'account.password eva $6$x': password },
      actions: ['exec usermod -e 1970-01-02 -- eva', 'exec chpasswd -e', 'exec usermod -L eva'],
    },
    {
      title: 'moves the home directory; the undo moves it back',
      args: { name: 'eva', home: '/srv/eva', move_home: true },
      facts: there,
      actions: ['exec usermod -d /srv/eva -m -- eva'],
      restore: [
        { module: 'user', args: { name: 'eva', home: '/home/eva', move_home: true } },
        account('eva'),
      ],
    },
    {
      title: 'removes the user and the home directory, of which a copy is kept',
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
      title: 'a group that does not exist, before any change',
      args: { name: 'eva', groups: ['nope'] },
      facts: gone,
      code: 'TASK_FAILED',
    },
    {
      title: 'a change without usermod',
      args: { name: 'eva', shell: '/bin/dash' },
      facts: { ...there, ...busybox },
      code: 'TASK_FAILED',
    },
    { title: 'a shell with a colon', args: { name: 'eva', shell: '/bin/sh:x' }, code: 'SCHEMA' },
  ],
});
