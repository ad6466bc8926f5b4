import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putBusyboxFirst } from '../helpers/busybox.ts';
import { HostsBench } from '../helpers/hosts.ts';
import {
  checkScenario,
  itPlays,
  type ModuleScenario,
  type ScenarioHost,
} from '../helpers/module-scenario.ts';
import { describeWith, has, itWith } from '../helpers/programs.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const host: ScenarioHost = {
  play: (text) => bench.play(text),
  shell: (command) => bench.shell('h1', command),
};
const hostPath = (path: string) => join(bench.lab.host('h1').root.dir, path);

/** The `unit-end` event of a step as JSON text, empty when the step did not end. */
const endOf = (stdout: string, step: string) =>
  stdout
    .split('\n')
    .find((line) => line.includes('"unit-end"') && line.includes(`"name":"${step}"`)) ?? '';

/** Shortens every `sleep` on the host to 50 ms, for modules that retry. Timeouts are not shortened. */
function shortenSleep(): void {
  const text = '#!/bin/sh\nexec /bin/sleep 0.05\n';
  writeFileSync(hostPath('usr-local/bin/sleep'), text, { mode: 0o755 });
}

/** Files on the controller; a test only reads them. */
const archives = join(tmpdir(), `runner-archives-${randomUUID()}`);
beforeAll(() => {
  const inside = join(archives, 'tool-1.2');
  mkdirSync(join(inside, 'bin'), { recursive: true });
  writeFileSync(join(inside, 'bin', 'tool'), '#!/bin/sh\necho 1.2\n', { mode: 0o755 });
  writeFileSync(join(inside, 'notes 1.txt'), 'Größe\n', { mode: 0o640 });
  writeFileSync(join(archives, 'blob'), randomBytes(1_000_000));
  symlinkSync('bin/tool', join(inside, 'latest'));
  execFileSync('tar', ['-C', archives, '-czf', join(archives, 'tool.tgz'), 'tool-1.2']);
  if (has('zip')) execFileSync('zip', ['-qr', 'tool.zip', 'tool-1.2'], { cwd: archives });
});
afterAll(() => {
  rmSync(archives, { recursive: true });
});
const lookAtTool =
  'cd /srv/tools 2>/dev/null && find . ! -name . -exec stat -c "%n %F %a %U" {} + | sort && find . -type f -exec sha256sum {} + | sort && find . -type l -exec readlink {} + || :';
/** Creates an older version of the tool, and a directory that also has a file of another owner. */
const olderTool =
  'rm -rf /srv/tools; mkdir -p /srv/tools/bin; chmod 1777 /srv/tools/bin; echo old >/srv/tools/bin/tool; touch /srv/tools/bin/other';

