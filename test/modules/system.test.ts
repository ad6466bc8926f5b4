import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { escapeMount, filesBelow, mountedAt, unescapeMount } from '../../src/facts/system.ts';
import { cron } from '../../src/modules/cron.ts';
import { disk_space } from '../../src/modules/disk_space.ts';
import { find } from '../../src/modules/find.ts';
import { hostname } from '../../src/modules/hostname.ts';
import { mount } from '../../src/modules/mount.ts';
import { node_address } from '../../src/modules/node_address.ts';
import { restore_cron } from '../../src/modules/undo/restore_cron.ts';
import { script } from '../../src/modules/script.ts';
import { tempfile } from '../../src/modules/tempfile.ts';
import { fakeHost, absent, fileFact, testModule } from '../helpers/module-tester.ts';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');
const fileOf = (path: string, text: string | undefined) => ({
  [`file.content ${path}`]: text === undefined ? undefined : Buffer.from(text),
  [`file.state ${path}`]: text === undefined ? absent : fileFact({ checksum: sum(text) }),
});
const restored = (path: string, text: string) => ({
  module: 'restore_path',
  args: {
    path,
    state: 'file',
    mode: '0644',
    owner: 'root',
    group: 'root',
    copy: `/captured${path}`,
    checksum: sum(text),
  },
});

testModule(hostname, {
  settled: [
    {
      title: 'is its name',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'n1', ...fileOf('/etc/hostname', 'n1\n') },
    },
  ],
  changes: [
    {
      title: 'now and at boot, and back',
      args: { name: 'n1' },
      facts: { 'system.hostname': 'old', ...fileOf('/etc/hostname', 'old\n') },
      actions: ['write /etc/hostname', 'exec hostname n1'],
      restore: [{ module: 'hostname', args: { name: 'old' } }, restored('/etc/hostname', 'old\n')],
    },
  ],
  refused: [{ title: 'what is no name', args: { name: 'a b' }, code: 'SCHEMA' }],
});

const table = 'MAILTO=ops\n#Ansible: clean\n0 3 * * * /usr/bin/clean\n';
const jobs = (text: string | undefined) => ({ 'system.crontab root': text });
const clean = { name: 'clean', job: '/usr/bin/clean', minute: 0, hour: '3' };
const whose =
  'exec /bin/sh -c if [ "$(id -un)" = "$1" ]; then shift; else u=$1; shift; set -- -u "$u" "$@"; fi; exec crontab "$@" crontab root';

testModule(cron, {
  settled: [
    { title: 'is there', args: clean, facts: jobs(table) },
    { title: 'is not there', args: { name: 'other', state: 'absent' }, facts: jobs(table) },
    {
      title: 'there is no table',
      args: { name: 'clean', state: 'absent' },
      facts: jobs(undefined),
    },
    {
      title: 'a variable is there',
      args: { name: 'MAILTO', job: 'ops@a', env: true },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'a variable is not there',
      args: { name: 'PATH', env: true, state: 'absent' },
      facts: jobs(`MAILTO="ops@a"\n${table}`),
    },
    {
      title: 'is in a file',
      args: { ...clean, cron_file: 'ops', user: 'eva' },
      facts: fileOf('/etc/cron.d/ops', '#Ansible: clean\n0 3 * * * eva /usr/bin/clean\n'),
    },
  ],
  changes: [
    {
      title: 'is added to no table',
      args: clean,
      facts: jobs(undefined),
      actions: [`${whose} -`],
      restore: [
        { module: 'restore_cron', args: { user: 'root', name: 'clean', had_table: false } },
      ],
    },
    {
      title: 'gets another time',
      args: { name: 'clean', job: '/usr/bin/clean', special_time: 'daily' },
      facts: jobs(table),
      actions: [`${whose} -`],
      restore: [
        {
          module: 'restore_cron',
          args: { user: 'root', name: 'clean', had_table: true, line: '0 3 * * * /usr/bin/clean' },
        },
      ],
    },
    {
      title: 'a variable goes, and will come back where it was',
      args: { name: 'TZ', env: true, state: 'absent' },
      facts: jobs(`${table}TZ=x\n`),
      actions: [`${whose} -`],
      restore: [
        {
          module: 'restore_cron',
          args: {
            ...{ user: 'root', name: 'TZ', had_table: true },
            ...{ env: true, line: 'TZ=x', place: table.trimEnd().split('\n').length },
          },
        },
      ],
    },
    {
      title: 'the last one goes with the table',
      args: { name: 'clean', state: 'absent' },
      facts: jobs('#Ansible: clean\n0 3 * * * x\n'),
      actions: [`${whose} -r`],
    },
    {
      title: 'a file of its own',
      args: { ...clean, cron_file: 'ops' },
      facts: fileOf('/etc/cron.d/ops', undefined),
      actions: ['write /etc/cron.d/ops'],
      restore: [{ module: 'restore_path', args: { path: '/etc/cron.d/ops', state: 'absent' } }],
    },
  ],
  refused: [
    { title: 'a name of no variable', args: { name: 'a(', env: true }, code: 'TASK_FAILED' },
    { title: 'a time of a variable', args: { name: 'A', env: true, hour: 3 }, code: 'TASK_FAILED' },
    { title: 'no command', args: { name: 'clean' }, code: 'TASK_FAILED' },
    {
      title: 'a time and a special one',
      args: { ...clean, special_time: 'daily' },
      code: 'TASK_FAILED',
    },
    { title: 'a job of two lines', args: { name: 'a', job: 'b\nc' }, code: 'SCHEMA' },
  ],
});

