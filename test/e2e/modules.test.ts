import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostsBench } from '../helpers/hosts.ts';
import {
  checkScenario,
  type ModuleScenario,
  type ScenarioHost,
} from '../helpers/module-scenario.ts';

let bench: HostsBench;
let host: ScenarioHost;
beforeAll(async () => {
  bench = await HostsBench.start(1);
  host = {
    play: (text) => bench.play(text),
    shell: (command) => bench.shell('h1', command),
  };
});
afterAll(() => bench.stop());
beforeEach(() => {
  bench.forgetRuns();
});

const scenarios: ModuleScenario[] = [
  {
    title: 'group',
    tasks: '- { name: Group, group: { name: ops, gid: 990 } }',
    look: 'cat /etc/group /etc/gshadow 2>/dev/null || :',
    shows: 'ops:x:990:',
  },
  {
    title: 'hostname',
    tasks: '- { name: Name, hostname: node-7 }',
    look: 'uname -n; cat /etc/hostname 2>/dev/null || echo none',
    shows: 'node-7\nnode-7',
  },
  {
    title: 'authorized_key',
    tasks: `- name: Key
  authorized_key:
    user: root
    path: /srv/keys/root/keys
    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 eva@laptop
    key_options: from="10.0.0.0/8"`,
    look: 'stat -c "%n %a" /srv/keys/root /srv/keys/root/keys 2>/dev/null; cat /srv/keys/root/keys 2>/dev/null || :',
    shows: 'from="10.0.0.0/8" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 eva@laptop',
    prepare: 'mkdir -p /srv/keys',
  },
  {
    title: 'cron with a file',
    tasks:
      '- { name: Job, cron: { name: clean, job: /bin/true, hour: 3, minute: "*/5", cron_file: ops } }',
    look: 'cat /etc/cron.d/ops 2>/dev/null || echo none',
    shows: '#Ansible: clean\n*/5 3 * * * root /bin/true',
    prepare: 'mkdir -p /etc/cron.d',
  },
  {
    title: 'mount',
    tasks:
      '- { name: Mount, mount: { path: /data/new dir, src: tmpfs, fstype: tmpfs, opts: size=1m, state: mounted } }',
    look: 'ls -d "/data/new dir" 2>/dev/null; grep tmpfs /etc/fstab; cut -d" " -f5,9- /proc/self/mountinfo | grep data || :',
    shows: 'tmpfs /data/new\\040dir tmpfs size=1m 0 0',
    prepare: 'mkdir -p /data; echo "# ours" >/etc/fstab',
  },
  {
    title: 'mount without fstab, and no more',
    tasks: `- { name: Mount, mount: { path: /data/now, src: tmpfs, fstype: tmpfs, opts: "size=2m,noexec", state: ephemeral } }
- { name: Unmount, mount: { path: /data/old, state: unmounted } }`,
    look: 'cat /etc/fstab; ls -d /data/now 2>/dev/null; cut -d" " -f5,6,9- /proc/self/mountinfo | grep data | sort',
    shows: '/data/now rw,noexec',
    prepare: 'mkdir -p /data/old; mount -t tmpfs -o size=3m tmpfs /data/old',
  },
  {
    title: 'tempfile',
    tasks: '- { name: Make, tempfile: { state: directory, path: /srv, suffix: .d } }',
    look: 'ls /srv | sed "s/[0-9a-f]\\{16\\}/RANDOM/"',
    shows: 'runner.RANDOM.d',
    prepare: 'mkdir -p /srv',
    alwaysChanges: true,
  },
  {
    title: 'find and script',
    tasks: `- { name: Look, find: { paths: /srv/logs, patterns: "*.log", recurse: true, contains: "^err" }, register: logs }
- name: Run
  script: count.sh {{logs.matched}} "two words"
  args: { creates: /srv/count }
  undo: [{ name: Remove, file: { path: /srv/count, state: absent } }]`,
    look: 'cat /srv/count 2>/dev/null; ls /tmp',
    shows: '2|two words|2 arguments',
    prepare:
      'mkdir -p /srv/logs/deep; echo err >/srv/logs/a.log; echo error >"/srv/logs/deep/b c.log"; echo ok >/srv/logs/c.log; echo err >/srv/logs/d.txt',
  },
];

