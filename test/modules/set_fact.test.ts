import { set_fact } from '../../src/modules/set_fact.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(set_fact, {
  settled: [{ title: 'a value', args: { a: [1] } }],
  refused: [
    { title: 'nothing', args: {}, code: 'SCHEMA' },
    { title: 'a name with a dash', args: { 'a-b': 1 }, code: 'TASK_FAILED' },
  ],
});
