import { shell } from '../../src/modules/shell.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(shell, {
  settled: [{ title: 'the command is read-only', args: { cmd: 'a | b', read_only: true } }],
  changes: [
    {
      title: 'runs the command with sh',
      args: { cmd: 'a | b' },
      actions: ['exec /bin/sh -c a | b'],
    },
  ],
  refused: [{ title: 'no command', args: {}, code: 'SCHEMA' }],
});
