import { pause } from '../../src/modules/pause.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(pause, {
  settled: [
    { title: 'the time is 0', args: { seconds: 0 } },
    { title: 'the operator is prompted', args: { prompt: 'Continue?' } },
  ],
  refused: [
    { title: 'a negative time', args: { seconds: -1 }, code: 'SCHEMA' },
    {
      title: '"prompt" and a time together',
      args: { seconds: 1, prompt: 'Continue?' },
      code: 'SCHEMA',
    },
    { title: 'no arguments', args: {}, code: 'SCHEMA' },
  ],
});
