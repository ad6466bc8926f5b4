import { apt } from '../../src/modules/apt.ts';
import { testModule } from '../helpers/module-tester.ts';
import { known, restore } from '../helpers/package-facts.ts';

const options =
  '-q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';

const sum = { 'file.sum /var/lib/dpkg/status sha256': 'ab' };

testModule(apt, {
  settled: [
    {
      title: 'installed in any version',
      args: { name: 'curl' },
      facts: { 'apt.packages curl': known({ curl: ['7.1', '7.2'] }) },
    },
    {
      title: 'installed in the wanted version, or one like it',
      args: { name: ['curl=7.1', 'jq=1.*'] },
      facts: { 'apt.packages curl jq': known({ curl: ['7.1', '7.2'], jq: ['1.6-2', '1.6-2'] }) },
    },
    {
      title: 'the newest is there',
      args: { name: 'curl', state: 'latest' },
      facts: { 'apt.packages curl': known({ curl: ['7.2', '7.2'] }) },
    },
    {
      title: 'absent, and unknown to APT',
      args: { name: ['curl', 'nothing'], state: 'absent' },
      facts: { 'apt.packages curl nothing': known({ curl: [undefined, '7.2'] }) },
    },
    {
      title: 'only_upgrade installs nothing new',
      args: { name: 'curl', state: 'latest', only_upgrade: true },
      facts: { 'apt.packages curl': known({ curl: [undefined, '7.2'] }) },
    },
    {
      title: 'the package of a file is there',
      args: { deb: '/srv/a.deb' },
      facts: {
        'apt.file /srv/a.deb': { name: 'a', version: '1.2' },
        'apt.packages a': known({ a: ['1.2', '1.1'] }),
      },
    },
    {
      title: 'nothing to upgrade, lists young enough',
      args: { upgrade: 'safe', update_cache: true, cache_valid_time: 3600 },
      facts: { 'apt.lists': 60, 'apt.upgrades upgrade': 0 },
    },
  ],
  changes: [
    {
      title: 'installs a file',
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
      title: 'installs what is missing or of another version, all in one go',
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
      title: 'lets APT decide what is newest once the lists are read anew',
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
      title: 'removes',
      args: { name: 'curl', state: 'absent', purge: true, autoremove: true },
      facts: { ...sum, 'apt.packages curl': known({ curl: ['7.2', '7.2'] }) },
      actions: [`exec apt-get ${options} --purge --auto-remove remove -- curl`],
      restore,
    },
    {
      title: 'upgrades all',
      args: { upgrade: 'full' },
      facts: { ...sum, 'apt.upgrades dist-upgrade': 3 },
      actions: [`exec apt-get ${options} dist-upgrade`],
      restore,
    },
    {
      title: 'reads lists that are too old; that alone leaves nothing to take back',
      args: { update_cache: true, cache_valid_time: 60 },
      facts: { ...sum, 'apt.lists': 61 },
      actions: [`exec apt-get ${options} update`],
      restore: [],
    },
  ],
  refused: [
    { title: 'a file and a name', args: { name: 'a', deb: '/a.deb' }, code: 'TASK_FAILED' },
    { title: 'to remove a file', args: { deb: '/a.deb', state: 'absent' }, code: 'TASK_FAILED' },
    { title: 'a file of another kind', args: { deb: 'https://a/b.deb' }, code: 'SCHEMA' },
    {
      title: 'a package that no source has',
      args: { name: 'nothing' },
      facts: { 'apt.packages nothing': known({}) },
      code: 'TASK_FAILED',
    },
    { title: 'nothing to do', args: {}, code: 'TASK_FAILED' },
    { title: 'a name and all', args: { name: 'curl', upgrade: 'safe' }, code: 'TASK_FAILED' },
  ],
});
