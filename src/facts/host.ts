import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';

const PROBE_SECONDS = 5;

/**
 * The probes; each prints one section. `rt` limits the time of a probe, because a dead network file system or name server
 * must not block the others.
 */
const probes: Record<string, string> = {
  os: 'cat /etc/os-release',
  uname: 'uname -s; uname -n; uname -r; uname -v; uname -m',
  fqdn: 'rt hostname -f',
  user: 'id -un; id -u; id -gn; id -g; echo "$HOME"; echo "${SHELL:-}"',
  machine_id: 'cat /etc/machine-id',
  boot_id: 'cat /proc/sys/kernel/random/boot_id',
  processors:
    'grep -c "^processor" /proc/cpuinfo; sed -n "s/^model name[^:]*: //p" /proc/cpuinfo | head -n 1',
  memory: 'cat /proc/meminfo',
  uptime: 'cat /proc/uptime',
  addresses: 'rt ip -o addr show',
  links: 'rt ip -o link show',
  route4: 'rt ip -4 route show default',
  route6: 'rt ip -6 route show default',
  mounts: 'rt df -PkT',
  date: "date '+%s|%Y-%m-%dT%H:%M:%S%z|%Z'",
  init: 'cat /proc/1/comm',
  packages: 'for p in apt-get dnf yum zypper apk pacman; do command -v $p; done',
  selinux: 'if command -v getenforce; then rt getenforce; fi',
  virtualization: 'if command -v systemd-detect-virt >&2; then rt systemd-detect-virt; fi',
  cmdline: 'cat /proc/cmdline',
  hardware:
    'for f in sys_vendor product_name product_version bios_version; do cat /sys/class/dmi/id/$f || echo; done',
  dns: 'cat /etc/resolv.conf',
  cgroup: 'stat -fc %T /sys/fs/cgroup',
};

/** Facts of a host with Ansible's names (`ansible_facts.NAME`), read in one round trip. */
export const hostFacts: Fact<[], JsonObject> = {
  name: 'host.facts',
  command: () => {
    const limited = `rt() { if command -v timeout >/dev/null; then timeout ${String(PROBE_SECONDS)} "$@"; else "$@"; fi; }`;
    const asked = Object.entries(probes).map(
      ([name, script]) =>
        `printf '\\n==%s\\n' ${name}; { ${script}; } 2>/dev/null </dev/null; [ $? != 124 ] || printf '\\n==late %s\\n' ${name}`,
    );
    return { script: `(${limited}\n${asked.join('\n')}\n:)` };
  },
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`Cannot gather the facts of the host: ${stderr.trim()}`);
    const sections = new Map<string, string[]>();
    const late: string[] = [];
    for (const part of stdout.split('\n==').slice(1)) {
      const [head = '', ...lines] = part.split('\n');
      if (head.startsWith('late ')) late.push(head.slice(5));
      else
        sections.set(
          head,
          lines.filter((line) => line.trim() !== ''),
        );
    }
    return toFacts((name) => sections.get(name) ?? [], late);
  },
};

function toFacts(lines: (name: keyof typeof probes) => string[], late: string[]): JsonObject {
  const [system = '', node = '', kernel = '', kernelVersion = '', machine = ''] = lines('uname');
  const [user = '', uid = '', group = '', gid = '', home = '', shell = ''] = lines('user');
  const [processors = '0', model = ''] = lines('processors');
  const [epoch = '0', iso = '', zone = ''] = (lines('date')[0] ?? '').split('|');
  const [vendor = '', product = '', productVersion = '', bios = ''] = lines('hardware');
  const fqdn = lines('fqdn')[0] ?? node;
  const memory = sizes(lines('memory'));
  return {
    ...distribution(keyValues(lines('os'))),
    system,
    kernel,
    kernel_version: kernelVersion,
    architecture: machine,
    nodename: node,
    hostname: node.split('.')[0] ?? node,
    fqdn,
    domain: fqdn.split('.').slice(1).join('.'),
    user_id: user,
    user_uid: Number(uid),
    user_group: group,
    user_gid: Number(gid),
    user_dir: home,
    user_shell: shell,
    machine_id: lines('machine_id')[0] ?? '',
    boot_id: lines('boot_id')[0] ?? '',
    processor_vcpus: Number(processors),
    processor_model: model,
    memtotal_mb: mebibytes(memory.get('MemTotal')),
    memfree_mb: mebibytes(memory.get('MemFree')),
    memavailable_mb: mebibytes(memory.get('MemAvailable')),
    swaptotal_mb: mebibytes(memory.get('SwapTotal')),
    swapfree_mb: mebibytes(memory.get('SwapFree')),
    uptime_seconds: Math.floor(Number((lines('uptime')[0] ?? '0').split(' ')[0])),
    ...network(lines),
    mounts: mounts(lines('mounts')),
    date_time: { epoch: Number(epoch), iso8601: iso, tz: zone, date: iso.split('T')[0] ?? '' },
    service_mgr: serviceManager(lines('init')[0] ?? ''),
    pkg_mgr: packageManager(lines('packages')[0] ?? ''),
    selinux: { status: selinux(lines('selinux').at(-1)) },
    virtualization_type: lines('virtualization')[0] ?? '',
    cmdline: Object.fromEntries(
      (lines('cmdline')[0] ?? '').split(/\s+/).map((word) => {
        const [name = '', ...value] = word.split('=');
        return [name, value.length === 0 ? true : value.join('=')];
      }),
    ),
    system_vendor: vendor,
    product_name: product,
    product_version: productVersion,
    bios_version: bios,
    dns: {
      nameservers: fields(lines('dns'), 'nameserver'),
      search: fields(lines('dns'), 'search'),
    },
    cgroup_version: lines('cgroup')[0] === 'cgroup2fs' ? 2 : 1,
    // Names of the probes that exceeded their time limit, so that their facts are empty.
    late_probes: late,
  };
}

