import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandRange } from '../../src/inventory/ini.ts';
import { loadInventory } from '../../src/inventory/load.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-inventory-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const file = (name: string, text: string): string => {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
};

const load = (name: string, text: string) => loadInventory(file(name, text));

describe('an INI inventory', () => {
  const text = `
# a comment
lonely ansible_port=2200
[web]
web[01:03] size=3 mode=0644 "note=two words" # the fleet
192.0.2.7:2222 ansible_user=ops

[db:vars]
engine = 'postgres # no comment'
replicas=2
fast=true
hosts=["a", "b"]

[db]
db-[a:b].example.com

[all:vars]
size=1
[site:children]
web
db
`;

  it('defines groups, children, ranges and variables', () => {
    const { hosts, groups } = load('hosts', text);
    expect([...groups.keys()].sort()).toEqual(['all', 'db', 'site', 'ungrouped', 'web']);
    expect(groups.get('web')).toEqual(['web01', 'web02', 'web03', '192.0.2.7']);
    expect(groups.get('site')).toHaveLength(6);
    expect(hosts.get('web02')?.vars).toEqual({ size: 3, mode: '0644', note: 'two words' });
    expect(hosts.get('lonely')).toMatchObject({ address: { port: 2200 }, vars: { size: 1 } });
    expect(hosts.get('192.0.2.7')?.address).toMatchObject({ port: 2222, user: 'ops' });
    expect(hosts.get('db-a.example.com')?.vars).toMatchObject({
      engine: 'postgres # no comment',
      replicas: 2,
      fast: true,
      hosts: ['a', 'b'],
    });
  });

  it.each([
    ['[web]\na b', '"b" is not NAME=VALUE.'],
    ['[web:vars]\nx', '"x" is not NAME=VALUE.'],
    ['[web:children]\nwbe\n[web]\nx', ':2:1: There is no group "wbe". Add a section [wbe]'],
    ['[wbe:vars]\na=1\n[web]\nx', ':1:1: There is no group "wbe".'],
    ['[web:kids]\nx', 'Unknown section suffix ":kids". Use ":children" or ":vars".'],
    ['[web]\nweb[3:1]', '"web[3:1]" has an invalid range'],
    ['[web]\nweb[1:99999999999999999999]', 'more than 100000 hosts.'],
    ['[web]\nweb[99999999999999999999:99999999999999999999]', 'has an invalid range'],
    ['[web]\nweb[0:999]-[0:999]', 'more than 100000 hosts.'],
    ['[a:children]\nb\n[b:children]\na\n[c]\nx', 'contains itself'],
    ['[a]\n', 'The inventory contains no hosts.'],
  ])('is rejected: %j', (wrong, message) => {
    expect(() => load('wrong.ini', wrong)).toThrow(message);
  });

  it('can have comments after sections, children and hosts', () => {
    const commented = '[a] # one\nx # two\n[b:children] # three\na # four\n';
    expect(load('commented', commented).groups.get('b')).toEqual(['x']);
  });

  it('can set the login user with a template', () => {
    const { hosts } = load('t.ini', '[a]\nx\n[a:vars]\nlogin=ops\nansible_user={{ login }}\n');
    expect(hosts.get('x')?.address.user).toBe('ops');
  });

  it('expands ranges with leading zeros, letters and steps', () => {
    expect(expandRange('n[08:11]x')).toEqual(['n08x', 'n09x', 'n10x', 'n11x']);
    expect(expandRange('[a:c]-[1:2]')).toEqual(['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2']);
    expect(expandRange('n[0:9:4]')).toEqual(['n0', 'n4', 'n8']);
    expect(expandRange('n[a:3]')).toBeUndefined();
  });
});

describe('variables of groups', () => {
  it('are read from group_vars and host_vars, and deeper groups override others', () => {
    file('vars/group_vars/all.yml', 'a: all\nb: all\n');
    file('vars/group_vars/web/one.yml', 'b: web\n');
    file('vars/group_vars/web/two.yaml', 'c: web\n');
    file('vars/host_vars/h1.yml', 'c: h1\n');
    const { hosts } = load(
      'vars/hosts.yml',
      'all: { children: { web: { hosts: { h1: , h2: } } } }',
    );
    expect(hosts.get('h1')?.vars).toEqual({ a: 'all', b: 'web', c: 'h1' });
    expect(hosts.get('h2')?.vars).toEqual({ a: 'all', b: 'web', c: 'web' });
  });

  it('are an error if two groups of the same depth set different values', () => {
    const text = (value: number) =>
      `{ web: { hosts: { h1: }, vars: { n: 1 } }, db: { hosts: { h1: }, vars: { n: ${String(value)} } } }`;
    expect(load('agree.yml', text(1)).hosts.get('h1')?.vars).toEqual({ n: 1 });
    expect(() => load('agree.yml', text(2))).toThrow(
      /Groups "web" and "db" set "n" of host "h1" to different values \(\S+agree\.yml:\d+:\d+ and \S+agree\.yml:\d+:\d+\)/,
    );
  });
});

