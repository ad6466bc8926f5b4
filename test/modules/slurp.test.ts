import { slurp } from '../../src/modules/slurp.ts';
import { found, path } from '../helpers/file-facts.ts';
import { absent, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

testModule(slurp, {
  settled: [
    {
      title: 'returns the text of a file',
      args: { src: path },
      facts: found('hello'),
      result: { text: 'hello' },
    },
  ],
  refused: [{ title: 'a missing file', args: { src: path }, facts: missing, code: 'TASK_FAILED' }],
});
