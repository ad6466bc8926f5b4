import { command } from '../../src/modules/command.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

testModule(command, {
  settled: [
    {
      title: 'what it creates exists',
      args: { cmd: 'x', creates: '/a' },
      facts: { 'file.state /a': fileFact() },
    },
    {
      title: 'what it removes is gone',
      args: { cmd: 'x', removes: '/a' },
      facts: { 'file.state /a': absent },
    },
    { title: 'read_only', args: { argv: ['id'], read_only: true } },
  ],
  changes: [
    {
      title: 'splits cmd',
      args: { cmd: 'systemctl restart "a b"' },
      actions: ['exec systemctl restart a b'],
    },
    {
      title: 'runs argv as it is',
      args: { argv: ['echo', '$HOME', 1] },
      actions: ['exec echo $HOME 1'],
    },
    {
      title: 'runs while creates is absent',
      args: { cmd: 'x', creates: '/a' },
      facts: { 'file.state /a': absent },
      actions: ['exec x'],
    },
  ],
  refused: [
    { title: 'cmd and argv together', args: { cmd: 'x', argv: ['x'] }, code: 'SCHEMA' },
    { title: 'an unclosed quote', args: { cmd: 'echo "a' }, code: 'TASK_FAILED' },
  ],
});