/** Expected values as printed by `ansible-inventory --list` of Ansible 2.19. */
describe('the precedence of group variables is that of Ansible', () => {
  it('group_vars/all overrides groups in the inventory file, and subdirectories are read', () => {
    file('order/group_vars/all/10.yml', 'a: all\nb: all\n');
    file('order/group_vars/all/20.yaml', 'a: all 20\n');
    file('order/group_vars/web/main.yml', 'b: web\n');
    file('order/group_vars/web/deep/more.yml', 'c: deep\n');
    file('order/play/group_vars/all.yml', 'b: play all\nd: play all\n');
    file('order/play/group_vars/web.yml', 'b: play web\n');
    const path = file('order/hosts', '[web]\nh1 e=host\n[web:vars]\na=file\nd=file\ne=file\n');
    const { hosts } = loadInventory(path, { varsDirectories: [join(dir, 'order/play')] });
    const expected = { a: 'all 20', b: 'play web', c: 'deep', d: 'play all', e: 'host' };
    expect(hosts.get('h1')?.vars).toEqual(expected);
  });

  it('ansible_group_priority decides between groups of the same depth', () => {
    const text =
      'a: { hosts: { h: }, vars: { v: a, ansible_group_priority: 10 } }\nb: { hosts: { h: }, vars: { v: b } }\n';
    expect(load('priority.yml', text).hosts.get('h')?.vars).toMatchObject({ v: 'a' });
  });

  it.each([
    [
      'a: { hosts: { h: { v: own } }, vars: { v: a } }\nb: { hosts: { h: }, vars: { v: b } }',
      'own',
    ],
    [
      'a: { hosts: { h: }, vars: { v: a } }\nb: { hosts: { h: }, vars: { v: b }, children: { c: { hosts: { h: }, vars: { v: below } } } }',
      'below',
    ],
  ])('a host or deeper group settles a conflict of two groups: %s', (text, expected) => {
    expect(load('settled.yml', text).hosts.get('h')?.vars).toMatchObject({ v: expected });
  });

  it('only the directory is read if a file has the same name', () => {
    file('both/group_vars/web/one.yml', 'a: directory\n');
    file('both/group_vars/web.yml', 'a: file\n');
    const { hosts, notes = [] } = load('both/hosts', '[web]\nh1\n');
    expect(hosts.get('h1')?.vars).toEqual({ a: 'directory' });
    expect(notes.map(({ message }) => message)).toEqual([
      '"web.yml" is ignored because "web" exists.',
    ]);
  });
});

describe('the group ungrouped', () => {
  it.each([
    ['hosts', 'lonely\nh1\n[web]\nh1\n'],
    ['hosts.yml', 'all: { hosts: { lonely: , h1: } }\nweb: { hosts: { h1: } }'],
    ['hosts2.yml', 'ungrouped: { hosts: { lonely: , h1: } }\nweb: { hosts: { h1: } }'],
  ])('contains the hosts without another group: %s', (name, text) => {
    expect(load(`ungrouped/${name}`, text).groups.get('ungrouped')).toEqual(['lonely']);
  });
});

describe('an Ansible inventory', () => {
  it('can be a directory with subdirectories, in which the files that Ansible ignores are ignored', () => {
    file('many/01.ini', '[a]\nh1\n');
    file('many/sub/hosts', '[b]\nh2\n');
    file('many/group_vars/b.yml', 'x: 1\n');
    for (const name of ['ansible.cfg', 'README.md', 'notes.rst', 'old.bak', '.hidden'])
      file(`many/${name}`, 'not-a-host\n');
    const { hosts } = loadInventory(join(dir, 'many'));
    expect([...hosts.values()].map(({ name, vars }) => [name, vars])).toEqual([
      ['h1', {}],
      ['h2', { x: 1 }],
    ]);
  });

  it('reports values with another meaning in YAML 1.1, except connection variables', () => {
    file('older/group_vars/a.yml', 'mode: 0644\nbig: 1_000\nok: "yes"\nanother: 10\n');
    const { notes = [] } = load(
      'older/hosts.yml',
      'a: { hosts: { h: { ansible_become: yes, flag: yes, time: 1:30, n: No, m: off, k: ON } } }',
    );
    expect(notes.map(({ message }) => message.split('is 644: ')[1])).toEqual([
      '"flag: yes", "time: 1:30", "n: No", "m: off" and 1 more.',
      '"mode: 0644", "big: 1_000".',
    ]);
  });

  it('reports connection settings of an ansible.cfg next to it or in a parent directory', () => {
    const cfg =
      '[defaults]\nremote_user = ops\n# timeout = 3\nforks=5\n[privilege_escalation]\nbecome: True\n';
    const path = file('cfg/ansible.cfg', cfg);
    const expected = [
      {
        message: 'runner does not read ansible.cfg: "remote_user", "become" have no effect.',
        hint: 'Use ansible_user, ansible_become.',
        at: { file: path, line: 2, column: 1 },
      },
    ];
    expect(load('cfg/hosts.ini', '[a]\nh\n').notes).toEqual(expected);
    expect(load('cfg/inventory/hosts.ini', '[a]\nh\n').notes).toEqual(expected);
    expect(load('cfg/inventory/prod/hosts.ini', '[a]\nh\n').notes).toEqual(expected);
    expect(loadInventory(join(dir, 'cfg/inventory')).notes).toEqual(expected);
    expect(load('cfg/hosts.yaml', 'hosts: [{ address: a }]').notes).toEqual([]);
  });

  it('accepts a single name instead of a map of hosts or children', () => {
    const { groups } = load('name.yml', 'a: { hosts: h1 }\nb: { children: a }\n');
    expect(groups.get('b')).toEqual(['h1']);
  });

  it.each([
    ['cloud.yml', 'plugin: amazon.aws.aws_ec2\nregions: [eu-1]\n', /plugin "amazon\.aws\.aws_ec2"/],
    ['hosts.toml', '[web.hosts]\nh1 = {}\n', /in TOML are not supported/],
  ])('%s is rejected with the command that converts it', (name, text, message) => {
    expect(() => load(name, text)).toThrow(message);
    expect(() => load(name, text)).toThrow('Convert it: ansible-inventory -i ');
  });
});

