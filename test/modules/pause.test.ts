import { pause } from '../../src/modules/pause.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(pause, {
  settled: [
    { title: 'no time', args: { seconds: 0 } },
    { title: 'a question', args: { prompt: 'Go on?' } },
  ],
  refused: [
    { title: 'less than none', args: { seconds: -1 }, code: 'SCHEMA' },
    { title: 'a question and a time', args: { seconds: 1, prompt: 'Go on?' }, code: 'SCHEMA' },
    { title: 'nothing', args: {}, code: 'SCHEMA' },
  ],
});
