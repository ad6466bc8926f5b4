import { shell } from '../../src/modules/shell.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(shell, {
  settled: [{ title: 'read_only', args: { cmd: 'a | b', read_only: true } }],
  changes: [
    { title: 'hands the text to sh', args: { cmd: 'a | b' }, actions: ['exec /bin/sh -c a | b'] },
  ],
  refused: [{ title: 'no text', args: {}, code: 'SCHEMA' }],
});
