import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RealLab } from '../../../src/lab/real/real-lab.ts';
import { Cli } from '../../helpers/cli.ts';
import {
  checkScenario,
  type ModuleScenario,
  type ScenarioHost,
} from '../../helpers/module-scenario.ts';

let started: RealLab | undefined;
let lab: RealLab;
let cli: Cli;
let host: ScenarioHost;

const accounts =
  'cat /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/subuid /etc/subgid; find /home /var/mail -printf "%p %m %u %g %y\\n" | sort';

/** A package repository on the host, with two versions of a package and of its dependency. */
const repository = `set -e
[ ! -e /opt/repo ] || exit 0
mkdir -p /opt/repo && cd /opt/repo
for v in 1.0 2.0; do for n in toolx liby; do
  mkdir -p build/DEBIAN build/opt/$n
  echo $v >build/opt/$n/version
  { echo "Package: $n"; echo "Version: $v"; echo "Architecture: all"; echo "Maintainer: Lab <lab@example.com>"; [ $n = liby ] || echo "Depends: liby (>= $v)"; echo "Description: $n"; } >build/DEBIAN/control
  dpkg-deb -b build $n-$v.deb >/dev/null
  rm -r build
done; done
for f in *.deb; do dpkg-deb -f $f; echo "Filename: ./$f"; echo "Size: $(stat -c %s $f)"; echo "SHA256: $(sha256sum <$f | cut -d' ' -f1)"; echo; done >Packages
rm -f /etc/apt/sources.list
echo 'deb [trusted=yes] file:/opt/repo ./' >/etc/apt/sources.list.d/lab.list
apt-get update -qq`;
const installed =
  'dpkg-query -W -f "\\${Package} \\${Version} \\${Status}\\n" toolx liby 2>/dev/null; cat /opt/toolx/version /opt/liby/version 2>/dev/null || :';

const unit =
  '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n';
const units =
  'systemctl is-active sleeper; systemctl is-enabled sleeper; ls /etc/systemd/system /etc/systemd/system/multi-user.target.wants';

/** Creates two containers of an image with only busybox: one with all fields of a specification, and a stopped one. */
const makeContainers = `set -e
docker image inspect lab/busybox:1 >/dev/null 2>&1 || tar -C / -c bin/busybox | docker import -c 'ENTRYPOINT ["/bin/busybox"]' - lab/busybox:1 >/dev/null
docker rm -f web job >/dev/null 2>&1 || :
docker network inspect side >/dev/null 2>&1 || docker network create side >/dev/null
docker run -d --init --name web --restart always -e TOKEN=s3cret --label app=web -v data:/data -v /unnamed -v /etc/hostname:/h:ro -p 8081:80 --memory 64m --cap-drop NET_RAW lab/busybox:1 sleep 1000 >/dev/null
docker network connect --alias www side web
docker create --name job lab/busybox:1 true >/dev/null`;
const lookAtContainers = String.raw`docker inspect web job --format '{{.Name}} {{.State.Running}} {{.Config.Image}} {{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Labels}} {{json .HostConfig.RestartPolicy}} {{json .HostConfig.PortBindings}} {{.HostConfig.Memory}} {{.HostConfig.CapDrop}} {{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{end}}{{println}}{{range .Mounts}}{{println .Type .Name .Destination .RW}}{{end}}' 2>/dev/null | sort; docker container inspect web >/dev/null 2>&1 || echo gone`;

