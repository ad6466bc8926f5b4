import { sysctl } from '../../src/modules/sysctl.ts';
import { testModule } from '../helpers/module-tester.ts';
import { found, missing } from '../helpers/text-facts.ts';

const file = '/etc/sysctl.d/99-runner.conf';

testModule(sysctl, {
  settled: [
    {
      title: 'set now and at boot',
      args: { name: 'net.ipv4.ip_forward', value: 1 },
      facts: {
        'kernel.parameter net.ipv4.ip_forward': '1',
        ...found('net.ipv4.ip_forward = 1\n', file),
      },
    },
    {
      title: 'in no file',
      args: { name: 'a.b', state: 'absent' },
      facts: { 'kernel.parameter a.b': '1', ...missing(file) },
    },
    {
      title: 'unknown to the kernel, which is fine',
      args: { name: 'a.b', value: '1', ignoreerrors: true, persist: false },
      facts: { 'kernel.parameter a.b': undefined },
    },
  ],
  changes: [
    {
      title: 'sets it now and at boot, and knows what it was',
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
      title: 'a parameter that is not there',
      args: { name: 'a.b', value: '1' },
      facts: { 'kernel.parameter a.b': undefined },
      code: 'TASK_FAILED',
    },
    {
      title: 'no value',
      args: { name: 'a.b' },
      facts: {},
      code: 'TASK_FAILED',
    },
    { title: 'a name with a blank', args: { name: 'a b', value: '1' }, code: 'SCHEMA' },
  ],
});
