import { expect } from 'vitest';
import { dnf } from '../../src/modules/dnf.ts';
import { testModule } from '../helpers/module-tester.ts';
import { rpm } from '../helpers/package-facts.ts';

const history = { module: 'restore_rpms', args: { checksum: 'ab', transaction: 7 } };

const call = 'exec dnf -y';

testModule(dnf, {
  settled: [
    { title: 'the package is installed', args: { name: 'jq' }, facts: rpm({ jq: ['jq-1.6-1'] }) },
    {
      title: 'the latest version is installed',
      args: { name: ['jq'], state: 'latest' },
      facts: { ...rpm({ jq: ['jq-1.6-1'] }), 'dnf.updates jq': false },
    },
    {
      title: 'a package to remove is not installed',
      args: { name: 'jq', state: 'absent' },
      facts: rpm({ jq: [] }),
    },
    {
      title: 'nothing to upgrade',
      args: { name: '*', state: 'latest' },
      facts: { ...rpm({}), 'dnf.updates': false },
    },
  ],
  changes: [
    {
      title: 'waits for the lock of DNF for the given time',
      args: { name: 'jq', lock_timeout: 9 },
      facts: rpm({ jq: [] }),
      actions: [expect.stringMatching(/ dnf 9 install jq$/) as string],
      restore: [history],
    },
    {
      title: 'installs missing packages in one call',
      args: { name: ['jq-1.7', 'vim', 'curl'], enablerepo: 'extras', install_weak_deps: false },
      facts: rpm({ 'jq-1.7': [], vim: ['vim-enhanced-9-1'], curl: [] }),
      actions: [`${call} --enablerepo=extras --setopt=install_weak_deps=False install jq-1.7 curl`],
      restore: [history],
    },
    {
      title: 'installs an older version with allow_downgrade',
      args: { name: 'jq-1.5', allow_downgrade: true },
      facts: rpm({ 'jq-1.5': [undefined, 'jq-1.6'] }),
      actions: [`${call} install jq-1.5`],
    },
    {
      title: 'upgrades a package',
      args: { name: ['jq', 'vim'], state: 'latest', update_cache: true },
      facts: { ...rpm({ jq: ['jq-1.6-1'], vim: [] }), 'dnf.updates jq': true },
      actions: [`${call} --refresh install vim`, `${call} --refresh upgrade jq`],
    },
    {
      title: 'removes a package',
      args: { name: ['jq', 'vim'], state: 'absent', autoremove: true },
      facts: rpm({ jq: ['jq-1.6-1'], vim: [] }),
      actions: [`${call} autoremove jq`],
    },
    {
      title: 'upgrades all packages',
      args: { name: '*', state: 'latest', security: true },
      facts: { ...rpm({}), 'dnf.updates': true },
      actions: ['exec dnf -y --security upgrade'],
    },
  ],
  refused: [
    {
      title: 'an older version without allow_downgrade',
      args: { name: 'jq-1.5' },
      facts: rpm({ 'jq-1.5': [undefined, 'jq-1.6'] }),
      code: 'TASK_FAILED',
    },
    {
      title: '"*" with "state: absent"',
      args: { name: '*', state: 'absent' },
      code: 'TASK_FAILED',
    },
    { title: 'an option as a name', args: { name: '--installroot=/' }, code: 'SCHEMA' },
  ],
});