const scenarios: ModuleScenario[] = [
  {
    title: 'backup, before a task that ruins the saved paths',
    tasks: `- { name: Save, backup: { paths: [/srv/state, /srv/state.conf], dest: ${join(archives, 'kept')} } }
- name: Ruin
  shell: rm -rf /srv/state/deep /srv/state.conf && mkdir /srv/state.conf && chmod 700 /srv/state && echo ruined >/srv/state/b
  args: { creates: /srv/state.conf/ }
  undo: none`,
    look: 'cd /srv && find state state.conf -exec stat -c "%n %F %a" {} + | sort; stat -c %a state; find state state.conf -type f -exec cat {} +; readlink state/deep/link || :',
    shows: 'ruined',
    alwaysChanges: true,
    prepare:
      'rm -rf /srv/state /srv/state.conf; mkdir -p /srv/state/deep/er; echo a >"/srv/state/deep/er/a b"; echo b >/srv/state/b; chmod 4750 /srv/state/b; ln -s ../b /srv/state/deep/link; mkfifo /srv/state/pipe; echo conf >/srv/state.conf',
  },
  {
    title: 'apt_repository and yum_repository',
    tasks: `- { name: Apt, apt_repository: { repo: "deb https://packages.example.com/x y z", update_cache: false } }
- { name: Yum, yum_repository: { name: two, file: site, baseurl: https://packages.example.com/el9, enabled: false } }
- { name: Gone, yum_repository: { name: one, file: site, state: absent } }`,
    look: 'cat /etc/apt/sources.list.d/packages* /etc/yum.repos.d/site.repo 2>/dev/null || :',
    shows: 'deb https://packages.example.com/x y z\n[two]\nname=two\n',
    prepare:
      'mkdir -p /etc/apt/sources.list.d /etc/yum.repos.d; printf "[one]\\nname=One\\n" >/etc/yum.repos.d/site.repo',
  },
  {
    title: 'copy of a file on the host, and changes of single lines',
    tasks: `- { name: Copy, copy: { src: /srv/from, dest: /srv/to, remote_src: true } }
- { name: New, copy: { src: /srv/from, dest: /srv/new, remote_src: true, mode: '0640' } }
- { name: Line, lineinfile: { path: /srv/to, regexp: '^(\\w+) old$', line: '\\1 new', backrefs: true } }
- { name: Look, stat: { path: /srv/seen, follow: true, checksum_algorithm: md5 }, register: seen }
- { name: Check, assert: { that: [seen.stat.isreg, size(seen.stat.checksum) == 32], quiet: true } }`,
    look: 'stat -c "%n %a" /srv/to /srv/new 2>/dev/null; cat /srv/to',
    shows: '/srv/new 640\nthing new',
    prepare:
      'echo "thing old" >/srv/from; echo before >/srv/to; chmod 600 /srv/to; rm -f /srv/new; ln -sfn from /srv/seen',
    alwaysChanges: true,
  },
  {
    title: 'copy of a directory, with its own modes and with given ones',
    tasks: `- { name: Copy, copy: { src: ${archives}/tool-1.2, dest: /srv/copied, mode: preserve, directory_mode: "0750" } }
- { name: Its content, copy: { src: ${archives}/tool-1.2/, dest: /srv/copied/deep/er, mode: "u=rwX,go=" } }`,
    look: 'cd /srv/copied && find . -exec stat -c "%n %F %a" {} + | sort; find . -type f -exec sha256sum {} + | sort',
    shows:
      './deep/er/notes 1.txt regular file 600\n./tool-1.2 directory 755\n./tool-1.2/bin directory 750\n./tool-1.2/bin/tool regular file 755\n./tool-1.2/latest regular file 755\n./tool-1.2/notes 1.txt regular file 640\n',
    prepare:
      'rm -rf /srv/copied; mkdir -p /srv/copied/tool-1.2; echo old >"/srv/copied/tool-1.2/notes 1.txt"; chmod 4711 "/srv/copied/tool-1.2/notes 1.txt"; echo its >/srv/copied/tool-1.2/other',
  },
  {
    title: 'file with recursive modes, hard links and symbolic links',
    tasks: `- { name: Modes, file: { path: /srv/way, state: directory, recurse: true, mode: 'u=rwX,g=rX,o=', group: '0' } }
- { name: Digits, file: { path: /srv/whole/d, state: directory, recurse: true, mode: '0750', owner: root } }
- { name: Name, file: { path: /srv/name, state: hard, src: /srv/whole/one } }
- { name: Through, file: { path: /srv/whole/link, mode: o+r } }
- { name: In its place, file: { path: /srv/whole/old, state: link, src: one, force: true } }`,
    look: 'cd /srv/whole && find . -exec stat -c "%n %F %a %h" {} + | sort; readlink old || cat old; ls /srv/name 2>/dev/null || :',
    shows:
      './a b/run regular file 750 1\n./a b/text regular file 640 1\n./d directory 750 2\n./d/suid regular file 750 1\n./link symbolic link 777 1\n./old symbolic link 777 1\n./one regular file 604 2\none\n/srv/name',
    prepare:
      'rm -rf /srv/whole /srv/way /srv/name; mkdir -p "/srv/whole/a b" /srv/whole/d; ln -s "whole/a b" /srv/way; cd /srv/whole; for f in one old "a b/text" "a b/run" d/suid; do echo "$f" >"$f"; done; chmod 600 one; chmod 755 "a b/run"; chmod 4755 d/suid; chmod 2755 d; ln -s one link',
  },
  {
    title: 'copy of a large file, which is streamed',
    tasks: `- { name: Copy, copy: { src: ${join(archives, 'blob')}, dest: /srv/blob } }\n- { name: Link, file: { src: blob, path: /srv/link, state: link } }`,
    look: 'sha256sum /srv/blob /srv/link 2>/dev/null || :',
    shows: '/srv/link',
  },
  {
    title: 'unarchive into an empty directory',
    tasks: `- { name: Unpack, unarchive: { src: ${join(archives, 'tool.tgz')}, dest: /srv/tools, mode: "0750" } }`,
    look: lookAtTool,
    shows: './tool-1.2/notes 1.txt regular file 750 root',
    prepare: 'rm -rf /srv/tools; mkdir -p /srv/tools',
  },
  {
    title: 'unarchive over existing files',
    tasks: `- { name: Unpack, unarchive: { src: ${join(archives, 'tool.tgz')}, dest: /srv/tools, strip_components: 1, exclude: '*/notes*' } }`,
    look: lookAtTool,
    shows:
      './bin directory 1777 root\n./bin/other regular empty file 644 root\n./bin/tool regular file 755 root\n./latest symbolic link 777 root\n',
    prepare: olderTool,
  },
  {
    title: 'unarchive of an archive on the host',
    tasks: `- { name: Copy, copy: { src: ${join(archives, 'tool.tgz')}, dest: /srv/tool.tgz } }
- { name: Unpack, unarchive: { src: /srv/tool.tgz, remote_src: true, dest: /srv/tools, strip_components: 1, owner: root, group: '0' } }`,
    look: `${lookAtTool}; ls /srv/tool.tgz 2>/dev/null || :`,
    shows: './notes 1.txt regular file 640 root',
    prepare: olderTool,
  },
  {
    title: 'unarchive of a zip file on the host',
    needs: ['zip', 'unzip'],
    tasks: `- { name: Copy, copy: { src: ${join(archives, 'tool.zip')}, dest: /srv/tool.zip } }
- { name: Unpack, unarchive: { src: /srv/tool.zip, remote_src: true, dest: /srv/tools, include: ['*/bin', '*/notes*'] } }`,
    look: `${lookAtTool}; ls /srv/tool.zip 2>/dev/null || :`,
    shows: './tool-1.2/notes 1.txt regular file 640 root',
    prepare: olderTool,
  },
  {
    title: 'group',
    needs: ['groupadd'],
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
    title: 'hostname set twice in one run',
    tasks: '- { name: Name, hostname: first }\n- { name: Again, hostname: second }',
    look: 'uname -n; cat /etc/hostname',
    shows: 'second',
    alwaysChanges: true,
  },
  {
    title: 'mount that replaces another mount',
    // For a mount by another user, the kernel shows an owner without a UID in the namespace.
    needs: ['root'],
    tasks:
      '- { name: Mount, mount: { path: /data/swap, src: second, fstype: tmpfs, opts: size=2m, state: mounted } }',
    look: 'cat /etc/fstab; cut -d" " -f5,9- /proc/self/mountinfo | grep data/swap | sed "s/size=//"; ls /data/swap',
    shows: 'second /data/swap tmpfs',
    prepare:
      'mkdir -p /data/swap; echo "# ours" >/etc/fstab; mount -t tmpfs -o size=1m first /data/swap; touch /data/swap/x; rm /data/swap/x',
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
    title: 'cron with cron_file',
    tasks:
      '- { name: Job, cron: { name: clean, job: /bin/true, hour: 3, minute: "*/5", cron_file: ops } }',
    look: 'cat /etc/cron.d/ops 2>/dev/null || echo none',
    shows: '#Ansible: clean\n*/5 3 * * * root /bin/true',
    prepare: 'mkdir -p /etc/cron.d',
  },
  {
    title: 'mount with a new directory and an fstab entry',
    tasks:
      '- { name: Mount, mount: { path: /data/new dir, src: tmpfs, fstype: tmpfs, opts: size=1m, state: mounted } }',
    look: 'ls -d "/data/new dir" 2>/dev/null; grep tmpfs /etc/fstab; cut -d" " -f5,9- /proc/self/mountinfo | grep data || :',
    shows: 'tmpfs /data/new\\040dir tmpfs size=1m 0 0',
    prepare: 'mkdir -p /data; echo "# ours" >/etc/fstab',
  },
  {
    title: 'mount without an fstab entry, and an unmount',
    needs: ['root'],
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
    title: 'find, and a script with arguments from its result',
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

/** Declares a test for every scenario; the script that one of them runs is beside the playbook. */
function itPlaysAll(): void {
  for (const scenario of scenarios) {
    itPlays(scenario, () => {
      const files = join(bench.cli.dir, 'files');
      mkdirSync(files, { recursive: true });
      writeFileSync(
        join(files, 'count.sh'),
        '#!/bin/sh\necho "$1|$2|$# arguments" >/srv/count\nread -r nothing && exit 7\nexit 0\n',
      );
      return host;
    });
  }
}

const providerOfStat = async () =>
  basename((await host.shell('readlink -f "$(command -v stat)"')).trim());

describe('modules on a host with the programs of Debian', () => {
  it('find the stat of coreutils first', async () => {
    expect(await providerOfStat()).toBe('stat');
  });

  itPlaysAll();
});

describeWith('busybox')('modules on a host with the programs of busybox', () => {
  beforeEach(() => {
    putBusyboxFirst(hostPath('usr-local/bin'));
  });

  it('find the stat of busybox first', async () => {
    expect(await providerOfStat()).toBe('busybox');
  });

  itPlaysAll();
});

/** Creates a repository with two versions of the package toolx and of its dependency liby. */
function makeRepository(directory: string): void {
  for (const version of ['1.0', '2.0']) {
    for (const [name, needs] of [
      ['toolx', 'Requires: liby\n'],
      ['liby', ''],
    ] as const) {
      const spec = join(directory, `${name}-${version}.spec`);
      writeFileSync(
        spec,
        `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n${needs}%description\nx\n%install\nmkdir -p %{buildroot}/opt/${name}\necho ${version} >%{buildroot}/opt/${name}/version\n%files\n/opt/${name}\n`,
      );
      const defines = [`_topdir ${directory}/build`, `_rpmdir ${directory}/repo`].flatMap((one) => [
        '--define',
        one,
      ]);
      execFileSync('rpmbuild', ['-bb', ...defines, spec], { stdio: 'ignore' });
    }
  }
  execFileSync('createrepo_c', ['-q', join(directory, 'repo')]);
}

describeWith(
  'dnf',
  'rpmbuild',
  'createrepo_c',
)('dnf on a host', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'runner-rpm-'));
    makeRepository(directory);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    cpSync(join(directory, 'repo'), hostPath('srv/repo'), { recursive: true });
    mkdirSync(hostPath('etc/yum.repos.d'), { recursive: true });
    mkdirSync(hostPath('etc/dnf'), { recursive: true });
    writeFileSync(hostPath('etc/dnf/dnf.conf'), '[main]\ngpgcheck=0\n');
    writeFileSync(
      hostPath('etc/yum.repos.d/lab.repo'),
      '[lab]\nname=lab\nbaseurl=file:///srv/repo\n',
    );
  });

  const look = 'rpm -qa --qf "%{NAME} %{VERSION}\\n" | sort; cat /opt/*/version 2>/dev/null || :';
  const install = (...packages: string[]) => `dnf -q -y install ${packages.join(' ')}`;

  for (const scenario of [
    {
      title: 'installation of an older version with its dependency, as the first transaction',
      tasks: '- { name: Install, dnf: { name: toolx-1.0 } }',
      look,
      shows: 'liby 2.0\ntoolx 1.0',
    },
    {
      title: 'upgrade of an installed package',
      tasks: '- { name: Upgrade, package: { name: toolx, state: latest, use: dnf } }',
      look,
      shows: 'toolx 2.0',
      prepare: install('toolx-1.0'),
    },
    {
      title: 'downgrade of a package and its dependency',
      tasks: '- { name: Downgrade, dnf: { name: [toolx-1.0, liby-1.0-1], allow_downgrade: true } }',
      look,
      shows: 'liby 1.0\ntoolx 1.0',
      prepare: install('toolx'),
    },
  ]) {
    itPlays(scenario, () => host);
  }

  const playTask = (task: string, more = '') =>
    bench.play(`- name: P\n  hosts: all\n  tasks:\n    - ${task}\n${more}`);

  it('removes a package with its dependents, and a rollback restores all of them', async () => {
    await host.shell(install('toolx-1.0', 'liby-1.0'));
    const before = await host.shell(look);
    expect(before).toContain('liby 1.0\ntoolx 1.0');
    const remove = '{ name: Remove, dnf: { name: liby, state: absent } }';
    const back = await playTask(remove, '    - { name: Fails, fail: { msg: no } }\n');
    expect(back.code, back.stdout).toBe(3);
    expect(await host.shell(look)).toBe(before);
    expect((await playTask(remove)).code).toBe(0);
    expect(await host.shell(look)).toBe('');
  });

  it('refuses to downgrade a package unless allow_downgrade is set', async () => {
    await host.shell(install('liby'));
    const older = await playTask('{ name: I, dnf: { name: liby-1.0 } }');
    expect(older.code).toBe(2);
    expect(older.stdout).toContain('\\"liby-2.0\\" on \\"h1\\" is newer');
  });

  it('fails for a package that no repository has', async () => {
    await host.shell(install('liby'));
    const nothing = await playTask('{ name: I, dnf: { name: nothing } }');
    expect(nothing.code, nothing.stdout).toBe(3);
    expect(nothing.stdout).toContain('Unable to find a match: nothing');
  });
});