function keyValues(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const [key = '', ...rest] = line.split('=');
      return [key, rest.join('=').replace(/^(["'])(.*)\1$/, '$2')] as const;
    }),
  );
}

const names: Record<string, [name: string, family: string]> = {
  debian: ['Debian', 'Debian'],
  ubuntu: ['Ubuntu', 'Debian'],
  rhel: ['RedHat', 'RedHat'],
  centos: ['CentOS', 'RedHat'],
  rocky: ['Rocky', 'RedHat'],
  almalinux: ['AlmaLinux', 'RedHat'],
  ol: ['OracleLinux', 'RedHat'],
  fedora: ['Fedora', 'RedHat'],
  amzn: ['Amazon', 'RedHat'],
  sles: ['SLES', 'Suse'],
  'opensuse-leap': ['openSUSE Leap', 'Suse'],
  alpine: ['Alpine', 'Alpine'],
  arch: ['Archlinux', 'Archlinux'],
};

function distribution(os: ReadonlyMap<string, string>): JsonObject {
  const id = os.get('ID') ?? '';
  const version = os.get('VERSION_ID') ?? '';
  const like = (os.get('ID_LIKE') ?? '').split(' ').map((one) => names[one]?.[1]);
  const [name, family] = names[id] ?? [os.get('NAME') ?? id, like.find(Boolean) ?? id];
  return {
    distribution: name,
    distribution_version: version,
    distribution_major_version: version.split('.')[0] ?? '',
    distribution_release: os.get('VERSION_CODENAME') ?? '',
    os_family: family,
  };
}

function sizes(lines: readonly string[]): Map<string, number> {
  return new Map(
    lines.flatMap((line): [string, number][] => {
      const [, key, kib] = /^(\w+):\s+(\d+)/.exec(line) ?? [];
      return key === undefined ? [] : [[key, Number(kib)]];
    }),
  );
}

function mebibytes(kib = 0): number {
  return Math.floor(kib / 1024);
}

function fields(lines: readonly string[], key: string): string[] {
  return lines
    .filter((line) => line.startsWith(`${key} `))
    .flatMap((line) => line.split(/\s+/).slice(1));
}

/** From `ip -o`: index, name, family, address/prefix. */
function network(lines: (name: string) => string[]): JsonObject {
  const devices: Record<
    string,
    { ipv4: JsonObject[]; ipv6: JsonObject[]; macaddress: string; mtu: number }
  > = {};
  const device = (name: string) =>
    (devices[name] ??= { ipv4: [], ipv6: [], macaddress: '', mtu: 0 });
  for (const line of lines('links')) {
    const [, name = '', rest = ''] = /^\d+: ([^:@\s]+)(?:@[^:]+)?: (.*)$/.exec(line) ?? [];
    if (name === '') continue;
    device(name).mtu = Number(/ mtu (\d+)/.exec(rest)?.[1] ?? 0);
    device(name).macaddress = /link\/ether ([0-9a-f:]+)/.exec(rest)?.[1] ?? '';
  }
  for (const line of lines('addresses')) {
    const [, name = '', family, address = '', prefix = ''] =
      /^\d+: (\S+)\s+(inet6?) ([0-9a-fA-F.:]+)(?:\/(\d+))?/.exec(line) ?? [];
    if (family === 'inet') device(name).ipv4.push({ address, prefix: Number(prefix || 32) });
    if (family === 'inet6') device(name).ipv6.push({ address, prefix: Number(prefix || 128) });
  }
  const all = (family: 'ipv4' | 'ipv6') =>
    Object.values(devices).flatMap((one) => one[family].map(({ address }) => address as JsonValue));
  const defaultOf = (family: 'ipv4' | 'ipv6', route: string | undefined): JsonObject => {
    const [, gateway = ''] = / via (\S+)/.exec(route ?? '') ?? [];
    const [, name = ''] = / dev (\S+)/.exec(route ?? '') ?? [];
    const first = devices[name]?.[family][0];
    return name === ''
      ? {}
      : { interface: name, gateway, ...first, macaddress: devices[name]?.macaddress ?? '' };
  };
  return {
    interfaces: Object.keys(devices),
    devices: devices,
    all_ipv4_addresses: all('ipv4').filter((address) => !String(address).startsWith('127.')),
    all_ipv6_addresses: all('ipv6').filter((address) => address !== '::1'),
    default_ipv4: defaultOf('ipv4', lines('route4')[0]),
    default_ipv6: defaultOf('ipv6', lines('route6')[0]),
  };
}

/** From `df -PkT`: device, type, size, used, available, capacity, mount point. */
function mounts(lines: readonly string[]): JsonObject[] {
  return lines.slice(1).flatMap((line) => {
    const [device = '', fstype = '', total, , available, , ...mount] = line.split(/\s+/);
    if (mount.length === 0) return [];
    return [
      {
        device,
        fstype,
        mount: mount.join(' '),
        size_total: Number(total) * 1024,
        size_available: Number(available) * 1024,
      },
    ];
  });
}

function serviceManager(init: string): string {
  return init === 'systemd' ? 'systemd' : init === 'init' ? 'sysvinit' : init;
}

const managers: Record<string, string> = { 'apt-get': 'apt' };

function packageManager(path: string): string {
  const name = path.split('/').at(-1) ?? '';
  return managers[name] ?? name;
}

function selinux(said: string | undefined): string {
  if (said === undefined || said.includes('/')) return 'missing';
  return said.toLowerCase() === 'disabled' ? 'disabled' : said.toLowerCase();
}
