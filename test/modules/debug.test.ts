import { debug } from '../../src/modules/debug.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(debug, {
  settled: [
    { title: 'prints a value as JSON', args: { msg: { a: 1 } }, result: { msg: '{\n  "a": 1\n}' } },
    {
      title: 'returns a text with "verbosity" as output',
      args: { msg: 'x', verbosity: 1 },
      result: { stdout: 'x' },
    },
  ],
});
