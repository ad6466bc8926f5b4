import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apt_repository } from '../../src/modules/apt_repository.ts';
import { service_facts } from '../../src/modules/service_facts.ts';
import { nameEntries, packageList } from '../../src/facts/lists.ts';
import { getent } from '../../src/modules/getent.ts';
import { package_facts } from '../../src/modules/package_facts.ts';
import { serviceList } from '../../src/facts/systemd.ts';
import { yum_repository } from '../../src/modules/yum_repository.ts';
import { apt } from '../../src/modules/apt.ts';
import { dnf } from '../../src/modules/dnf.ts';
import { package as packages } from '../../src/modules/package.ts';
import { restore_rpms } from '../../src/modules/undo/restore_rpms.ts';
import { get_url } from '../../src/modules/get_url.ts';
import { reboot } from '../../src/modules/reboot.ts';
import { restore_packages } from '../../src/modules/undo/restore_packages.ts';
import { absent, fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';
import { itWith } from '../helpers/programs.ts';

const known = (versions: Record<string, [installed: string | undefined, candidate: string]>) =>
  new Map(
    Object.entries(versions).map(([name, [installed, candidate]]) => [
      name,
      { installed, candidate },
    ]),
  );
const options =
  '-q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold';
const sum = { 'file.sum /var/lib/dpkg/status sha256': 'ab' };
const restore = [
  { module: 'restore_packages', args: { copy: '/captured/var/lib/dpkg/status', checksum: 'ab' } },
];

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

testModule(restore_packages, {
  settled: [
    {
      title: 'all as before',
      args: { copy: '/c', checksum: 'ab' },
      facts: { 'apt.difference /c ab': [] },
    },
  ],
  changes: [
    {
      title: 'brings versions back and takes new packages away, in one go',
      args: { copy: '/c', checksum: 'ab' },
      facts: { 'apt.difference /c ab': ['curl=7.1', 'libnew-'] },
      actions: [
        'exec dpkg --configure -a --force-confold',
        `exec apt-get ${options.replace('=60', '=600')} --allow-downgrades --allow-change-held-packages --purge install -- curl=7.1 libnew-`,
      ],
    },
  ],
});

const url = 'https://example.com/tool';
const dest = '/usr/local/bin/tool';
testModule(get_url, {
  settled: [
    {
      title: 'a file is there',
      args: { url, dest },
      facts: { [`file.state ${dest}`]: fileFact({}) },
    },
    {
      title: 'the file has the checksum',
      args: { url, dest, checksum: 'sha256:AB', force: true },
      facts: { [`file.state ${dest}`]: fileFact({}), [`file.sum ${dest} sha256`]: 'ab' },
    },
  ],
  changes: [
    {
      title: 'downloads what is missing',
      args: { url, dest, mode: '0755' },
      facts: { [`file.state ${dest}`]: absent },
      actions: [`download ${url} -> ${dest} mode 0755`],
      restore: [{ module: 'restore_path', args: { path: dest, state: 'absent' } }],
    },
    {
      title: 'replaces a file of another checksum',
      args: { url, dest, checksum: 'sha256:ab' },
      facts: { [`file.state ${dest}`]: fileFact({}), [`file.sum ${dest} sha256`]: 'cd' },
      actions: [`download ${url} -> ${dest}`],
    },
    {
      title: 'only sets the mode of a file that is kept',
      args: { url, dest, mode: '0700' },
      facts: { [`file.state ${dest}`]: fileFact({}) },
      actions: [`chmod 0700 ${dest}`],
    },
  ],
  refused: [
    {
      title: 'a header that would be two lines',
      args: { url, dest, headers: { 'X-A': 'b\noutput = /etc/passwd' } },
      code: 'TASK_FAILED',
    },
    {
      title: 'a directory in its place',
      args: { url, dest },
      facts: { [`file.state ${dest}`]: fileFact({ type: 'directory' }) },
      code: 'TASK_FAILED',
    },
  ],
});

testModule(reboot, {
  acts: true,
  settled: [],
  changes: [
    {
      title: 'restarts, with the boot id that must go',
      args: { reboot_command: 'shutdown -r now' },
      facts: { 'boot.id': 'b00t' },
      actions: ['restart the host: shutdown -r now'],
    },
    {
      title: 'tells who is there, and waits',
      args: { msg: "It's time.", pre_reboot_delay: 5, reboot_command: 'reboot' },
      facts: { 'boot.id': 'b00t' },
      actions: ['restart the host: reboot'],
    },
  ],
});

const rpm = (packages: Record<string, [installed?: string | undefined, newer?: string]>) => ({
  [`dnf.packages ${Object.keys(packages).join(' ')}`]: new Map(
    Object.entries(packages).map(([name, [installed, newer]]) => [name, { installed, newer }]),
  ),
  'dnf.state': { checksum: 'ab', transaction: 7 },
});
const history = { module: 'restore_rpms', args: { checksum: 'ab', transaction: 7 } };
const call = 'exec dnf -y';

describe('the restart command of reboot', () => {
  const plan = async () => {
    const args = { msg: "It's time.", pre_reboot_delay: 2, post_reboot_delay: 30 };
    const { actions } = await reboot.plan(args, fakeHost({ facts: { 'boot.id': 'b' } }));
    const [, , text = ''] = actions[0]?.kind === 'reboot' ? actions[0].argv : [];
    return { actions, text };
  };

  it('is one shell text that dash and bash in POSIX mode parse', async () => {
    const { actions, text } = await plan();
    expect(actions).toMatchObject([{ kind: 'reboot', timeoutSeconds: 602, delaySeconds: 30 }]);
    execFileSync('dash', ['-n', '-c', text]);
    execFileSync('bash', ['--posix', '-n', '-c', text]);
    expect(text).toMatch(/^\{ ! command -v wall .*\nsleep 2\nif command/);
  });

  itWith('busybox')('is a shell text that busybox parses', async () => {
    const { text } = await plan();
    execFileSync('busybox', ['sh', '-n', '-c', text]);
  });
});

testModule(dnf, {
  settled: [
    { title: 'is there', args: { name: 'jq' }, facts: rpm({ jq: ['jq-1.6-1'] }) },
    {
      title: 'the newest is there',
      args: { name: ['jq'], state: 'latest' },
      facts: { ...rpm({ jq: ['jq-1.6-1'] }), 'dnf.updates jq': false },
    },
    { title: 'is not there', args: { name: 'jq', state: 'absent' }, facts: rpm({ jq: [] }) },
    {
      title: 'nothing to upgrade',
      args: { name: '*', state: 'latest' },
      facts: { ...rpm({}), 'dnf.updates': false },
    },
  ],
  changes: [
    {
      title: 'waits so long for another one',
      args: { name: 'jq', lock_timeout: 9 },
      facts: rpm({ jq: [] }),
      actions: [expect.stringMatching(/ dnf 9 install jq$/) as string],
      restore: [history],
    },
    {
      title: 'installs what is missing, in one go',
      args: { name: ['jq-1.7', 'vim', 'curl'], enablerepo: 'extras', install_weak_deps: false },
      facts: rpm({ 'jq-1.7': [], vim: ['vim-enhanced-9-1'], curl: [] }),
      actions: [`${call} --enablerepo=extras --setopt=install_weak_deps=False install jq-1.7 curl`],
      restore: [history],
    },
    {
      title: 'goes back to an older version when told so',
      args: { name: 'jq-1.5', allow_downgrade: true },
      facts: rpm({ 'jq-1.5': [undefined, 'jq-1.6'] }),
      actions: [`${call} install jq-1.5`],
    },
    {
      title: 'upgrades',
      args: { name: ['jq', 'vim'], state: 'latest', update_cache: true },
      facts: { ...rpm({ jq: ['jq-1.6-1'], vim: [] }), 'dnf.updates jq': true },
      actions: [`${call} --refresh install vim`, `${call} --refresh upgrade jq`],
    },
    {
      title: 'removes',
      args: { name: ['jq', 'vim'], state: 'absent', autoremove: true },
      facts: rpm({ jq: ['jq-1.6-1'], vim: [] }),
      actions: [`${call} autoremove jq`],
    },
    {
      title: 'upgrades all',
      args: { name: '*', state: 'latest', security: true },
      facts: { ...rpm({}), 'dnf.updates': true },
      actions: ['exec dnf -y --security upgrade'],
    },
  ],
  refused: [
    {
      title: 'an older version',
      args: { name: 'jq-1.5' },
      facts: rpm({ 'jq-1.5': [undefined, 'jq-1.6'] }),
      code: 'TASK_FAILED',
    },
    { title: 'all to be removed', args: { name: '*', state: 'absent' }, code: 'TASK_FAILED' },
    { title: 'an option', args: { name: '--installroot=/' }, code: 'SCHEMA' },
  ],
});

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

testModule(packages, {
  settled: [
    {
      title: 'with APT',
      args: { name: 'curl' },
      facts: {
        'packages.manager': 'apt',
        'apt.packages curl': known({ curl: ['7.1', '7.2'] }),
      },
    },
    {
      title: 'with DNF',
      args: { name: 'jq' },
      facts: { 'packages.manager': 'dnf', ...rpm({ jq: ['jq-1.6-1'] }) },
    },
  ],
  changes: [
    {
      title: 'with APT, and back',
      args: { name: 'curl', use: 'apt' },
      facts: { ...sum, 'apt.packages curl': known({ curl: [undefined, '7.2'] }) },
      actions: [`exec apt-get ${options} install -- curl`],
      restore,
    },
    {
      title: 'with DNF, and back',
      args: { name: 'jq', state: 'absent' },
      facts: { 'packages.manager': 'dnf', ...rpm({ jq: ['jq-1.6-1'] }) },
      actions: [`${call} remove jq`],
      restore: [history],
    },
  ],
});

const repo = 'deb [arch=amd64] https://example.com/debian bookworm main';
const list = '/etc/apt/sources.list.d/example_com_debian.list';
const holds = (path: string, text: string | undefined) => ({
  [`file.state ${path}`]:
    text === undefined
      ? absent
      : fileFact({ checksum: createHash('sha256').update(text).digest('hex') }),
  [`file.content ${path}`]: text === undefined ? undefined : Buffer.from(text),
});
const update =
  'exec apt-get -q -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold update';
testModule(apt_repository, {
  settled: [
    {
      title: 'is there',
      args: { repo },
      facts: holds(list, `# ours\n${repo}\n`),
      result: { path: list },
    },
    {
      title: 'is there with other blanks',
      args: { repo },
      facts: holds(list, `${repo.replaceAll(' ', '  ')}\n`),
    },
    { title: 'is not there', args: { repo, state: 'absent' }, facts: holds(list, undefined) },
  ],
  changes: [
    {
      title: 'makes the file and reads the lists',
      args: { repo },
      facts: holds(list, undefined),
      actions: [`write ${list}`, update],
      restore: [{ module: 'restore_path', args: { path: list, state: 'absent' } }],
    },
    {
      title: 'adds to a file of a name',
      args: { repo, filename: 'site', update_cache: false, mode: '0640' },
      facts: holds('/etc/apt/sources.list.d/site.list', 'deb https://other.example.com x y\n'),
      actions: ['write /etc/apt/sources.list.d/site.list mode 0640'],
    },
    {
      title: 'takes the file away with its last source',
      args: { repo, state: 'absent' },
      facts: holds(list, `${repo}\n`),
      actions: [`remove ${list}`, update],
    },
    {
      title: 'leaves the other sources',
      args: { repo, state: 'absent' },
      facts: holds(list, `${repo}\ndeb https://other.example.com x y\n`),
      actions: [`write ${list}`, update],
    },
  ],
  refused: [{ title: 'what is no source', args: { repo: 'ppa:x/y' }, code: 'SCHEMA' }],
});

const site = '/etc/yum.repos.d/site.repo';
const written = '[site]\nname=Site\nbaseurl=https://a\n    https://b\nenabled=1\ngpgcheck=0\n';
const wanted = {
  name: 'site',
  description: 'Site',
  baseurl: ['https://a', 'https://b'],
  gpgcheck: false,
};
testModule(yum_repository, {
  settled: [
    { title: 'is there', args: wanted, facts: holds(site, written) },
    {
      title: 'is there behind another',
      args: wanted,
      facts: holds(site, `[other]\nname=o\n\n${written}`),
    },
    {
      title: 'is not there',
      args: { name: 'site', state: 'absent' },
      facts: holds(site, undefined),
    },
  ],
  changes: [
    {
      title: 'makes the file',
      args: { ...wanted, mode: '0644' },
      facts: holds(site, undefined),
      actions: [`write ${site} mode 0644`],
      restore: [{ module: 'restore_path', args: { path: site, state: 'absent' } }],
    },
    {
      title: 'changes it',
      args: { ...wanted, enabled: false },
      facts: holds(site, written),
      actions: [`write ${site}`],
    },
    {
      title: 'takes the file away with its last repository',
      args: { name: 'site', state: 'absent' },
      facts: holds(site, written),
      actions: [`remove ${site}`],
    },
    {
      title: 'leaves the others',
      args: { name: 'site', state: 'absent' },
      facts: holds(site, `${written}\n[other]\nname=o\n`),
      actions: [`write ${site}`],
    },
  ],
  refused: [
    {
      title: 'no place',
      args: { name: 'site' },
      facts: holds(site, undefined),
      code: 'TASK_FAILED',
    },
  ],
});

const running = { name: 'a.service', state: 'running', status: 'enabled', source: 'systemd' };
testModule(service_facts, {
  settled: [
    {
      title: 'lists them',
      args: {},
      facts: { 'systemd.services': { 'a.service': running } },
      result: { services: { 'a.service': running } },
    },
  ],
});
testModule(package_facts, {
  settled: [
    {
      title: 'lists them',
      args: {},
      facts: { 'packages.all': { jq: [{ version: '1.6' }] } },
      result: { packages: { jq: [{ version: '1.6' }] } },
    },
  ],
});
testModule(getent, {
  settled: [
    {
      title: 'one entry',
      args: { database: 'passwd', key: 'eva' },
      facts: { 'names.entries passwd eva': { eva: ['x'] } },
      result: { entries: { eva: ['x'] } },
    },
    {
      title: 'an entry that need not be there',
      args: { database: 'passwd', key: 'eva', fail_key: false },
      facts: { 'names.entries passwd eva': undefined },
      result: { entries: {} },
    },
  ],
  refused: [
    {
      title: 'an entry that is not there',
      args: { database: 'passwd', key: 'eva' },
      facts: { 'names.entries passwd eva': undefined },
      code: 'TASK_FAILED',
    },
    { title: 'an option as a database', args: { database: '-i' }, code: 'SCHEMA' },
  ],
});
describe('lists of a host', () => {
  const said = (stdout: string, code = 0) => ({ code, stdout, stderr: 'why' });
  it('have packages that are installed, with all their architectures', () => {
    const dpkg = 'apt\nii |libc6|2.36|amd64\nii |libc6|2.36|i386\nrc |old|1|all\n';
    expect(packageList.parse(said(dpkg))).toEqual({
      libc6: ['amd64', 'i386'].map((arch) => ({
        ...{ name: 'libc6', version: '2.36', arch, source: 'apt' },
      })),
    });
    expect(() => packageList.parse(said('', 1))).toThrow('cannot be listed: why');
  });

  it('have names with colons or blanks between their parts', () => {
    expect(nameEntries.parse(said('eva:x:7:7:Eva:/home/eva:/bin/sh\n'), 'passwd')).toEqual({
      eva: ['x', '7', '7', 'Eva', '/home/eva', '/bin/sh'],
    });
    expect(nameEntries.parse(said('fe80::1   a b\n'), 'hosts')).toEqual({ 'fe80::1': ['a', 'b'] });
    expect(nameEntries.parse(said('', 2), 'passwd', 'no')).toBeUndefined();
    expect(() => nameEntries.parse(said('', 1), 'nothing')).toThrow('knows no database "nothing"');
    expect(() => nameEntries.parse(said('', 127), 'passwd')).toThrow('cannot be asked: why');
  });
});
describe('the list of services', () => {
  it('joins what is installed with what is loaded', () => {
    const stdout = `a.service enabled enabled
b.service disabled enabled
::
a.service loaded active running A
c.service loaded failed failed C
d.service not-found inactive dead d.service
e.service loaded active exited E
`;
    const found = serviceList.parse({ code: 0, stdout, stderr: '' });
    expect(
      Object.values(found).map(({ name, state, status }) => `${name} ${state} ${status}`),
    ).toEqual([
      'a.service running enabled',
      'b.service stopped disabled',
      'c.service failed static',
      'd.service stopped not-found',
      'e.service stopped static',
    ]);
  });
});