describe('the password and headers of get_url', () => {
  itWith('curl')('are not written to the journal of the run', async () => {
    const { code, stdout } = await bench.play(
      `- name: P
  hosts: all
  tasks:
    - { name: Get, get_url: { url: 'file:///etc/hostname', dest: /srv/got, url_username: eva, url_password: hunter-22, headers: { X-Token: abcd-1234 } } }
`,
    );
    expect(code, stdout).toBe(0);
    const runs = join(bench.cli.stateDir, 'runs');
    const [run = ''] = readdirSync(runs);
    const journal = readFileSync(join(runs, run, 'journal'), 'utf8');
    expect(journal).toContain('"url_username":"eva"');
    expect(journal).not.toMatch(/hunter-22|abcd-1234/);
  });
});

/** A kubectl stand-in with nodes and pods in files. It supports the calls of the modules like kubectl 1.20 and later. */
const KUBECTL = `#!/bin/sh
state=/srv/kube
case "$*" in
  'get node '*' -o jsonpath={.spec.unschedulable}')
    [ -d $state/$3 ] || { echo "Error from server (NotFound): nodes \\"$3\\" not found" >&2; exit 1; }
    cat $state/$3/unschedulable 2>/dev/null || : ;;
  'get pods --all-namespaces --field-selector spec.nodeName='*' -o jsonpath='*) cat "$state/\${5#spec.nodeName=}/pods" ;;
  'cordon '*) echo -n true >$state/$2/unschedulable ;;
  'uncordon '*) rm -f $state/$2/unschedulable ;;
  'drain '*'--ignore-daemonsets --delete-emptydir-data --timeout=30s') echo -n true >$state/$2/unschedulable; grep DaemonSet $state/$2/pods >$state/p; mv $state/p $state/$2/pods ;;
  'wait --for=condition=Ready node --all --timeout='*) [ -e $state/ready ] || { touch $state/ready; echo 'error: timed out waiting for the condition on nodes/n1' >&2; exit 1; } ;;
  '-n kube-system rollout status daemonset/calico-node --timeout='*) echo 'error: timed out waiting for the condition' >&2; exit 1 ;;
  *) echo "unknown call: $*" >&2; exit 2 ;;
esac
`;

