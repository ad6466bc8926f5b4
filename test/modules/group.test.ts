import { group } from '../../src/modules/group.ts';
import { account, files } from '../helpers/account-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

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
