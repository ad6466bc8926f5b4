import { modprobe } from '../../src/modules/modprobe.ts';
import { testModule } from '../helpers/module-tester.ts';
import { missing } from '../helpers/text-facts.ts';

testModule(modprobe, {
  settled: [
    {
      title: 'the module is loaded',
      args: { name: 'overlay' },
      facts: { 'kernel.module overlay': 'loaded' },
    },
    {
      title: 'the module is built in',
      args: { name: 'overlay' },
      facts: { 'kernel.module overlay': 'builtin' },
    },
  ],
  changes: [
    {
      title: 'loads the module now and at boot',
      args: { name: 'br_netfilter', persistent: 'present', params: 'a=1 b=2' },
      facts: {
        'kernel.module br_netfilter': 'absent',
        ...missing('/etc/modules-load.d/br_netfilter.conf'),
      },
      actions: [
        'exec modprobe br_netfilter a=1 b=2',
        'write /etc/modules-load.d/br_netfilter.conf',
      ],
      restore: [
        { module: 'modprobe', args: { name: 'br_netfilter', state: 'absent' } },
        {
          module: 'restore_path',
          args: { path: '/etc/modules-load.d/br_netfilter.conf', state: 'absent' },
        },
      ],
    },
  ],
  refused: [
    {
      title: 'unloading a built-in module',
      args: { name: 'overlay', state: 'absent' },
      facts: { 'kernel.module overlay': 'builtin' },
      code: 'TASK_FAILED',
    },
  ],
});