describe('k0s on a host', () => {
  const look =
    'cat /etc/systemd/system/k0s* 2>/dev/null; ls /var/lib/k0s 2>/dev/null; systemctl is-active k0scontroller || :';
  const start = `- { name: Install, k0s: { state: installed, role: controller, flags: [--enable-worker] } }
- { name: Start, k0s: { state: started } }`;
  beforeEach(() =>
    host.shell('cp /usr/local/lib/lab/k0s /usr/local/bin/k0s; mkdir -p /etc/systemd/system'),
  );

  itPlays(
    {
      title: 'installation and start of a controller',
      tasks: start,
      look,
      shows: 'ExecStart=/usr/local/bin/k0s controller',
    },
    () => host,
  );

  it('runs the controller after state: started, and keeps its data after state: uninstalled', async () => {
    const started = await bench.play(
      `- name: P\n  hosts: all\n  tasks:\n${start.replaceAll(/^/gm, '    ')}\n`,
    );
    expect(started.code, started.stdout).toBe(0);
    expect(await host.shell('systemctl is-active k0scontroller')).toBe('active\n');
    const uninstall = {
      title: 'uninstall',
      tasks: `- { name: Stop, k0s: { state: stopped } }
- { name: Uninstall, k0s: { state: uninstalled } }
- { name: Note, copy: { content: done, dest: /srv/k0s-note } }`,
      look: `${look}; cat /srv/k0s-note 2>/dev/null || :`,
      shows: 'done',
    };
    await checkScenario(uninstall, host);
    expect(await host.shell('ls /var/lib/k0s')).toContain('pki');
  });

  it('creates join tokens only on a running controller', async () => {
    const token = await bench.play(
      '- { name: P, hosts: all, tasks: [{ name: T, k0s: { token: worker } }] }',
    );
    expect(token.stdout).toContain(
      'Tokens can only be created and revoked on a running controller',
    );
  });
});

