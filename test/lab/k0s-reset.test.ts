import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putBusyboxFirst } from '../helpers/busybox.ts';
import { hostsIn } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { describeWith } from '../helpers/programs.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const shell = (command: string) => bench.shell('h1', command);

/** Directories in /proc. Some processes end while they are listed. */
const directories = () => shell('ls -l /proc/[0-9]*/cwd 2>/dev/null || :');

/** Creates the files, processes and mounts that k0s leaves after kill -9 or a restart. */
const leaveK0s = `
mkdir -p /etc/cni/net.d /var/lib/k0s/bin /var/lib/k0s/pki /var/lib/k0s/etcd/member "/var/lib/k0s/kubelet/pods/p/volumes/my data" /run/k0s/containerd /srv/volume
echo data >/srv/volume/file
touch /var/lib/k0s/pki/ca.key /run/k0s/status.sock /etc/cni/net.d/10-calico.conflist /etc/cni/net.d/20-own.conflist
printf '[Service]\\nExecStart=/usr/local/bin/k0s worker\\n' >/etc/systemd/system/k0sworker.service
`;
const mountVolume = 'mount --bind /srv/volume "/var/lib/k0s/kubelet/pods/p/volumes/my data"';

const reset = async (): Promise<{ code: number | null; said: string; changed: boolean }> => {
  bench.forgetRuns();
  const { code, events, stdout, stderr } = await bench.play(
    '- { name: Reset, hosts: all, tasks: [{ name: Reset, k0s: { state: reset }, undo: none }] }',
    ['--on-failure', 'stop'],
  );
  const end = events.find((event) => event.type === 'unit-end');
  if (end?.type !== 'unit-end') throw new Error(stdout + stderr);
  return { code, said: end.message ?? '', changed: end.state === 'changed' };
};

const left = (): Promise<string> =>
  shell(
    'ls -A /var/lib/k0s /run/k0s /etc/systemd/system/k0sworker.service 2>/dev/null; ls /etc/cni/net.d; grep -c " /var/lib/k0s" /proc/self/mountinfo || :',
  );