describe('a cluster configuration as an inventory', () => {
  it.each([
    [
      'k0sctl',
      'apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec:\n  hosts:\n  - { role: controller+worker, ssh: { address: 192.0.2.1, user: root, keyPath: id } }\n  - { role: worker, installFlags: [--debug], openSSH: { address: w1 } }\n  - { role: worker, localhost: { enabled: true } }',
      { controllers: ['192.0.2.1'], workers: ['192.0.2.1', 'w1', 'localhost'] },
    ],
    [
      'launchpad',
      'apiVersion: launchpad.mirantis.com/mke/v1.5\nkind: mke\nspec:\n  hosts:\n  - { role: manager, ssh: { address: 192.0.2.1, port: 2222 } }\n  - { role: worker, ssh: { address: 192.0.2.2 } }',
      { managers: ['192.0.2.1'], workers: ['192.0.2.2'] },
    ],
    [
      'mke4',
      'apiVersion: mke.mirantis.com/v1alpha1\nkind: MkeConfig\nspec:\n  hosts:\n  - { role: controller+worker, ssh: { address: 192.0.2.1 } }\n  - { role: worker, ssh: { address: 192.0.2.2 } }',
      { controllers: ['192.0.2.1'], workers: ['192.0.2.1', '192.0.2.2'] },
    ],
  ])('of %s defines hosts and groups', (name, text, expected) => {
    const { groups, hosts } = load(`${name}.yaml`, text);
    expect(Object.fromEntries(groups)).toMatchObject(expected);
    if (name === 'launchpad') expect(hosts.get('192.0.2.1')?.address.port).toBe(2222);
    if (name !== 'k0sctl') return;
    expect(hosts.get('192.0.2.1')?.address).toMatchObject({
      user: 'root',
      keyPath: join(dir, 'id'),
    });
    expect(hosts.get('w1')?.address.transport).toBe('openssh');
    expect(hosts.get('w1')?.vars).toMatchObject({ installFlags: ['--debug'] });
    expect(hosts.get('localhost')?.address.transport).toBe('local');
  });

  it('is rejected without hosts', () => {
    const head = 'apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\n';
    expect(() => load('k.yaml', head)).toThrow('The file has no list "spec.hosts".');
    expect(() => load('k.yaml', `${head}spec: { hosts: [{ role: worker }] }`)).toThrow(
      'Host 1 of "spec.hosts" has no address.',
    );
  });
});

describe('an inventory program', () => {
  const program = (name: string, script: string): string => {
    const path = file(name, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('is run with --list', () => {
    const json =
      '{"web":{"hosts":["h1","h2"],"vars":{"a":1},"children":["old"]},"old":["h3"],"_meta":{"hostvars":{"h1":{"ansible_port":2200}}}}';
    const path = program('list', `[ "$1" = --list ] && echo '${json}'`);
    const { hosts, groups } = loadInventory(path);
    expect(groups.get('web')).toEqual(['h1', 'h2', 'h3']);
    expect(hosts.get('h1')).toMatchObject({ address: { port: 2200 }, vars: { a: 1 } });
  });

  it('is run with --host for each host if it prints no _meta', () => {
    const path = program(
      'each',
      `[ "$1" = --list ] && echo '{"web":["h1"],"db":{"hosts":["h1"]}}' || echo "{\\"asked\\":\\"$*\\"}"`,
    );
    expect(loadInventory(path).hosts.get('h1')?.vars).toEqual({ asked: '--host h1' });
  });

  it('fails with its standard error or its invalid output in the message', () => {
    expect(() => loadInventory(program('fails', 'echo no cloud today >&2; exit 3'))).toThrow(
      'no cloud today',
    );
    expect(() => loadInventory(program('text', 'echo hello'))).toThrow('did not print JSON: hello');
    expect(() => loadInventory(program('list2', 'echo []'))).toThrow(
      'did not print a map of groups',
    );
  });
});
