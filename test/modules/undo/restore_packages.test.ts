import { restore_packages } from '../../../src/modules/undo/restore_packages.ts';
import { testModule } from '../../helpers/module-tester.ts';

const options =
  '-q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';

testModule(restore_packages, {
  settled: [
    {
      title: 'the packages are unchanged',
      args: { copy: '/c', checksum: 'ab' },
      facts: { 'apt.difference /c ab': [] },
    },
  ],
  changes: [
    {
      title: 'restores versions and removes new packages in one call',
      args: { copy: '/c', checksum: 'ab' },
      facts: { 'apt.difference /c ab': ['curl=7.1', 'libnew-'] },
      actions: [
        'exec dpkg --configure -a --force-confold',
        `exec apt-get ${options.replace('=60', '=600')} --allow-downgrades --allow-change-held-packages --purge install -- curl=7.1 libnew-`,
      ],
    },
  ],
});