describe('a directory with a mounted file system below it', () => {
  const prepare =
    'mkdir -p "/srv/own/a b" /srv/elsewhere && echo data >/srv/elsewhere/file && echo own >/srv/own/file && mount --bind /srv/elsewhere "/srv/own/a b"';
  const kept = () => host.shell('cat /srv/elsewhere/file /srv/own/file');

  it('is not removed, and neither are its files', async () => {
    await host.shell(prepare);
    const { code, stdout } = await host.play(
      '- { name: P, hosts: all, tasks: [{ name: T, file: { path: /srv/own, state: absent } }] }',
    );
    expect(code).toBe(3);
    expect(stdout).toContain(
      '/srv/own was not removed because file systems are mounted there: /srv/own/a b',
    );
    expect(await kept()).toBe('data\nown\n');
  });

  it('is not removed by the undo of its creation', async () => {
    const { code, stdout } = await host.play(
      `- { name: P, hosts: all, tasks: [{ name: Create, file: { path: /srv/own, state: directory } }, { name: Mount, shell: ${JSON.stringify(prepare)}, undo: none }, { name: Fail, fail: { msg: x } }] }`,
    );
    expect(code).toBe(4);
    expect(stdout).toContain('file systems are mounted there');
    expect(await kept()).toBe('data\nown\n');
  });

  it('is not restored from a backup', async () => {
    const { code, stdout } = await host.play(
      `- { name: P, hosts: all, tasks: [{ name: Create, file: { path: /srv/own, state: directory }, undo: none }, { name: Save, backup: { paths: [/srv/own], dest: /tmp/kept } }, { name: Mount, shell: ${JSON.stringify(prepare)}, undo: none }, { name: Fail, fail: { msg: x } }] }`,
    );
    expect(code).toBe(4);
    expect(stdout).toContain(
      '/srv/own is not restored, because file systems are mounted below it: /srv/own/a b',
    );
    expect(await kept()).toBe('data\nown\n');
  });
});

