import { package as packages } from '../../src/modules/package.ts';
import { testModule } from '../helpers/module-tester.ts';
import { known, restore, rpm } from '../helpers/package-facts.ts';

const options =
  '-q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';

const sum = { 'file.sum /var/lib/dpkg/status sha256': 'ab' };

const history = { module: 'restore_rpms', args: { checksum: 'ab', transaction: 7 } };

const call = 'exec dnf -y';

testModule(packages, {
  settled: [
    {
      title: 'the package is installed with APT',
      args: { name: 'curl' },
      facts: {
        'packages.manager': 'apt',
        'apt.packages curl': known({ curl: ['7.1', '7.2'] }),
      },
    },
    {
      title: 'the package is installed with DNF',
      args: { name: 'jq' },
      facts: { 'packages.manager': 'dnf', ...rpm({ jq: ['jq-1.6-1'] }) },
    },
  ],
  changes: [
    {
      title: 'installs with APT; the undo restores the packages',
      args: { name: 'curl', use: 'apt' },
      facts: { ...sum, 'apt.packages curl': known({ curl: [undefined, '7.2'] }) },
      actions: [`exec apt-get ${options} install -- curl`],
      restore,
    },
    {
      title: 'installs with DNF; the undo restores the packages',
      args: { name: 'jq', state: 'absent' },
      facts: { 'packages.manager': 'dnf', ...rpm({ jq: ['jq-1.6-1'] }) },
      actions: [`${call} remove jq`],
      restore: [history],
    },
  ],
});