describe('modules on a host', () => {
  beforeAll(() => {
    const files = join(bench.cli.dir, 'files');
    mkdirSync(files, { recursive: true });
  });

  for (const scenario of scenarios) {
    it(`${scenario.title}: taken back, done, done again`, async () => {
      const files = join(bench.cli.dir, 'files');
      mkdirSync(files, { recursive: true });
      writeFileSync(
        join(files, 'count.sh'),
        '#!/bin/sh\necho "$1|$2|$# arguments" >/srv/count\nread -r nothing && exit 7\nexit 0\n',
      );
      await checkScenario(scenario, host);
    });
  }
});

const hasDnf = ['dnf', 'rpmbuild', 'createrepo_c'].every((program) =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program))),
);

/** Repository with two versions of a package and of what it needs. */
function makeRepository(folder: string): void {
  for (const version of ['1.0', '2.0']) {
    for (const [name, needs] of [
      ['toolx', 'Requires: liby\n'],
      ['liby', ''],
    ] as const) {
      const spec = join(folder, `${name}-${version}.spec`);
      writeFileSync(
        spec,
        `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n${needs}%description\nx\n%install\nmkdir -p %{buildroot}/opt/${name}\necho ${version} >%{buildroot}/opt/${name}/version\n%files\n/opt/${name}\n`,
      );
      const defines = [`_topdir ${folder}/build`, `_rpmdir ${folder}/repo`].flatMap((one) => [
        '--define',
        one,
      ]);
      execFileSync('rpmbuild', ['-bb', ...defines, spec], { stdio: 'ignore' });
    }
  }
  execFileSync('createrepo_c', ['-q', join(folder, 'repo')]);
}

// Debian has DNF, too; where it is not installed, only its recorded answers are tested.
describe.skipIf(!hasDnf)('dnf on a host', () => {
  beforeAll(() => {
    const { dir } = bench.lab.host('h1').root;
    const folder = join(bench.cli.dir, 'rpm');
    mkdirSync(folder, { recursive: true });
    makeRepository(folder);
    cpSync(join(folder, 'repo'), join(dir, 'srv/repo'), { recursive: true });
    mkdirSync(join(dir, 'etc/yum.repos.d'), { recursive: true });
    mkdirSync(join(dir, 'etc/dnf'), { recursive: true });
    writeFileSync(join(dir, 'etc/dnf/dnf.conf'), '[main]\ngpgcheck=0\n');
    writeFileSync(
      join(dir, 'etc/yum.repos.d/lab.repo'),
      '[lab]\nname=lab\nbaseurl=file:///srv/repo\n',
    );
  });

  const look = 'rpm -qa --qf "%{NAME} %{VERSION}\\n" | sort; cat /opt/*/version 2>/dev/null || :';

  for (const scenario of [
    {
      title: 'installs with what it needs, before there was any transaction',
      tasks: '- { name: Install, dnf: { name: toolx-1.0 } }',
      look,
      shows: 'liby 2.0\ntoolx 1.0',
    },
    {
      title: 'upgrades',
      tasks: '- { name: Upgrade, package: { name: toolx, state: latest, use: dnf } }',
      look,
      shows: 'toolx 2.0',
    },
    {
      title: 'goes back to an older version',
      tasks: '- { name: Downgrade, dnf: { name: [toolx-1.0, liby-1.0-1], allow_downgrade: true } }',
      look,
      shows: 'liby 1.0\ntoolx 1.0',
    },
  ]) {
    it(`${scenario.title}: taken back, done, done again`, async () => {
      await checkScenario(scenario, host);
    });
  }

  it('removes what needs it, too, and brings all of it back', async () => {
    const before = await host.shell(look);
    const play = (tail: string) =>
      bench.play(
        `- name: P\n  hosts: all\n  tasks:\n    - { name: Remove, dnf: { name: liby, state: absent } }\n${tail}`,
      );
    const back = await play('    - { name: Fails, fail: { msg: no } }\n');
    expect(back.code, back.stdout).toBe(3);
    expect(await host.shell(look)).toBe(before);
    expect((await play('')).code).toBe(0);
    expect(await host.shell(look)).toBe('');
  });

  it('refuses an older version, and a package nobody has', async () => {
    await host.play('- name: P\n  hosts: all\n  tasks:\n    - { name: I, dnf: { name: liby } }\n');
    const play = (name: string) =>
      bench.play(`- name: P\n  hosts: all\n  tasks:\n    - { name: I, dnf: { name: ${name} } }\n`);
    const older = await play('liby-1.0');
    expect(older.code).toBe(2);
    expect(older.stdout).toContain('\\"liby-2.0\\" on \\"h1\\" is newer');
    const nothing = await play('nothing');
    expect(nothing.code, nothing.stdout).toBe(3);
    expect(nothing.stdout).toContain('Unable to find a match: nothing');
  });
});
