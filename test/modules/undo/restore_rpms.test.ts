import { restore_rpms } from '../../../src/modules/undo/restore_rpms.ts';
import { testModule } from '../../helpers/module-tester.ts';

testModule(restore_rpms, {
  settled: [
    {
      title: 'the packages are unchanged',
      args: { checksum: 'ab', transaction: 7 },
      facts: { 'dnf.state': { checksum: 'ab', transaction: 7 } },
    },
  ],
  changes: [
    {
      title: 'rolls the history back to the recorded transaction',
      args: { checksum: 'ab', transaction: 7 },
      facts: { 'dnf.state': { checksum: 'cd', transaction: 9 } },
      actions: ['exec dnf -y history rollback 7'],
    },
    {
      title: 'undoes the first transaction, too',
      args: { checksum: 'ab', transaction: 0 },
      facts: { 'dnf.state': { checksum: 'cd', transaction: 2 } },
      actions: ['exec dnf -y history rollback 1', 'exec dnf -y history undo 1'],
    },
  ],
});
