import { restore_rpms } from '../../../src/modules/undo/restore_rpms.ts';
import { testModule } from '../../helpers/module-tester.ts';

testModule(restore_rpms, {
  settled: [
    {
      title: 'all as before',
      args: { checksum: 'ab', transaction: 7 },
      facts: { 'dnf.state': { checksum: 'ab', transaction: 7 } },
    },
  ],
  changes: [
    {
      title: 'goes back to where the history stood',
      args: { checksum: 'ab', transaction: 7 },
      facts: { 'dnf.state': { checksum: 'cd', transaction: 9 } },
      actions: ['exec dnf -y history rollback 7'],
    },
    {
      title: 'goes back to before the first transaction',
      args: { checksum: 'ab', transaction: 0 },
      facts: { 'dnf.state': { checksum: 'cd', transaction: 2 } },
      actions: ['exec dnf -y history rollback 1', 'exec dnf -y history undo 1'],
    },
  ],
});