describe('modules for Kubernetes on a host', () => {
  const look = 'cat /srv/kube/n1/unschedulable 2>/dev/null; cat /srv/kube/n1/pods';
  beforeEach(() => {
    shortenSleep();
    writeFileSync(hostPath('usr-local/bin/kubectl'), KUBECTL, { mode: 0o755 });
    mkdirSync(hostPath('srv/kube/n1'), { recursive: true });
    writeFileSync(
      hostPath('srv/kube/n1/pods'),
      'kube-system/calico DaemonSet Running \nkube-system/api  Running yes\nweb/app ReplicaSet Running \n',
    );
  });

  it('k8s_node drains a node once, and a rollback makes the node schedulable again', async () => {
    const tasks =
      '- { name: Drain, k8s_node: { name: n1, state: drained, delete_emptydir_data: true, timeout: 30 } }';
    const text = (more = '') => `- name: P\n  hosts: all\n  tasks:\n    ${tasks}\n${more}`;
    const back = await bench.play(text('    - { name: Fails, fail: { msg: no } }\n'));
    expect(back.code, back.stdout).toBe(3);
    expect(await host.shell(look)).not.toContain('true');
    const states = async () =>
      (await bench.play(text())).events.flatMap((event) =>
        event.type === 'unit-end' ? [event.state] : [],
      );
    expect(await states()).toEqual(['changed']);
    expect(await host.shell(look)).toMatch(/^truekube-system\/calico/);
    // The stand-in also evicted the static pod, so there is nothing left to drain.
    expect(await states()).toEqual(['ok']);
  });

  itPlays(
    {
      title: 'k8s_node with state: uncordoned',
      tasks:
        '- { name: Uncordon, k8s_node: { name: n1, state: uncordoned, kubectl: [kubectl] } }\n- { name: Note, copy: { content: done, dest: /srv/kube/note } }',
      look: `${look}; cat /srv/kube/note 2>/dev/null || :`,
      shows: 'done',
      prepare: 'echo -n true >/srv/kube/n1/unschedulable',
    },
    () => host,
  );

  it('k8s_node fails for a node that the cluster does not have', async () => {
    const unknown = await bench.play(
      '- { name: P, hosts: all, tasks: [{ name: C, k8s_node: { name: n9, state: cordoned } }] }',
    );
    expect(unknown.stdout).toContain('Kubernetes has no node \\"n9\\"');
  });

  it('k8s_wait waits for nodes and rollouts until its timeout', async () => {
    const { code, stdout } = await bench.play(
      `- name: P
  hosts: all
  tasks:
    - { name: Nodes, k8s_wait: { kind: node, timeout: 60, sleep: 1 } }
    - { name: Rollout, k8s_wait: { kind: DaemonSet, name: calico-node, namespace: kube-system, timeout: 1, sleep: 1 } }
`,
    );
    expect(code).toBe(2);
    expect(endOf(stdout, 'Nodes')).toContain('"state":"ok"');
    expect(endOf(stdout, 'Rollout')).toContain(
      'timed out waiting for the condition\\n(waited 1 s)',
    );
  });
});

