import { describe, expect, it } from 'vitest';
import { hostFacts } from '../../src/facts/host.ts';

const answer = (sections: Record<string, string>, late: string[] = []) =>
  hostFacts.parse({
    code: 0,
    stderr: '',
    stdout: [
      ...Object.entries(sections).map(([name, text]) => `\n==${name}\n${text}`),
      ...late.map((name) => `\n==late ${name}\n`),
    ].join(''),
  });

describe('facts of a host', () => {
  it('have Ansible’s names', () => {
    expect(
      answer({
        os: 'ID=rocky\nVERSION_ID="9.4"\nNAME="Rocky Linux"\nID_LIKE="rhel centos fedora"',
        uname: 'Linux\nnode1\n5.14.0\n#1 SMP\nx86_64',
        fqdn: 'node1.example.com',
        processors: '8\nA fast one',
        memory: 'MemTotal:       2048000 kB\nMemFree:        1024000 kB',
        addresses:
          '1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\n2: eth0    inet6 fe80::1/64 scope link',
        links:
          '1: lo: <LOOPBACK> mtu 65536 qdisc\\    link/loopback 00:00\n2: eth0@if3: <BROADCAST> mtu 1450 qdisc\\    link/ether 02:00:00:00:00:01 brd ff',
        route4: 'default via 10.0.0.1 dev eth0 proto dhcp',
        mounts:
          'Filesystem Type 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 ext4 1000 400 600 40% /\n/dev/sdb1 xfs 10 4 6 40% /mnt/my disk',
        packages: '/usr/bin/dnf\n/usr/bin/yum',
        init: 'systemd',
        selinux: 'Enforcing',
        cmdline: 'quiet root=UUID=a=b',
      }),
    ).toMatchObject({
      distribution: 'Rocky',
      distribution_version: '9.4',
      distribution_major_version: '9',
      os_family: 'RedHat',
      architecture: 'x86_64',
      kernel: '5.14.0',
      hostname: 'node1',
      domain: 'example.com',
      processor_vcpus: 8,
      memtotal_mb: 2000,
      interfaces: ['lo', 'eth0'],
      all_ipv4_addresses: ['10.0.0.5'],
      default_ipv4: { interface: 'eth0', gateway: '10.0.0.1', address: '10.0.0.5', prefix: 24 },
      default_ipv6: {},
      mounts: [
        { mount: '/', fstype: 'ext4', size_available: 614_400 },
        { mount: '/mnt/my disk', fstype: 'xfs' },
      ],
      pkg_mgr: 'dnf',
      service_mgr: 'systemd',
      selinux: { status: 'enforcing' },
      cmdline: { quiet: true, root: 'UUID=a=b' },
      late_probes: [],
    });
  });

  it('derive the family of an unknown distribution from ID_LIKE', () => {
    const facts = answer({ os: 'ID=pop\nNAME="Pop!_OS"\nID_LIKE="ubuntu debian"' });
    expect(facts).toMatchObject({ distribution: 'Pop!_OS', os_family: 'Debian' });
  });

  it('list the probes that exceeded their time limit, and contain all others', () => {
    const facts = answer({ os: 'ID=debian\nVERSION_ID="12"', mounts: '' }, ['mounts']);
    expect(facts).toMatchObject({ late_probes: ['mounts'], mounts: [], distribution: 'Debian' });
  });
});