const scenarios: ModuleScenario[] = [
  {
    title: 'container that is stopped by its label',
    tasks: '- { name: Stop, container: { filters: [label=app=web], state: stopped, timeout: 1 } }',
    look: lookAtContainers,
    shows: '/web false',
    prepare: makeContainers,
  },
  {
    title: 'container that is started by its name',
    tasks: '- { name: Start, container: { name: web, state: started } }',
    look: lookAtContainers,
    shows: '/web true',
  },
  {
    title: 'container whose restart policy changes before it stops',
    tasks:
      '- { name: Stop, container: { name: [web, job], restart_policy: "on-failure:2", state: stopped, timeout: 1 } }',
    look: lookAtContainers,
    shows: '/web false',
  },
  {
    title: 'container that is removed',
    tasks: '- { name: Remove, container: { name: [web, job, never], state: absent, timeout: 1 } }',
    look: lookAtContainers,
    shows: 'gone',
  },
  {
    title: 'package with a dependency',
    tasks: '- { name: Install, package: { name: toolx=1.0 } }',
    look: installed,
    shows: 'toolx 1.0 install ok installed',
    prepare: repository,
  },
  {
    title: 'apt upgrade after an update of the package index',
    tasks:
      '- { name: Upgrade, apt: { name: [toolx, liby], state: latest, update_cache: true, cache_valid_time: 3600 } }',
    look: installed,
    shows: 'toolx 2.0 install ok installed',
  },
  {
    title: 'apt removal',
    tasks:
      '- { name: Remove, apt: { name: toolx, state: absent, purge: true } }\n- { name: Note, copy: { content: gone, dest: /opt/note } }',
    look: `${installed}; cat /opt/note 2>/dev/null || :`,
    shows: 'gone',
  },
  {
    title: 'apt installation of a package file with a dependency',
    tasks: '- { name: Install, apt: { deb: /opt/repo/toolx-1.0.deb, lock_timeout: 30 } }',
    look: installed,
    shows: 'toolx 1.0 install ok installed',
  },
  {
    title: 'systemd_service that starts and enables a unit of a user',
    tasks: `- name: Unit
  copy: { content: "[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=default.target\\n", dest: /root/.config/systemd/user/own.service }
- { name: Start, systemd_service: { name: own, scope: user, state: started, enabled: true, daemon_reload: true } }`,
    look: 'export XDG_RUNTIME_DIR=/run/user/0; systemctl --user is-active own; systemctl --user is-enabled own; ls /root/.config/systemd/user',
    shows: 'active\nenabled',
    prepare: 'systemctl start user@0.service; mkdir -p /root/.config/systemd/user',
  },
  {
    title: 'systemd_service that starts and enables a new unit',
    tasks: `- { name: Unit, copy: { content: "${unit}", dest: /etc/systemd/system/sleeper.service } }
- { name: Start, systemd_service: { name: sleeper, state: started, enabled: true, daemon_reload: true } }`,
    look: `${units}; :`,
    shows: 'active\nenabled',
  },
  {
    title: 'service that is stopped and masked',
    tasks: '- { name: Stop, service: { name: cron, state: stopped, masked: true } }',
    look: 'systemctl is-active cron; systemctl is-enabled cron; :',
    shows: 'inactive\nmasked',
  },
  {
    title: 'user that is added with a password, groups and a home directory',
    tasks: `- { name: Group, group: { name: ops, gid: 990 } }
- name: User
  user: { name: eva, uid: 1500, groups: [ops, sudo], shell: /bin/bash, comment: Eva, password: "$6$salt$hash" }
- { name: Key, authorized_key: { user: eva, key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 eva" } }`,
    look: accounts,
    shows: '/home/eva/.ssh/authorized_keys 600 eva eva f',
  },
  {
    title: 'user that is changed',
    tasks: `- { name: User, user: { name: eva, groups: [docker], append: false, shell: /bin/sh, home: /home/eva2, move_home: true, password: "$6$other$hash", password_lock: true, expires: 1900000000 } }`,
    look: accounts,
    shows: '/home/eva2/.ssh/authorized_keys 600 eva eva f',
  },
  {
    title: 'user that is removed with its home directory',
    tasks:
      '- { name: User, user: { name: eva, state: absent, remove: true } }\n- { name: Other, group: { name: last, gid: 991 } }',
    look: accounts,
    shows: 'last:x:991:',
  },
  {
    title: 'cron entry of a user',
    tasks:
      '- { name: Job, cron: { name: clean, user: deploy, job: /usr/bin/true % x, special_time: daily } }',
    look: 'crontab -l -u deploy 2>&1; ls -l /var/spool/cron/crontabs | cut -c1-25',
    shows: '#Ansible: clean\n@daily /usr/bin/true % x',
  },
  {
    title: 'cron entries that are changed and removed',
    tasks: `- { name: Job, cron: { name: clean, user: deploy, job: /usr/bin/false, minute: 5 } }
- { name: Old, cron: { name: old, user: deploy, state: absent } }`,
    look: 'crontab -l -u deploy',
    shows: '5 * * * * /usr/bin/false',
    prepare: `{ crontab -l -u deploy; echo "#Ansible: old"; echo "@hourly /bin/old"; } | crontab -u deploy -`,
  },
  {
    title: 'cron variables',
    tasks: `- { name: Mail, cron: { name: MAILTO, job: ops@example.com, env: true, user: deploy } }
- { name: Old, cron: { name: OLD, env: true, state: absent, user: deploy } }`,
    look: 'crontab -l -u deploy',
    shows: 'MAILTO="ops@example.com"\n# first\n#Ansible: a',
    prepare: `printf '# first\nOLD=1\n#Ansible: a\n@daily /bin/a\n' | crontab -u deploy -`,
  },
  {
    title: 'sysctl parameter',
    tasks:
      '- { name: Set, sysctl: { name: net.ipv4.conf.all.log_martians, value: 1, sysctl_file: /etc/sysctl.d/90-lab.conf } }',
    look: 'sysctl net.ipv4.conf.all.log_martians; cat /etc/sysctl.d/90-lab.conf 2>/dev/null || :',
    shows: 'net.ipv4.conf.all.log_martians = 1\nnet.ipv4.conf.all.log_martians = 1',
  },
  {
    title: 'bind mount, now and at boot',
    tasks:
      '- { name: Bind, mount: { path: /mnt/logs, src: /var/log, fstype: none, opts: bind, state: mounted } }',
    look: 'cat /etc/fstab; findmnt -n -o TARGET,FSROOT /mnt/logs; ls -d /mnt/logs 2>&1; :',
    shows: '/var/log /mnt/logs none bind 0 0',
  },
  {
    title: 'mount that is unmounted and removed from fstab',
    tasks:
      '- { name: Unmount, mount: { path: /mnt/logs, state: absent } }\n- { name: Note, file: { path: /mnt/note, state: touch } }',
    look: 'cat /etc/fstab; findmnt -n -o TARGET,FSROOT /mnt/logs; ls -d /mnt/logs /mnt/note 2>&1; :',
    shows: '/mnt/note\n',
  },
  {
    title: 'change of the hostname',
    tasks: '- { name: Name, hostname: { name: node-7.example.com } }',
    look: 'uname -n; cat /etc/hostname',
    shows: 'node-7.example.com\nnode-7.example.com',
  },
];

