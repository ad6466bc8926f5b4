import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { describeProblem, PlaybookError } from '../../src/core/errors.ts';
import type { SourceObject } from '../../src/core/value.ts';
import type { Inventory } from '../../src/core/inventory.ts';
import { loadInventory } from '../../src/inventory/load.ts';

const cases = fileURLToPath(new URL('cases/', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'runner-cases-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const inCases = (name: string, environment: NodeJS.ProcessEnv = {}) =>
  loadInventory(join(cases, name), { environment });

const load = (text: string, environment: NodeJS.ProcessEnv = {}, name = 'hosts.yaml') => {
  const file = join(dir, name);
  writeFileSync(file, text);
  return loadInventory(file, { environment });
};

/** The notes of an inventory, without directories. */
const notesOf = ({ notes = [] }: Inventory) =>
  notes.map((note) => describeProblem(note).replaceAll(/\/\S*\//g, ''));

const groupsOf = ({ groups }: Inventory) => Object.fromEntries(groups);

const k0sctl = (host: string) =>
  `apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec:\n  hosts:\n  - ${host}\n`;

describe('a hosts file of another tool', () => {
  it('bare-list.yaml: reads a list of hosts at the top level', () => {
    const { hosts } = inCases('bare-list.yaml');
    expect([...hosts.keys()]).toEqual(['10.99.0.11', '10.99.0.12']);
    expect(hosts.get('10.99.0.11')?.address).toMatchObject({
      user: 'root',
      port: 22,
      keyPath: join(cases, 'id_ed25519'),
    });
  });

  it.each(['hosts-same.yaml', 'same-address.yaml'])(
    '%s: names hosts with the same address by address and port',
    (name) => {
      const inventory = inCases(name);
      const ports = [...inventory.hosts].map(([host, { address }]) => [host, address.port]);
      expect(ports).toEqual([
        ['127.0.0.1:9022', 9022],
        ['127.0.0.1:9023', 9023],
      ]);
      if (name !== 'same-address.yaml') return;
      expect(groupsOf(inventory)).toMatchObject({
        controllers: ['127.0.0.1:9022'],
        workers: ['127.0.0.1:9023'],
      });
    },
  );

  it('names hosts with the same address by "hostname" or "metadata", if given', () => {
    const host = (port: number, more: string) =>
      `{ role: worker, ssh: { address: 127.0.0.1, port: ${String(port)} }, ${more} }`;
    const text = `${k0sctl(host(1, 'hostname: one'))}  - ${host(2, 'metadata: { name: two }')}\n  - ${host(3, '')}\n`;
    expect([...load(text).hosts.keys()]).toEqual(['one', 'two', '127.0.0.1:3']);
    expect(() => load(`${k0sctl(host(1, ''))}  - ${host(1, '')}\n`)).toThrow(
      'hosts.yaml:6:5: Host "127.0.0.1:1" is listed twice.',
    );
  });

  it('launchpad.yaml: marks winRM hosts as unmanageable, has a group "msrs" and a local host', () => {
    const inventory = inCases('launchpad.yaml', { MKE_ADMIN_PASSWORD: 'secret' });
    const { hosts } = inventory;
    expect(hosts.get('10.99.0.13')?.address.unmanageable).toMatch(/WinRM/);
    expect(groupsOf(inventory)).toMatchObject({
      managers: ['10.99.0.11'],
      workers: ['10.99.0.13', 'localhost'],
      msrs: ['10.99.0.12'],
    });
    expect(hosts.get('localhost')?.address.transport).toBe('local');
    expect(hosts.get('10.99.0.11')?.vars).toMatchObject({
      private_interface: 'eth0',
      environment: { http_proxy: 'http://p.example' },
    });
    expect(JSON.stringify([...hosts.values()])).not.toContain('"password"');
    expect(notesOf(inventory)).toEqual([]);
  });

  it('launchpad.yaml: rejects an environment variable that is not set', () => {
    expect(() => inCases('launchpad.yaml')).toThrow(
      /launchpad\.yaml:19:44: The environment variable "MKE_ADMIN_PASSWORD" is not set\./,
    );
  });

  it.each([
    ['bastion-needed.yaml', '10.98.0.2'],
    ['launchpad-v14-bastion.yaml', '10.99.0.12'],
  ])('%s: uses the bastion as the jump host', (name, host) => {
    expect(inCases(name).hosts.get(host)?.address.jumps).toEqual([
      {
        name: '10.99.0.11',
        address: '10.99.0.11',
        port: 22,
        user: 'root',
        keyPath: join(cases, 'id_ed25519'),
      },
    ]);
  });

  it('launchpad-old.yaml: reads connection keys next to "role" and substitutes no variables', () => {
    const inventory = inCases('launchpad-old.yaml');
    const key = join(cases, 'id_rsa');
    expect(inventory.hosts.get('127.0.0.1:9022')?.address).toMatchObject({
      address: '127.0.0.1',
      port: 9022,
      user: 'launchpad',
      keyPath: key,
    });
    expect(inventory.hosts.get('127.0.0.1:9023')?.address).toMatchObject({
      port: 9023,
      user: 'root',
      keyPath: key,
    });
    expect(groupsOf(inventory)['msrs']).toEqual(['127.0.0.1:9023']);
    const old =
      'apiVersion: launchpad.mirantis.com/v1beta3\nspec: { hosts: [{ role: worker, address: 192.0.2.1 }] }';
    expect(load(old).hosts.get('192.0.2.1')?.address).toMatchObject({
      user: 'root',
      userByDefault: true,
    });
  });

  it('k0sctl.yaml: reads aliases, merge keys, openSSH, variables and "single", with one note for other keys', () => {
    const inventory = inCases('k0sctl.yaml', { WORKER_IP: '192.0.2.9' });
    const { hosts } = inventory;
    const jumps = [expect.objectContaining({ address: '10.99.0.11' })];
    expect(hosts.get('10.99.0.12')?.address).toMatchObject({ jumps });
    expect(hosts.get('192.0.2.9')?.address).toMatchObject({ user: 'root', jumps });
    expect(hosts.get('192.0.2.9')?.vars).toMatchObject({
      private_address: '192.168.0.9',
      hostname: 'other',
    });
    expect(hosts.get('h-open')?.address).toMatchObject({
      transport: 'openssh',
      keyPath: join(cases, 'id_ed25519'),
      sshArgs: ['-F', join(cases, 'sc')],
    });
    expect(groupsOf(inventory)).toMatchObject({
      controllers: ['10.99.0.12', 'h-open'],
      workers: ['10.99.0.12', 'h-open', 'localhost', '192.0.2.9'],
    });
    expect(notesOf(inventory)).toEqual([
      'k0sctl.yaml:16:82: "disableMultiplexing", "noTaints", "installFlags", "os", "reset" are only for k0sctl and ignored.',
    ]);
  });

  it('openssh.yaml: passes the configuration file and options to ssh', () => {
    const inventory = inCases('openssh.yaml');
    expect(inventory.hosts.get('node-one')?.address).toMatchObject({
      transport: 'openssh',
      sshArgs: [
        '-F',
        join(cases, 'ssh_config'),
        '-o',
        `UserKnownHostsFile=${join(cases, 'known_hosts')}`,
      ],
    });
    expect(notesOf(inventory)).toEqual([]);
  });

  it('openssh-defaults.yaml: reads openSSH without a user, and an expected host key', () => {
    const { hosts } = inCases('openssh-defaults.yaml');
    expect(hosts.get('10.99.0.11')?.address).toMatchObject({
      transport: 'openssh',
      user: undefined,
    });
    expect(hosts.get('10.99.0.12')?.address.hostKey).toBe('ssh-ed25519 AAAA...');
  });

  it('two-docs.yaml: reads the first inventory and reports other documents', () => {
    const inventory = inCases('two-docs.yaml');
    expect([...inventory.hosts.keys()]).toEqual(['10.99.0.11']);
    expect(notesOf(inventory)).toEqual([
      'two-docs.yaml:9:1: The document of kind "ClusterConfig" is ignored: a file can contain only one inventory.',
    ]);
    const other =
      'apiVersion: v1\nkind: Secret\n---\nhosts: [{ address: a }]\n---\nall: { hosts: { b: } }\n';
    const found = load(other);
    expect([...found.hosts.keys()]).toEqual(['a']);
    expect(notesOf(found)).toHaveLength(2);
    expect(() => load('apiVersion: v1\nkind: Secret\n')).toThrow('An inventory must be a map');
  });

  it.each(['mke4.yaml', 'mke4-controller-worker.yaml'])(
    '%s: adds a controller+worker to both groups',
    (name) => {
      const { controllers = [], workers = [] } = groupsOf(inCases(name));
      expect(workers).toEqual(expect.arrayContaining(controllers));
      expect(workers.length).toBe(controllers.length + 1);
    },
  );

  it('mke4.yaml: uses the bastion of the cluster for each host without its own', () => {
    const bastion = '{ address: 192.0.2.9, port: 22, user: ubuntu, keyPath: /k }';
    const inventory = load(`apiVersion: mke.mirantis.com/v1alpha1
kind: MkeConfig
spec:
  airgap: { enabled: true, bastion: ${bastion} }
  hosts:
  - { role: controller+worker, ssh: { address: a } }
  - { role: worker, ssh: { address: b, bastion: { address: c } } }
`);
    const jumps = [...inventory.hosts.values()].map(({ address }) => address.jumps);
    expect(jumps).toMatchObject([
      [{ address: '192.0.2.9', user: 'ubuntu', keyPath: '/k' }],
      [{ address: 'c' }],
    ]);
    expect(notesOf(inventory)).toEqual([]);
  });

  it('hosts.yaml of "mkectl node add": reads roles and ssh as in k0sctl', () => {
    const inventory = load(
      'hosts:\n- { role: controller+worker, ssh: { address: a } }\n- { role: worker, installFlags: [--profile=x], ssh: { address: b } }\n- { role: boss, address: c }\n',
    );
    expect(groupsOf(inventory)).toMatchObject({ controllers: ['a'], workers: ['a', 'b'] });
    expect(notesOf(inventory)).toEqual([
      expect.stringContaining('Unknown role "boss"'),
      expect.stringContaining('"installFlags" is only for mkectl'),
    ]);
  });

  it('hosts.yaml: uses a bastion next to the address as the jump host', () => {
    const { hosts } = load(
      'hosts:\n- { address: a, user: root, bastion: { address: b, port: 2200, user: jump } }\n- { address: c }\n',
    );
    expect(hosts.get('a')?.address.jumps).toMatchObject([
      { address: 'b', port: 2200, user: 'jump' },
    ]);
    expect(hosts.get('c')?.address.jumps).toBeUndefined();
  });

  it('reads a bastion of a bastion, and ssh options', () => {
    const text = k0sctl(
      '{ role: worker, ssh: { address: a, options: { Compression: true, Ciphers: aes256-ctr }, bastion: { address: b, bastion: { address: c, port: 2 } } } }',
    );
    expect(load(text).hosts.get('a')?.address).toMatchObject({
      transport: 'openssh',
      sshArgs: ['-o', 'Ciphers=aes256-ctr'],
      jumps: [{ address: 'b', user: 'root', jumps: [{ address: 'c', port: 2 }] }],
    });
  });

  it('derives groups from installFlags of k0sctl, which override the role', () => {
    const text = k0sctl(
      '{ role: controller, installFlags: [--enable-worker], ssh: { address: a } }',
    );
    expect(groupsOf(load(text))).toMatchObject({ controllers: ['a'], workers: ['a'] });
  });

  it('reads addresses in brackets', () => {
    const { hosts } = load('hosts:\n- address: "[2001:db8::1]"\n- address: "[192.0.2.1]:2200"\n');
    expect(
      [...hosts.values()].map(({ name, address }) => [name, address.address, address.port]),
    ).toEqual([
      ['2001:db8::1', '2001:db8::1', undefined],
      ['192.0.2.1', '192.0.2.1', 2200],
    ]);
  });

  it.each([
    ['{ role: boss, ssh: { address: a } }', /5:13: Unknown role "boss"/],
    ['{ role: worker, ssh: { address: a, prot: 1 } }', /5:40: Unknown key "prot" in "ssh"/],
    ['{ role: worker, sssh: {}, ssh: { address: a } }', /5:21: Unknown key "sssh" in a host/],
    [
      '{ role: worker, openSSH: { address: a, options: { StrictHostKeyChecking: no } } }',
      /The ssh option "StrictHostKeyChecking" is ignored\. Host keys are always checked/,
    ],
  ])('reports what it ignores: %s', (host, note) => {
    expect(notesOf(load(k0sctl(host))).join('\n')).toMatch(note);
  });

  it.each([
    ['{ role: worker, ssh: { address: a }, winRM: { address: a } }', 'A host can have only one of'],
    ['{ role: worker, ssh: { address: a, port: http } }', '"port" must be a number'],
    ['{ role: worker, ssh: { address: a, bastion: { user: b } } }', 'A bastion needs "address".'],
    ['{ role: worker, localhost: { enabled: false } }', 'has no address'],
    [
      '{ role: worker, openSSH: { address: a, options: { "a b": 1 } } }',
      '"a b" is not a valid name',
    ],
  ])('rejects %s', (host, message) => {
    expect(() => load(k0sctl(host))).toThrow(message);
  });
});

describe('environment variables in a hosts file', () => {
  const addressOf = (text: string, environment: NodeJS.ProcessEnv) =>
    [...load(k0sctl(`{ role: worker, ssh: { address: "${text}" } }`), environment).hosts.keys()][0];

  it.each([
    ['$A', 'x'],
    ['${A}', 'x'],
    ['n-${A}.example', 'n-x.example'],
    ['$$A', '$A'],
    ['${B:-y}', 'y'],
    ['${EMPTY:-y}', 'y'],
    ['${EMPTY-y}z', 'z'],
    ['${A:+other}', 'other'],
  ])('%s becomes %s', (text, expected) => {
    expect(addressOf(text, { A: 'x', EMPTY: '' })).toBe(expected);
  });

  it('become numbers, and all unset ones are reported', () => {
    const text = k0sctl('{ role: worker, ssh: { address: $A, port: $P, user: "${U!}" } }');
    const { hosts } = load(text.replace('${U!}', '$$'), { A: 'a', P: '2200' });
    expect(hosts.get('a')?.address).toMatchObject({ port: 2200, user: '$' });
    try {
      load(text);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof PlaybookError)) throw error;
      expect(error.problems.map(({ message, at }) => [message, at?.column])).toEqual([
        ['The environment variable "A" is not set.', 37],
        ['The environment variable "P" is not set.', 47],
        ['"${U!}" is not a valid substitution.', 57],
      ]);
    }
  });

  it('are substituted in hosts.yaml, but not in Ansible inventories', () => {
    expect([...load('hosts: [{ address: $A }]', { A: 'x' }).hosts.keys()]).toEqual(['x']);
    const { hosts } = load('all: { hosts: { h: { a: $A } } }', { A: 'x' });
    expect(hosts.get('h')?.vars).toEqual({ a: '$A' });
  });
});

describe('connection variables in an inventory', () => {
  it('can be templates with other variables of the inventory', () => {
    const { hosts } = load(
      `all:
  vars: { domain: example.com, ansible_host: '{{inventory_hostname}}.{{domain}}' }
  hosts: { a: , b: { ansible_host: '{{undefined_variable}}' } }
`,
    );
    expect(hosts.get('a')?.address.address).toBe('a.example.com');
    expect(hosts.get('b')?.address.unmanageable).toMatch(
      /its variable "ansible_host" cannot be rendered \(.*hosts\.yaml:3:22\): .*undefined_variable/,
    );
  });

  it('can be templates with inputs, and are overridden by the command line', () => {
    const file = join(dir, 'given.yaml');
    writeFileSync(
      file,
      'all: { hosts: { a: { ansible_user: "{{login}}", ansible_port: "{{ports.ssh}}" } } }',
    );
    const addressOf = (given: SourceObject, source = file) =>
      [...loadInventory(source, { given }).hosts.values()][0]?.address;
    const given = { login: 'ops', ports: { ssh: 2200 } };
    expect(addressOf(given)).toMatchObject({ user: 'ops', port: 2200 });
    expect(addressOf({ login: 'ops' })?.unmanageable).toContain(
      'its variable "ansible_port" cannot',
    );
    expect(addressOf({ ...given, ansible_user: 'other' })).toMatchObject({ user: 'other' });
    writeFileSync(file, k0sctl('{ role: worker, openSSH: { address: x, configPath: c } }'));
    const strongest = {
      ...{ ansible_user: 'u', ansible_host: '::1', ansible_port: '22' },
      ...{ ansible_ssh_common_args: '-J b', ansible_connection: 'ssh', other: 1 },
    };
    expect(addressOf(strongest)).toMatchObject({
      ...{ user: 'u', address: '::1', port: 22, transport: 'ssh' },
      sshArgs: ['-J', 'b', '-F', join(dir, 'c')],
    });
    expect(addressOf({ ansible_port: 23 })).toMatchObject({ transport: 'openssh', address: 'x' });
    writeFileSync(file, k0sctl('{ role: worker, ssh: { address: x } }'));
    expect(addressOf({ ansible_port: 23 })).toMatchObject({ userByDefault: true, user: 'root' });
    expect(addressOf({ ansible_user: 'u' })?.userByDefault).toBeUndefined();
    expect(addressOf({ ansible_user: 'u' }, 'h,')).toMatchObject({ user: 'u', address: 'h' });
  });

  it('that are not supported are reported once for a group, with file and line', () => {
    const inventory = load(
      `all:
  vars: { ansible_ssh_pipelining: true, ansible_remote_tmp: /x, ansible_shell_executable: /bin/zsh }
  hosts: { a: , b: }
`,
    );
    expect(notesOf(inventory)).toEqual([
      'hosts.yaml:2:65: "ansible_shell_executable" is not supported. Commands run in sh. Use "executable" of the module shell.',
      'hosts.yaml:2:11: "ansible_remote_tmp", "ansible_ssh_pipelining" have no effect in runner.',
    ]);
  });

  it('set passwords, which are kept apart from the addresses', () => {
    const text =
      'all: { hosts: { a: { ansible_password: "let me in", ansible_connection: openssh }, b: { ansible_become_pass: "sudo it" } } }';
    const inventory = load(text);
    expect([...(inventory.passwords?.hosts ?? [])]).toEqual([
      ['a', { login: 'let me in' }],
      ['b', { become: 'sudo it' }],
    ]);
    const addresses = [...inventory.hosts.values()].map(({ address }) => address);
    expect(JSON.stringify(addresses)).not.toMatch(/let me in|sudo it/);
    expect(notesOf(inventory).join()).toContain('The login password of "a" is not used');
    expect(() => load(text.replace('sudo it', 'x'))).toThrow('is too short to be masked');
  });
});

describe('an Ansible inventory with ports in host names', () => {
  it.each([
    ['hosts.ini', '[web]\n[2001:db8::1]:2222\n[192.0.2.1]:2200 a=1\nweb[1:2]:2201\n'],
    ['hosts', '[2001:db8::1]:2222\n[192.0.2.1]:2200 a=1\nweb[1:2]:2201\n'],
    [
      'hosts.yaml',
      'web: { hosts: { "[2001:db8::1]:2222": , "[192.0.2.1]:2200": { a: 1 }, "web[1:2]:2201": } }',
    ],
  ])('sets the port of each host: %s', (name, text) => {
    const { hosts } = load(text, {}, name);
    expect([...hosts.values()].map((one) => [one.name, one.address.port])).toEqual([
      ['2001:db8::1', 2222],
      ['192.0.2.1', 2200],
      ['web1', 2201],
      ['web2', 2201],
    ]);
  });

  it.each([
    ['web: { hosts: { h: text } }', 'Host "h" must be a map of variables.'],
    ['plugin: { aws_ec2: 1 }\nall: { hosts: { h: } }', 'Unknown key "aws_ec2" in group "plugin"'],
  ])('rejects %s', (text, message) => {
    expect(() => load(text)).toThrow(message);
  });

  it('rejects a host name with two ports', () => {
    const text = '[web]\n127.0.0.1:9022\n[db]\n127.0.0.1:9023\n';
    expect(() => load(text, {}, 'hosts.ini')).toThrow(
      /hosts\.ini:4:1: "127\.0\.0\.1" is listed with the ports 9022 and 9023\./,
    );
  });
});
