import { set_fact } from '../../src/modules/set_fact.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(set_fact, {
  settled: [{ title: 'sets a variable', args: { a: [1] } }],
  refused: [
    { title: 'no variables', args: {}, code: 'SCHEMA' },
    { title: 'a name with a dash', args: { 'a-b': 1 }, code: 'TASK_FAILED' },
  ],
});
