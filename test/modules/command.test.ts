import { command } from '../../src/modules/command.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

testModule(command, {
  settled: [
    {
      title: 'the path in "creates" exists',
      args: { cmd: 'x', creates: '/a' },
      facts: { 'file.state /a': fileFact() },
    },
    {
      title: 'the path in "removes" does not exist',
      args: { cmd: 'x', removes: '/a' },
      facts: { 'file.state /a': absent },
    },
    { title: 'the command is read-only', args: { argv: ['id'], read_only: true } },
  ],
  changes: [
    {
      title: 'splits cmd into words',
      args: { cmd: 'systemctl restart "a b"' },
      actions: ['exec systemctl restart a b'],
    },
    {
      title: 'runs argv without splitting',
      args: { argv: ['echo', '$HOME', 1] },
      actions: ['exec echo $HOME 1'],
    },
    {
      title: 'runs if the path in "creates" does not exist',
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
