import { debug } from '../../src/modules/debug.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(debug, {
  settled: [
    { title: 'a value', args: { msg: { a: 1 } }, result: { msg: '{\n  "a": 1\n}' } },
    { title: 'for those who ask', args: { msg: 'x', verbosity: 1 }, result: { stdout: 'x' } },
  ],
});