describe('port_check and http_check', () => {
  const requests: string[] = [];
  let server: Server;
  let port: string;
  /** Answers the first request with status 503, all others with 200. */
  beforeEach(async () => {
    shortenSleep();
    requests.length = 0;
    server = createServer((request, response) => {
      requests.push(String(request.headers['x-token']));
      response.statusCode = requests.length > 1 ? 200 : 503;
      response.end('status: ready\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = String((server.address() as AddressInfo).port);
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  it('port_check distinguishes open and closed ports', async () => {
    const { stdout, code } = await bench.play(
      `- name: P
  hosts: all
  vars: { port: ${port} }
  tasks:
    - { name: Open, port_check: { port: "{{port}}" } }
    - { name: Free, port_check: { ports: [1, 2], state: closed } }
    - { name: Taken, port_check: { ports: [1, "{{port}}"], state: closed }, ignore_errors: true }
    - { name: Closed, port_check: { ports: [1, "{{port}}"], timeout: 1 }, ignore_errors: true }
`,
    );
    expect(code, stdout).toBe(0);
    for (const name of ['Open', 'Free']) expect(endOf(stdout, name)).toContain('"state":"ok"');
    expect(endOf(stdout, 'Taken')).toContain(`port ${port} of 127.0.0.1 is in use`);
    expect(endOf(stdout, 'Closed')).toContain('port 1 of 127.0.0.1 is closed');
  });

  itWith('curl')(
    'http_check retries until the answer matches, and reports how an answer differs',
    async () => {
      const { stdout, code } = await bench.play(
        `- name: P
  hosts: all
  vars: { port: ${port} }
  tasks:
    - { name: Answer, http_check: { url: "http://127.0.0.1:{{port}}/", contains: "ready$", headers: { X-Token: 'a"b' }, timeout: 60, sleep: 1 } }
    - { name: Other, http_check: { url: "http://127.0.0.1:{{port}}/", contains: nothing, timeout: 0 }, ignore_errors: true }
    - { name: Status, http_check: { url: "http://127.0.0.1:{{port}}/", status_code: [301, 302], timeout: 0 }, ignore_errors: true }
    - { name: Nobody, http_check: { url: "http://127.0.0.1:1/", timeout: 0 }, ignore_errors: true }
`,
      );
      expect(code, stdout).toBe(0);
      expect(endOf(stdout, 'Answer')).toContain('"state":"ok"');
      expect(endOf(stdout, 'Other')).toContain('the response does not match');
      expect(endOf(stdout, 'Status')).toContain('status 200');
      expect(endOf(stdout, 'Nobody')).toMatch(
        /Connection refused|Failed to connect|Couldn't connect/,
      );
      expect(requests.slice(0, 2)).toEqual(['a"b', 'a"b']);
    },
  );
});
