import { sysctl } from '../../src/modules/sysctl.ts';
import { testModule } from '../helpers/module-tester.ts';
import { found, missing } from '../helpers/text-facts.ts';

const file = '/etc/sysctl.d/99-runner.conf';

testModule(sysctl, {
  settled: [
    {
      title: 'the parameter is set now and at boot',
      args: { name: 'net.ipv4.ip_forward', value: 1 },
      facts: {
        'kernel.parameter net.ipv4.ip_forward': '1',
        ...found('net.ipv4.ip_forward = 1\n', file),
      },
    },
    {
      title: 'a parameter to remove is not in the file',
      args: { name: 'a.b', state: 'absent' },
      facts: { 'kernel.parameter a.b': '1', ...missing(file) },
    },
    {
      title: 'an unknown parameter is ignored',
      args: { name: 'a.b', value: '1', ignoreerrors: true, persist: false },
      facts: { 'kernel.parameter a.b': undefined },
    },
  ],
  changes: [
    {
      title: 'sets the parameter now and at boot; the undo restores both',
      args: { name: 'a.b', value: '1  2' },
      facts: { 'kernel.parameter a.b': '3 4', ...missing(file) },
      actions: [`write ${file}`, 'exec sysctl -q -w a.b=1 2'],
      restore: [
        { module: 'sysctl', args: { name: 'a.b', value: '3 4', persist: false } },
        { module: 'restore_path', args: { path: file, state: 'absent' } },
      ],
    },
  ],
  refused: [
    {
      title: 'an unknown parameter',
      args: { name: 'a.b', value: '1' },
      facts: { 'kernel.parameter a.b': undefined },
      code: 'TASK_FAILED',
    },
    {
      title: 'a missing value',
      args: { name: 'a.b' },
      facts: {},
      code: 'TASK_FAILED',
    },
    { title: 'a name with a space', args: { name: 'a b', value: '1' }, code: 'SCHEMA' },
  ],
});
