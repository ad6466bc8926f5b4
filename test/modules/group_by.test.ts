import { group_by } from '../../src/modules/group_by.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(group_by, {
  settled: [
    { title: 'a group', args: { key: 'managers' }, result: { group: 'managers' } },
    { title: 'a group in place of others', args: { key: 'a', leave: ['b', 'c'] } },
  ],
  refused: [{ title: 'a name with blanks', args: { key: 'a b' }, code: 'SCHEMA' }],
});
