import { hostname } from '../../src/modules/hostname.ts';
import { testModule } from '../helpers/module-tester.ts';
import { fileOf, restoredFile } from '../helpers/file-facts.ts';

testModule(hostname, {
  settled: [
    {
      title: 'is its name',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'n1', ...fileOf('/etc/hostname', 'n1\n') },
    },
  ],
  changes: [
    {
      title: 'now and at boot, and back',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'old', ...fileOf('/etc/hostname', 'old\n') },
      actions: ['write /etc/hostname', 'exec hostname n1'],
      restore: [
        { module: 'hostname', args: { name: 'old' } },
        restoredFile('/etc/hostname', 'old\n'),
      ],
    },
  ],
  refused: [{ title: 'what is no name', args: { name: 'a b' }, code: 'SCHEMA' }],
});