testModule(restore_cron, {
  settled: [
    {
      title: 'as before',
      args: { user: 'root', name: 'clean', had_table: true, line: '0 3 * * * /usr/bin/clean' },
      facts: jobs(table),
    },
    {
      title: 'there was none, and is none',
      args: { user: 'root', name: 'clean', had_table: false },
      facts: jobs(undefined),
    },
  ],
  changes: [
    {
      title: 'the table that was made goes',
      args: { user: 'root', name: 'clean', had_table: false },
      facts: jobs('#Ansible: clean\n0 3 * * * x\n'),
      actions: [`${whose} -r`],
    },
    {
      title: 'the line of before',
      args: { user: 'root', name: 'clean', had_table: true, line: '1 1 * * * y' },
      facts: jobs(table),
      actions: [`${whose} -`],
    },
  ],
});

const data = { path: '/data', src: '/dev/sdb1', fstype: 'ext4' };
const entry = '/dev/sdb1 /data ext4 defaults 0 0\n';
const root = '# fixed\nUUID=1 / ext4 errors=remount-ro 0 1\n';
const mounted = {
  src: '/dev/sdb1',
  fstype: 'ext4',
  own: ['rw', 'relatime'],
  opts: ['rw', 'relatime'],
  isPart: false,
  elsewhere: [],
};
const bound = {
  ...mounted,
  src: '/dev/sda1',
  isPart: true,
  elsewhere: ['/srv/data'],
};
const place = (now: object | undefined, fstab: string) => ({
  'system.mount /data': now,
  'file.state /data': fileFact({ type: 'directory' }),
  ...fileOf('/etc/fstab', fstab),
});

