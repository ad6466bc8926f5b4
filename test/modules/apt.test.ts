import { apt } from '../../src/modules/apt.ts';
import { testModule } from '../helpers/module-tester.ts';
import { known, restore } from '../helpers/package-facts.ts';

const options =
  '-q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';

const sum = { 'file.sum /var/lib/dpkg/status sha256': 'ab' };

testModule(apt, {
  settled: [
    {
      title: 'the package is installed in any version',
      args: { name: 'curl' },
      facts: { 'apt.packages curl': known({ curl: ['7.1', '7.2'] }) },
    },
    {
      title: 'the wanted versions, or versions that match a pattern, are installed',
      args: { name: ['curl=7.1', 'jq=1.*'] },
      facts: { 'apt.packages curl jq': known({ curl: ['7.1', '7.2'], jq: ['1.6-2', '1.6-2'] }) },
    },
    {
      title: 'the latest version is installed',
      args: { name: 'curl', state: 'latest' },
      facts: { 'apt.packages curl': known({ curl: ['7.2', '7.2'] }) },
    },
    {
      title: 'packages to remove are not installed, or unknown to APT',
      args: { name: ['curl', 'nothing'], state: 'absent' },
      facts: { 'apt.packages curl nothing': known({ curl: [undefined, '7.2'] }) },
    },
    {
      title: 'only_upgrade skips a package that is not installed',
      args: { name: 'curl', state: 'latest', only_upgrade: true },
      facts: { 'apt.packages curl': known({ curl: [undefined, '7.2'] }) },
    },
    {
      title: 'the package in a file is installed in the same version',
      args: { deb: '/srv/a.deb' },
      facts: {
        'apt.file /srv/a.deb': { name: 'a', version: '1.2' },
        'apt.packages a': known({ a: ['1.2', '1.1'] }),
      },
    },
    {
      title: 'there is nothing to upgrade and the package index is recent',
      args: { upgrade: 'safe', update_cache: true, cache_valid_time: 3600 },
      facts: { 'apt.lists': 60, 'apt.upgrades upgrade': 0 },
    },
  ],
  changes: [
    {
      title: 'installs a package file',
      args: { deb: '/srv/a.deb', allow_downgrade: true },
      facts: {
        'apt.file /srv/a.deb': { name: 'a', version: '1.0' },
        'apt.packages a': known({ a: ['1.2', '1.2'] }),
        ...sum,
      },
      actions: [`exec apt-get ${options} --allow-downgrades install -- /srv/a.deb`],
      restore,
    },
    {
      title: 'installs missing packages and other versions in one call',
      args: { name: ['curl=7.1', 'jq', 'vim'], allow_downgrade: true, install_recommends: false },
      facts: {
        ...sum,
        'apt.packages curl jq vim': known({
          curl: ['7.2', '7.2'],
          jq: [undefined, '1.6'],
          vim: ['9', '9'],
        }),
      },
      actions: [
        `exec apt-get ${options} --allow-downgrades --no-install-recommends install -- curl=7.1 jq`,
      ],
      restore,
    },
    {
      title: 'lets APT determine the latest version after it updated the package index',
      args: { name: 'curl', state: 'latest', update_cache: true },
      facts: {
        ...sum,
        'apt.lists': undefined,
        'apt.packages curl': known({ curl: ['7.2', '7.2'] }),
      },
      actions: [`exec apt-get ${options} update`, `exec apt-get ${options} install -- curl`],
      restore,
    },
    {
      title: 'removes packages',
      args: { name: 'curl', state: 'absent', purge: true, autoremove: true },
      facts: { ...sum, 'apt.packages curl': known({ curl: ['7.2', '7.2'] }) },
      actions: [`exec apt-get ${options} --purge --auto-remove remove -- curl`],
      restore,
    },
    {
      title: 'upgrades all packages',
      args: { upgrade: 'full' },
      facts: { ...sum, 'apt.upgrades dist-upgrade': 3 },
      actions: [`exec apt-get ${options} dist-upgrade`],
      restore,
    },
    {
      title: 'updates an old package index, which needs no undo',
      args: { update_cache: true, cache_valid_time: 60 },
      facts: { ...sum, 'apt.lists': 61 },
      actions: [`exec apt-get ${options} update`],
      restore: [],
    },
  ],
  refused: [
    { title: '"deb" and "name" together', args: { name: 'a', deb: '/a.deb' }, code: 'TASK_FAILED' },
    {
      title: '"deb" with "state: absent"',
      args: { deb: '/a.deb', state: 'absent' },
      code: 'TASK_FAILED',
    },
    { title: 'a URL in "deb"', args: { deb: 'https://a/b.deb' }, code: 'SCHEMA' },
    {
      title: 'a package that no repository has',
      args: { name: 'nothing' },
      facts: { 'apt.packages nothing': known({}) },
      code: 'TASK_FAILED',
    },
    { title: 'no arguments', args: {}, code: 'TASK_FAILED' },
    {
      title: '"name" and "upgrade" together',
      args: { name: 'curl', upgrade: 'safe' },
      code: 'TASK_FAILED',
    },
  ],
});
