import { group_by } from '../../src/modules/group_by.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(group_by, {
  settled: [
    { title: 'adds the host to a group', args: { key: 'managers' }, result: { group: 'managers' } },
    { title: 'removes the host from other groups first', args: { key: 'a', leave: ['b', 'c'] } },
  ],
  refused: [{ title: 'a name with spaces', args: { key: 'a b' }, code: 'SCHEMA' }],
});
