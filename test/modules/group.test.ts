import { group } from '../../src/modules/group.ts';
import { account, files } from '../helpers/account-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

const shadow = { 'account.tools': 'shadow', ...files };

const busybox = { 'account.tools': 'busybox', ...files };

const ops = { gid: 900, members: [] };

testModule(group, {
  settled: [
    {
      title: 'the group exists',
      args: { name: 'ops' },
      facts: { ...shadow, 'account.group ops': ops },
    },
    {
      title: 'the group has the ID',
      args: { name: 'ops', gid: 900 },
      facts: { ...shadow, 'account.group ops': ops },
    },
    {
      title: 'a group to remove does not exist',
      args: { name: 'ops', state: 'absent' },
      facts: { ...shadow, 'account.group ops': undefined },
    },
  ],
  changes: [
    {
      title: 'creates the group',
      args: { name: 'ops', gid: 900, system: true },
      facts: { ...shadow, 'account.group ops': undefined },
      actions: ['exec groupadd -g 900 -r ops'],
      restore: [account('ops')],
    },
    {
      title: 'changes the ID of the group',
      args: { name: 'ops', gid: 901 },
      facts: { ...shadow, 'account.group ops': ops },
      actions: ['exec groupmod -g 901 ops'],
    },
    {
      title: 'creates the group with busybox',
      args: { name: 'ops', gid: 900 },
      facts: { ...busybox, 'account.group ops': undefined },
      actions: ['exec addgroup -g 900 ops'],
    },
    {
      title: 'removes the group',
      args: { name: 'ops', state: 'absent' },
      facts: { ...shadow, 'account.group ops': ops },
      actions: ['exec groupdel ops'],
      restore: [account('ops')],
    },
  ],
  refused: [
    { title: 'a name with a colon', args: { name: 'a:b' }, code: 'SCHEMA' },
    {
      title: 'another ID without groupmod',
      args: { name: 'ops', gid: 901 },
      facts: { ...busybox, 'account.group ops': ops },
      code: 'TASK_FAILED',
    },
  ],
});
