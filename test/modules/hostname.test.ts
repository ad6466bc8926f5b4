import { hostname } from '../../src/modules/hostname.ts';
import { testModule } from '../helpers/module-tester.ts';
import { fileOf, restoredFile } from '../helpers/file-facts.ts';

testModule(hostname, {
  settled: [
    {
      title: 'the hostname is set',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'n1', ...fileOf('/etc/hostname', 'n1\n') },
    },
  ],
  changes: [
    {
      title: 'sets the hostname now and at boot; the undo restores both',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'old', ...fileOf('/etc/hostname', 'old\n') },
      actions: ['write /etc/hostname', 'exec hostname n1'],
      restore: [
        { module: 'hostname', args: { name: 'old' } },
        restoredFile('/etc/hostname', 'old\n'),
      ],
    },
  ],
  refused: [{ title: 'an invalid hostname', args: { name: 'a b' }, code: 'SCHEMA' }],
});