testModule(mount, {
  settled: [
    {
      title: 'is mounted, and will be',
      args: { ...data, state: 'mounted' },
      facts: place(mounted, `${root}/dev/sdb1\t/data  ext4 defaults 0 0\n`),
    },
    {
      title: 'named by its label',
      args: { ...data, src: 'LABEL=data', state: 'mounted' },
      facts: place(mounted, `${root}LABEL=data /data ext4 defaults 0 0\n`),
    },
    {
      title: 'is neither',
      args: { path: '/data', state: 'absent' },
      facts: place(undefined, root),
    },
    {
      title: 'will be mounted at boot',
      args: { ...data, state: 'present' },
      facts: place(undefined, root + entry),
    },
    {
      title: 'is there for now',
      args: { ...data, state: 'ephemeral' },
      facts: place(mounted, root),
    },
  ],
  changes: [
    {
      title: 'mounts, now and at boot',
      args: { ...data, state: 'mounted' },
      facts: { ...place(undefined, root), 'file.state /data': absent },
      actions: ['write /etc/fstab', 'mkdir /data', 'exec mount -- /data'],
      restore: [
        { module: 'mount', args: { path: '/data', state: 'unmounted' } },
        restored('/etc/fstab', root),
        { module: 'restore_path', args: { path: '/data', state: 'absent' } },
      ],
    },
    {
      title: 'puts something else there, and back',
      args: { ...data, src: '/dev/sdc1', state: 'mounted' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec umount -- /data', 'exec mount -- /data'],
      restore: [
        { module: 'mount', args: { path: '/data', state: 'unmounted' } },
        {
          module: 'mount',
          args: { ...data, state: 'ephemeral', opts: 'rw,relatime' },
        },
        restored('/etc/fstab', root + entry),
      ],
    },
    {
      title: 'other options: once more',
      args: { ...data, opts: 'noatime', state: 'mounted' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec mount -o remount,noatime /data'],
    },
    {
      title: 'unmounts for good',
      args: { path: '/data', state: 'absent' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec umount /data'],
      restore: [
        { module: 'mount', args: { ...data, state: 'ephemeral', opts: 'rw,relatime' } },
        restored('/etc/fstab', root + entry),
      ],
    },
    {
      title: 'unmounts a part of a file system, and binds it again',
      args: { path: '/data', state: 'unmounted' },
      facts: place(bound, root),
      actions: ['exec umount /data'],
      restore: [
        {
          module: 'mount',
          args: {
            path: '/data',
            state: 'ephemeral',
            src: '/srv/data',
            fstype: 'none',
            opts: 'bind,rw,relatime',
          },
        },
      ],
    },
    {
      title: 'binds another folder',
      args: { path: '/data', src: '/srv/new', fstype: 'none', opts: 'bind', state: 'mounted' },
      facts: place(bound, root),
      actions: ['write /etc/fstab', 'exec umount -- /data', 'exec mount -- /data'],
    },
    {
      title: 'unmounts for now',
      args: { path: '/data', state: 'unmounted' },
      facts: place(mounted, root),
      actions: ['exec umount /data'],
    },
    {
      title: 'mounts for now, with options',
      args: { ...data, opts: 'ro', state: 'ephemeral' },
      facts: place(undefined, root),
      actions: ['exec mount -t ext4 -o ro -- /dev/sdb1 /data'],
      restore: [{ module: 'mount', args: { path: '/data', state: 'unmounted' } }],
    },
  ],
  refused: [
    { title: 'nothing to mount', args: { path: '/data', state: 'mounted' }, code: 'TASK_FAILED' },
    {
      title: 'a file in its place',
      args: { ...data, state: 'mounted' },
      facts: { ...place(undefined, root), 'file.state /data': fileFact({}) },
      code: 'TASK_FAILED',
    },
    {
      title: 'once more what is not there',
      args: { path: '/data', state: 'remounted' },
      facts: place(undefined, root),
      code: 'TASK_FAILED',
    },
  ],
});

describe('system.mount', () => {
  const parse = (line: string) => mountedAt.parse({ code: 0, stdout: line, stderr: '' }, '/data');

  it('reads what the kernel says, with and without optional fields; the last one counts', () => {
    const lines = [
      '20 1 8:17 / /srv rw shared:1 - ext4 /dev/sdb1 rw',
      '21 1 8:17 / /data rw,noexec shared:1 - ext4 /dev/sdb1 rw',
      '22 1 8:17 /logs/x /data rw,relatime - ext4 /dev/sdb1 rw,discard',
    ];
    expect(parse(`${lines.join('\n')}\n`)).toEqual({
      src: '/dev/sdb1',
      fstype: 'ext4',
      own: ['rw', 'relatime'],
      opts: ['rw', 'relatime', 'discard'],
      isPart: true,
      elsewhere: ['/srv/logs/x'],
    });
    expect(parse('20 1 0:44 / /data ro - tmpfs tmpfs ro,size=1k\n')).toMatchObject({
      src: 'tmpfs',
      isPart: false,
      elsewhere: [],
    });
    expect(parse('')).toBeUndefined();
  });

  it('writes blanks as fstab does', () => {
    expect(escapeMount('/a b\\c')).toBe('/a\\040b\\134c');
    expect(unescapeMount('/a\\040b\\134c')).toBe('/a b\\c');
  });
});

const found = (path: string, size: number, mtime: number, type = 'file') => ({
  path,
  type,
  mode: '0644',
  uid: 0,
  gid: 0,
  owner: 'root',
  group: 'root',
  size,
  mtime,
});
const logs = {
  files: [
    found('/var/log/b.log', 2048, 1000),
    found('/var/log/a.log', 10, 2000),
    found('/var/log/.hidden.log', 1, 1),
    found('/var/log/apt', 1, 1, 'directory'),
  ],
  skipped: [],
};
const look = { 'system.find ["/var/log"] 1 false ': logs, 'system.clock': 4000 };
const list = (...paths: string[]) => ({
  files: paths.map((path) => ({ path }) as never),
  matched: paths.length,
});

testModule(find, {
  settled: [
    {
      title: 'files, in order, nothing hidden',
      args: { paths: '/var/log' },
      facts: look,
      result: list('/var/log/a.log', '/var/log/b.log'),
    },
    {
      title: 'by name',
      args: { paths: ['/var/log'], patterns: ['*.log'], excludes: 'b*', hidden: true },
      facts: look,
      result: list('/var/log/.hidden.log', '/var/log/a.log'),
    },
    {
      title: 'by regular expression, kind, and how many',
      args: { paths: '/var/log', patterns: '^a', use_regex: true, file_type: 'any', limit: 1 },
      facts: look,
      result: list('/var/log/a.log'),
    },
    {
      title: 'old ones',
      args: { paths: '/var/log', age: '50m' },
      facts: look,
      result: list('/var/log/b.log'),
    },
    {
      title: 'young ones that are small',
      args: { paths: '/var/log', age: '-2000s', size: '-1k' },
      facts: look,
      result: list('/var/log/a.log'),
    },
    {
      title: 'large ones',
      args: { paths: '/var/log', size: '2k' },
      facts: look,
      result: list('/var/log/b.log'),
    },
  ],
  refused: [
    { title: 'a relative path', args: { paths: 'log' }, code: 'TASK_FAILED' },
    { title: 'no measure', args: { paths: '/a', size: '10 MB' }, code: 'SCHEMA' },
    {
      title: 'a broken expression',
      args: { paths: '/var/log', patterns: '(', use_regex: true },
      facts: look,
      code: 'TASK_FAILED',
    },
  ],
});

describe('system.find', () => {
  it('tells names with line breaks apart, and reports what it could not look into', () => {
    const record = (name: string) => `//regular file|644|0|0|root|root|1|2|${name}\n`;
    const { files, skipped } = filesBelow.parse(
      { code: 1, stdout: record('/a/x\ny') + record('/a/b|c'), stderr: 'find: /a/z: denied\n' },
      '["/a"]',
      '1',
      'false',
      '',
    );
    expect(files.map(({ path }) => path)).toEqual(['/a/x\ny', '/a/b|c']);
    expect(skipped).toEqual(['find: /a/z: denied']);
  });
});

testModule(script, {
  settled: [
    {
      title: 'what it creates is there',
      args: { cmd: 'setup.sh', creates: '/done' },
      files: { 'setup.sh': 'true' },
      facts: { 'file.state /done': fileFact({}) },
    },
  ],
  refused: [
    {
      title: 'what is no text',
      args: { cmd: 'setup.sh' },
      files: { 'setup.sh': 'a\u0000b' },
      code: 'TASK_FAILED',
    },
  ],
});

describe('script', () => {
  it('hands arguments over one by one, the script on standard input', async () => {
    const host = fakeHost({ files: { 'a.py': 'print(1)' } });
    const { actions } = await script.plan({ cmd: 'a.py "x y" z', executable: 'python3' }, host);
    expect(actions).toMatchObject([{ kind: 'exec', stdin: 'print(1)' }]);
    expect((actions[0] as { argv: string[] }).argv.slice(3)).toEqual([
      'a.py',
      'python3',
      'x y',
      'z',
    ]);
  });
});

testModule(tempfile, {
  acts: true,
  settled: [],
  refused: [{ title: 'a prefix with a slash', args: { prefix: '../x' }, code: 'SCHEMA' }],
});

describe('tempfile', () => {
  it('takes away in its undo what it made', async () => {
    const sight = fakeHost({});
    sight.host.fact = <T>() => Promise.resolve(absent as T);
    const { actions, result, undo } = await tempfile.plan(
      { state: 'directory', suffix: '.d' },
      sight,
    );
    const path = String(result?.['path']);
    expect(path).toMatch(/^\/tmp\/runner\.[0-9a-f]{16}\.d$/);
    expect(actions).toEqual([
      { kind: 'mkdir', path },
      { kind: 'chmod', path, mode: '0700' },
    ]);
    expect(undo?.calls).toEqual([{ module: 'restore_path', args: { path, state: 'absent' } }]);
  });
});

const answers = (own: string[], ofInterface?: string, towards?: string) => ({
  own: new Set(own),
  ofInterface,
  towards,
});

const disk = (place: string, device: string, mib: number, freeInodes?: number) => ({
  ...{ place, device, free: mib * 2 ** 20, freeInodes },
});
const writes = [
  { path: '/var/lib/k0s', mib: 2048, inodes: 100, for: 'images' },
  { path: '/var/lib/k0s/etcd', mib: 0.4, for: 'the database' },
  { path: '/var/lib/work', mib: 0, for: 'the snapshot' },
];
const onPaths = 'disk.filesystems /var/lib/k0s /var/lib/k0s/etcd /var/lib/work';

testModule(disk_space, {
  settled: [
    {
      title: 'room on each file system, also without a count of inodes',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 2048, 100), disk('/e', '2', 1), disk('/', '1', 2048, 100)],
      },
      result: {
        filesystems: [
          { path: '/', free_mib: 2048, needed_mib: 2048 },
          { path: '/e', free_mib: 1, needed_mib: 1 },
        ],
      },
    },
  ],
  refused: [
    {
      title: 'needs that fit one by one, but not together',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 2048, 100), disk('/', '1', 2048, 100), disk('/w', '2', 0)],
      },
      code: 'TASK_FAILED',
    },
    {
      title: 'too few inodes',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 4096, 99), disk('/', '1', 4096, 99), disk('/', '1', 4096, 99)],
      },
      code: 'TASK_FAILED',
    },
  ],
});