/** Registers the tests; see ../real.test.ts. */
export function modulesOnRealHosts(): void {
  beforeAll(async () => {
    const cache = process.env['RUNNER_LAB_CACHE'] ?? join(homedir(), '.cache', 'runner', 'lab');
    started = await RealLab.start(['h1'], cache);
    lab = started;
  }, 900_000);
  afterAll(() => started?.stop());
  beforeEach(() => {
    cli = new Cli({ RUNNER_KNOWN_HOSTS: lab.knownHosts }, lab.inside([]));
    host = {
      play: (text) =>
        cli.run(['play', cli.file('play.yml', text), '-i', lab.hostsYaml, '--output', 'json']),
      shell: (command) => lab.ssh('h1', command),
    };
  });
  afterEach(() => {
    cli.dispose();
  });

  describe('a module', () => {
    for (const scenario of scenarios) {
      it(`${scenario.title}: is rolled back, applied, and unchanged by a second run`, async () => {
        await checkScenario(scenario, host);
      });
    }

    it('wait_for waits until a port has no connections', async () => {
      const wait = (port: number) =>
        host.play(
          `- { name: P, hosts: all, tasks: [{ name: Wait, wait_for: { port: ${String(port)}, state: drained, timeout: 2 } }] }\n`,
        );
      expect((await wait(9)).code).toBe(0);
      const busy = await wait(22);
      expect([busy.code, busy.stdout]).toEqual([
        ...[2, expect.stringContaining('Port 22 still has connections after 2 s') as string],
      ]);
    });

    it('service_facts reports the state of units as systemd does', async () => {
      const { code, stdout } = await host.play(
        `- name: P
  hosts: all
  tasks:
    - { name: Ask, service_facts: {}, register: found }
    - { name: Check, assert: { that: ['found.services["ssh.service"].state == "running"', 'found.services["ssh.service"].status == "enabled"'] } }
`,
      );
      expect(code, stdout).toBe(0);
    });

    it('apt_repository makes packages installable, and its rollback makes them unavailable again', async () => {
      // The script exits early if the repository exists.
      await host.shell(repository);
      await host.shell(
        'mkdir -p /opt/second; cp /opt/repo/* /opt/second/; rm -f /etc/apt/sources.list.d/second.list; apt-get update -qq',
      );
      const tasks = (more: string) => `- name: P
  hosts: all
  become: true
  tasks:
    - { name: Source, apt_repository: { repo: "deb [trusted=yes] file:/opt/second ./", filename: second } }
${more}`;
      const lists = 'ls /etc/apt/sources.list.d';
      const before = await host.shell(lists);
      const back = await host.play(tasks('    - { name: Fails, fail: { msg: no } }\n'));
      expect(back.code, back.stdout).toBe(3);
      expect(await host.shell(lists)).toBe(before);
      expect((await host.play(tasks(''))).code).toBe(0);
      expect(await host.shell('apt-cache policy toolx')).toContain('file:/opt/second');
    });

    it('etcd_health counts healthy members while they fail one after the other', async () => {
      const member = (id: number) => {
        const peer = (one: number) => `http://127.0.0.1:${String(2380 + one * 10)}`;
        const client = `http://127.0.0.1:${String(2379 + id * 10)}`;
        const all = [1, 2, 3].map((one) => `m${String(one)}=${peer(one)}`).join(',');
        return `systemd-run -q --unit etcd-m${String(id)} etcd --name m${String(id)} --data-dir /var/tmp/m${String(id)} --listen-peer-urls ${peer(id)} --initial-advertise-peer-urls ${peer(id)} --listen-client-urls ${client} --advertise-client-urls ${client} --initial-cluster ${all}`;
      };
      await host.shell([1, 2, 3].map(member).join(' && '));
      const gate = async (args: string) => {
        const { code, stdout } = await host.play(
          `- name: P
  hosts: all
  tasks:
    - name: Gate
      etcd_health: { endpoints: ["http://127.0.0.1:2389", "http://127.0.0.1:2399"], sleep: 1, ${args} }
      register: etcd
    - { name: Members, debug: { msg: "{{length etcd.members}} members" } }
`,
        );
        return `${String(code)} ${/\d members(?= *")/.exec(stdout)?.[0] ?? /\d of \d members/.exec(stdout)?.[0] ?? stdout}`;
      };
      expect(await gate('members: 3, timeout: 60')).toBe('0 3 members');
      expect(await gate('spare: 1, timeout: 5')).toBe('0 3 members');
      await host.shell('systemctl stop etcd-m3');
      expect(await gate('timeout: 0')).toBe('2 2 of 3 members');
      expect(await gate('spare: 0, timeout: 5')).toBe('0 3 members');
      expect(await gate('spare: 1, timeout: 0')).toBe('2 2 of 3 members');
      await host.shell('systemctl stop etcd-m2');
      expect(await gate('spare: 0, timeout: 0')).toMatch(/^2 [01] of 3 members/);
    });

    it('user does not pass a password hash on a command line', async () => {
      const { stdout, code } = await host.play(
        `- name: P
  hosts: all
  become: true
  vars: { hash: "$6$s$hash" }
  tasks:
    - { name: U, user: { name: max, password: "{{hash}}" } }
`,
      );
      expect(code, stdout).toBe(0);
      expect(stdout).toContain('exec chpasswd -e');
      expect(stdout).not.toContain('$6$s$hash');
    });
  });
}