const itResets = (): void => {
  it('removes everything of k0s and keeps the data of a mounted volume', async () => {
    await shell(leaveK0s + mountVolume);
    // Kubelets bind-mount their directory so that mounts are shared.
    await shell('mount --bind /var/lib/k0s/kubelet /var/lib/k0s/kubelet');
    expect(await reset()).toMatchObject({ code: 0, changed: true });
    expect(await left()).toBe('20-own.conflist\n0\n');
    expect(await shell('cat /srv/volume/file')).toBe('data\n');
    expect(await reset()).toMatchObject({ code: 0, changed: false });
  });

  it('fails before it removes anything if a mount is busy, and reports the mount and its user', async () => {
    await shell(leaveK0s + mountVolume);
    const user = bench.lab
      .host('h1')
      .root.spawn('cd "/var/lib/k0s/kubelet/pods/p/volumes/my data" && exec sleep 600');
    await eventually(async () => (await directories()).includes('my data'));
    const refused = await reset();
    expect(refused.code).toBe(5);
    expect(refused.said).toContain(
      '"/var/lib/k0s/kubelet/pods/p/volumes/my data" cannot be unmounted',
    );
    expect(refused.said).toMatch(/used by \d+ \(sleep\)/);
    expect(await shell('cat /srv/volume/file; ls -A /var/lib/k0s; ls /run/k0s')).toBe(
      'data\nbin\netcd\nkubelet\npki\ncontainerd\nstatus.sock\n',
    );
    user.kill('SIGKILL');
    await shell(
      'kill $(ls -l /proc/[0-9]*/cwd | sed -n "s|.*/proc/\\([0-9]*\\)/cwd.*my data.*|\\1|p")',
    );
    await eventually(async () => !(await directories()).includes('my data'));
    expect(await reset()).toMatchObject({ code: 0, changed: true });
    expect(await left()).toBe('20-own.conflist\n0\n');
    expect(await shell('cat /srv/volume/file')).toBe('data\n');
  });

  it('empties file systems mounted for the data of k0s and leaves them mounted', async () => {
    await shell(
      'mkdir -p /var/lib/k0s && mount -t tmpfs own /var/lib/k0s && mkdir /var/lib/k0s/lost+found /var/lib/k0s/etcd',
    );
    await shell(
      `mount -t tmpfs etcd /var/lib/k0s/etcd; mkdir /var/lib/k0s/etcd/lost+found; ${leaveK0s}${mountVolume}`,
    );
    expect(await reset()).toMatchObject({ code: 0, changed: true });
    expect(await shell('find /var/lib/k0s -mindepth 1 | sort; cat /srv/volume/file')).toBe(
      '/var/lib/k0s/etcd\n/var/lib/k0s/etcd/lost+found\n/var/lib/k0s/lost+found\ndata\n',
    );
    expect(await shell('grep -c " /var/lib/k0s" /proc/self/mountinfo')).toBe('2\n');
  });

  it('ends the processes of k0s and of its containers', async () => {
    await shell(`${leaveK0s}
cp /bin/sleep /var/lib/k0s/bin/kubelet; cp /bin/sh /var/lib/k0s/bin/containerd-shim-runc-v2
setsid /var/lib/k0s/bin/kubelet 600 >/dev/null 2>&1 </dev/null &
setsid /var/lib/k0s/bin/containerd-shim-runc-v2 -c 'sleep 601; :' >/dev/null 2>&1 </dev/null &
setsid sleep 602 >/dev/null 2>&1 </dev/null &`);
    const running = () => shell('cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    await eventually(async () => (await running()).includes('sleep 601'));
    expect(await reset()).toMatchObject({ code: 0, changed: true });
    const now = await running();
    for (const ended of ['kubelet 600', 'containerd-shim', 'sleep 601'])
      expect(now).not.toContain(ended);
    expect(now).toContain('sleep 602');
    expect(await left()).toBe('20-own.conflist\n0\n');
  });

  it('outside its directories, removes only files that were created after the list of files was saved', async () => {
    await shell(
      'mkdir -p /etc/k0s /opt/cni/bin /var/log/pods/own; touch /etc/k0s/own.yaml "/opt/cni/bin/of mke" /var/log/pods/own/log',
    );
    const { code, events, stdout, stderr } = await bench.play(`
- name: Reset
  hosts: all
  tasks:
    - { name: Record, k0s: {}, register: before_k0s }
    - name: Leave
      undo: none
      shell: |
${leaveK0s.trim().replaceAll(/^/gm, '        ')}
        mkdir -p /etc/k0s/containerd.d /usr/libexec/k0s/x /var/lib/calico /run/calico /opt/containerd/bin /var/lib/kubelet/device-plugins
        touch /etc/k0s/containerd.toml /etc/k0s/containerd.d/a "/opt/cni/bin/of k0s" /var/lib/calico/nodename
    - { name: Reset, k0s: { state: reset, before: '{{before_k0s.stock}}' }, undo: none }
    - { name: Reset again, k0s: { state: reset, before: '{{before_k0s.stock}}' }, undo: none }
`);
    expect(code, stdout + stderr).toBe(0);
    expect(hostsIn(events, 'Reset', 'changed')).toEqual(['h1']);
    expect(hostsIn(events, 'Reset again', 'ok')).toEqual(['h1']);
    const paths =
      '/etc/k0s /opt /var/lib/kubelet /usr/libexec/k0s /var/lib/calico /run/calico /run/k0s /var/lib/k0s /var/log/pods /etc/cni';
    expect(await shell(`find ${paths} 2>/dev/null | sort || :`)).toBe(
      [
        ...[
          '/etc/k0s',
          '/etc/k0s/own.yaml',
          '/opt',
          '/opt/cni',
          '/opt/cni/bin',
          '/opt/cni/bin/of mke',
        ],
        ...['/var/log/pods', '/var/log/pods/own', '/var/log/pods/own/log', ''],
      ].join('\n'),
    );
  });

  it('does not remove an added directory in which a file system is mounted', async () => {
    const { code, stdout } = await bench.play(`
- name: Reset
  hosts: all
  tasks:
    - { name: Record, k0s: {}, register: before_k0s }
    - name: Mount
      undo: none
      shell: mkdir -p /var/lib/calico/own /srv/volume && echo data >/srv/volume/file && mount --bind /srv/volume /var/lib/calico/own
    - { name: Reset, k0s: { state: reset, before: '{{before_k0s.stock}}' }, undo: none }
`);
    expect(code).not.toBe(0);
    expect(stdout).toContain(
      '/var/lib/calico is not removed, because a file system is mounted there',
    );
    expect(await shell('cat /srv/volume/file')).toBe('data\n');
  });

  it('keeps a link in place of the data directory', async () => {
    await shell('mkdir -p /srv/k0s && ln -s /srv/k0s /var/lib/k0s');
    await shell(leaveK0s + mountVolume);
    expect(await reset()).toMatchObject({ code: 0, changed: true });
    expect(await shell('readlink /var/lib/k0s; ls -A /srv/k0s; cat /srv/volume/file')).toBe(
      '/srv/k0s\ndata\n',
    );
  });
};

describe('k0s: { state: reset }', () => {
  itResets();
});

describeWith('busybox')('k0s: { state: reset } on a host with the programs of busybox', () => {
  beforeEach(() => {
    const directory = join(bench.lab.host('h1').root.dir, 'usr-local/bin');
    putBusyboxFirst(directory);
  });
  itResets();
});