testModule(node_address, {
  settled: [
    {
      title: 'the address that the operator chose',
      args: { address: '10.0.0.5', candidates: ['192.0.2.5'], route_to: '10.0.0.1' },
      facts: { 'network.addresses  10.0.0.1 10.0.0.5': answers(['10.0.0.5']) },
      result: { address: '10.0.0.5', source: 'address' },
    },
    {
      title: 'the first address of the chosen interface',
      args: { interface: 'eth1', candidates: ['192.0.2.5'] },
      facts: { 'network.addresses eth1  192.0.2.5': answers(['192.0.2.5'], '10.0.0.5') },
      result: { address: '10.0.0.5', source: 'interface' },
    },
    {
      title: 'the first candidate on the host, before the route',
      args: { candidates: ['', '203.0.113.9', '10.0.0.5', '10.1.0.5'], route_to: '10.0.0.1' },
      facts: {
        'network.addresses  10.0.0.1 203.0.113.9 10.0.0.5 10.1.0.5': answers(
          ['10.0.0.5', '10.1.0.5'],
          undefined,
          '10.1.0.5',
        ),
      },
      result: { address: '10.0.0.5', source: 'candidate' },
    },
    {
      title: 'the route, when no candidate is on the host',
      args: { candidates: ['203.0.113.9'], route_to: '10.0.0.1' },
      facts: {
        'network.addresses  10.0.0.1 203.0.113.9': answers([], undefined, '10.0.0.5'),
      },
      result: { address: '10.0.0.5', source: 'route' },
    },
  ],
  refused: [
    {
      title: 'a chosen address that is not on the host',
      args: { address: '203.0.113.9' },
      facts: { 'network.addresses   203.0.113.9': answers([]) },
      code: 'TASK_FAILED',
    },
    {
      title: 'an interface without an address',
      args: { interface: 'eth9' },
      facts: { 'network.addresses eth9 ': answers([]) },
      code: 'TASK_FAILED',
    },
    {
      title: 'no address at all',
      args: { candidates: ['203.0.113.9'] },
      facts: { 'network.addresses   203.0.113.9': answers([]) },
      code: 'TASK_FAILED',
    },
    { title: 'a name in place of an address', args: { address: 'web1' }, code: 'TASK_FAILED' },
    {
      title: 'address and interface together',
      args: { address: '10.0.0.5', interface: 'eth0' },
      code: 'TASK_FAILED',
    },
  ],
});
