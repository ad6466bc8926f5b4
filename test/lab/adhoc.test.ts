import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Lab } from '../../src/lab/lab.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(3);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const run = (...words: string[]) => bench.cli.run(words);
const put = (path: string, text: string) => bench.cli.file(path, text);

describe('runner exec', () => {
  const exec = (hosts: string, flags: string[], ...command: string[]) =>
    run('exec', hosts, '-i', bench.inventory, ...flags, '--', ...command);

  it('passes the words after "--" to the command unchanged, on every host', async () => {
    const { code, stdout, stderr } = await exec('all', [], 'printf', '%s|', 'two words', '$HOME');
    expect(code, stderr).toBe(0);
    for (const name of ['h1', 'h2', 'h3'])
      expect(stdout).toContain(`${name}:\n  two words|$HOME|\n`);
  });

  it('runs the command in a shell with --shell, and reports the hosts where it failed', async () => {
    const command = 'uname -n; test "$(uname -n)" != h2';
    const { code, stdout, stderr } = await exec('h1:h2', ['--shell', '-o'], command);
    expect(code).toBe(2);
    expect(stdout.split('\n').sort().slice(1)).toEqual(['h1: h1', 'h2 (exit code 1): h2']);
    expect(stderr).toBe('Failed on h2.\n');
  });

  it('aborts a command that exceeds --timeout', async () => {
    const { code, stdout } = await exec('h1', ['--timeout', '1'], 'sleep', '30');
    expect(code).toBe(2);
    expect(stdout).toContain('h1 (error)');
  });

  it('reports an unreachable host and runs the command on the others', async () => {
    bench.lab.host('h2').server.setFault({ refuse: true });
    const { stdout, stderr } = await exec('all', ['--connect-timeout', '1'], 'uname', '-n');
    for (const name of ['h1', 'h3']) expect(stdout).toContain(`${name}:\n  ${name}\n`);
    expect(stdout).toContain('h2 (error):\n  Cannot connect to "h2"');
    expect(stderr).toBe('Failed on h2.\n');
  });

  it('ends if the host goes down while the command runs', async () => {
    // A separate lab, because a stopped lab cannot be restored.
    const lab = await Lab.start(['h1']);
    try {
      const { root, address, port } = lab.host('h1');
      const inventory = bench.cli.file(
        'down.yml',
        `all: { hosts: { h1: { ansible_host: ${address}, ansible_port: ${String(port)}, ansible_user: root, ansible_ssh_private_key_file: ${lab.files.key} } } }`,
      );
      const words = ['--timeout', '60', '--shell', '--', 'touch /run/started; sleep 600'];
      const running = bench.cli.run(['exec', 'h1', '-i', inventory, ...words], {
        env: { RUNNER_KNOWN_HOSTS: lab.files.knownHosts },
      });
      await eventually(() => existsSync(join(root.dir, 'run/started')));
      await lab.stop();
      const { code, stdout } = await running;
      expect(code, stdout).toBe(2);
      expect(stdout).toContain('h1 (error)');
      expect(stdout).not.toContain('60 s');
    } finally {
      await lab.stop();
    }
  });

  it('requires a command after "--" and a host in the inventory', async () => {
    const { stderr } = await run('exec', 'all', '-i', bench.inventory);
    expect(stderr).toContain('Put the command after "--"');
    const unknown = await exec('h9', [], 'true');
    expect(unknown.stderr).toContain('There is no host or group "h9"');
    expect(unknown.code).toBe(1);
  });
});

describe('runner hosts', () => {
  it('lists hosts, groups and variables of an inventory directory without connecting to hosts', async () => {
    const sites = join(bench.cli.dir, 'sites');
    put('sites/10-web.ini', '[web]\nw[1:2] ansible_user=eva\n[site:children]\nweb\n');
    put(
      'sites/20-db.yml',
      'db: { hosts: { d1: { ansible_port: 2200, size: 3 } } }\nsite: { children: { db: } }\n',
    );
    put('sites/group_vars/site.yml', 'zone: north\n');
    put('sites/README.md', 'no inventory');
    const plain = await run('hosts', '-i', sites);
    expect(plain.stdout, plain.stderr).toBe(
      'w1  eva@w1  [web, site]\nw2  eva@w2  [web, site]\nd1  d1:2200  [site, db]\n',
    );
    const some = await run('hosts', 'db', '-i', sites, '--vars');
    expect(some.stdout).toBe(
      'd1  d1:2200  [site, db]\n    ansible_port: 2200\n    size: 3\n    zone: "north"\n',
    );
    const graph = await run('hosts', '-i', sites, '--graph');
    expect(graph.stdout).toContain('site:\n  w1\n  w2\n  d1\n');
    const json = JSON.parse((await run('hosts', '-i', sites, '--json')).stdout) as {
      _meta: { hostvars: Record<string, unknown> };
      web: unknown;
    };
    expect(json.web).toEqual({ hosts: ['w1', 'w2'] });
    expect(json._meta.hostvars['d1']).toMatchObject({ ansible_port: 2200, zone: 'north' });
  });

  it('rejects a directory without an inventory', async () => {
    mkdirSync(join(bench.cli.dir, 'empty'));
    expect((await run('hosts', '-i', join(bench.cli.dir, 'empty'))).stderr).toContain(
      'no inventory in the directory',
    );
  });
});

describe('runner play', () => {
  const playbook = () => {
    put('site/group_vars/all.yml', 'zone: beside\n');
    return put(
      'site/site.yml',
      `- name: First
  hosts: h1:h2
  tasks:
    - { name: A, tags: [one, two], assert: { that: ['zone == wanted', 'extra.deep == 1'] } }
- name: Second
  hosts: made-later
  tags: three
  allow_empty: true
  tasks: [{ name: B, debug: { msg: x } }]
`,
    );
  };

  it('reads variables from group_vars next to the playbook, from files and from JSON', async () => {
    const file = bench.cli.file('extra.yml', 'extra: { deep: 1 }\nwanted: later\n');
    const flags = ['-i', bench.inventory, '-e', `@${file}`, '-e', '{"wanted": "beside"}'];
    const { code, stdout, stderr } = await run('play', playbook(), ...flags);
    expect(code, stdout + stderr).toBe(0);
  });

  it('rejects --extra-vars without a value and files that are not a map', async () => {
    const wrong = await run('play', playbook(), '-i', bench.inventory, '-e', 'wanted');
    expect(wrong.stderr).toContain('NAME=VALUE, NAME:=JSON, {JSON} or @FILE');
    const list = bench.cli.file('list.yml', '- a\n');
    const none = await run('play', playbook(), '-i', bench.inventory, '-e', `@${list}`);
    expect(none.stderr).toContain('is not a map of names and values');
  });

  it('starts at the step of --from, on the hosts in the file of --limit @FILE', async () => {
    const text = `
- name: P
  hosts: all
  tasks:
    - { name: First, copy: { content: x, dest: /etc/first } }
    - name: Block
      block:
        - { name: Second, copy: { content: x, dest: /etc/second } }
        - { name: Third, copy: { content: x, dest: /etc/third } }
    - { name: Kernel, debug: { msg: '{{ansible_facts.kernel}}' } }
`;
    bench.cli.file('only', '# hosts of this batch\nh2\n\n');
    const limit = `@${bench.cli.dir}/only`;
    const { code, events, stdout } = await bench.play(text, [
      '--from',
      'p/block/third',
      '-l',
      limit,
    ]);
    expect(code, stdout).toBe(0);
    expect(stepNames(events)).toEqual(['Gather facts', 'Third', 'Kernel']);
    expect(hostsIn(events, 'Third', 'changed')).toEqual(['h2']);
    const back = await bench.cli.run(['rollback', '--output', 'json']);
    expect(back.code, back.stdout).toBe(3);
  });

  it('suggests a step for an unknown --from, and rejects an unreadable file of --limit', async () => {
    const text = '- { name: P, hosts: all, tasks: [{ name: Third, debug: { msg: x } }] }\n';
    const unknown = await bench.play(text, ['--from', 'Thrid']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('"Third"');
    expect((await bench.play(text, ['-l', '@nowhere'])).stderr).toContain('cannot read');
  });

  it('prints hosts with --list-hosts and tags with --list-tags without connecting to hosts', async () => {
    const flags = ['-i', bench.inventory, '--limit', 'h2'];
    const hosts = await run('play', playbook(), ...flags, '--list-hosts');
    expect(hosts.stdout).toBe(
      'first (h1:h2): h2\nsecond (made-later): known only during the run\n',
    );
    const tags = await run('play', playbook(), '--list-tags');
    expect(tags.stdout).toBe('first: one, two\nsecond: three\n');
  });

  it('uses -u, --private-key and -b where inventory and playbook set nothing', async () => {
    const { address, port } = bench.lab.host('h1');
    const target = `${address}:${String(port)},`;
    const text = bench.cli.file(
      'who.yml',
      '- { name: P, hosts: all, tasks: [{ name: W, command: { cmd: id -un, read_only: true } }] }\n',
    );
    const login = ['-u', 'root', '--private-key', bench.lab.files.key];
    const { code, stdout, stderr } = await run('play', text, '-i', target, ...login, '-b', '-v');
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('root');
  });

  it('rejects an unknown --become-method', async () => {
    const { stderr } = await run('play', playbook(), '-i', 'h1,', '--become-method', 'magic');
    expect(stderr).toContain('Allowed choices are sudo, su, doas');
  });
});

describe('--debug', () => {
  it('writes the chosen topics to standard error, without secrets and without disturbing JSON output', async () => {
    const text = bench.cli.file(
      'debug.yml',
      `- name: P
  hosts: h1
  vars: { word: sesame-open }
  tasks:
    - { name: Hidden, command: { argv: [echo, quiet-word], read_only: true }, register: quiet, no_log: true }
    - { name: Plain, command: { argv: [echo, '{{word}}', loud-word], read_only: true }, register: loud }
`,
    );
    const { code, stdout, stderr } = await run(
      ...['play', text, '-i', bench.inventory, '--output', 'json'],
      ...['--debug', 'ssh, template', '--debug', 'vars,journal'],
    );
    expect(code, stderr).toBe(0);
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('v', 1);
    for (const said of [
      /^debug ssh [\d.]+: h1: connecting$/m,
      /^debug ssh [\d.]+: h1: connected, attempt 1, \d+ ms$/m,
      /^debug ssh [\d.]+: h1: does exec$/m,
      /^debug template [\d.]+: h1 p\/hidden: command \(hidden by no_log\)$/m,
      /^debug template [\d.]+: h1 p\/plain: command .*loud-word/m,
      /^debug vars [\d.]+: h1: quiet = \(hidden by no_log\)$/m,
      /^debug vars [\d.]+: h1: loud = .*loud-word/m,
      /^debug journal [\d.]+: \{"t":"learnt"/m,
    ])
      expect(stderr).toMatch(said);
    expect(stderr).not.toContain('quiet-word');
  });

  it('rejects an unknown topic', async () => {
    const { code, stderr } = await run('play', 'upgrade.yml', '--debug', 'shh');
    expect(code).toBe(1);
    expect(stderr).toContain('--debug must be one of ssh, template, vars, journal');
  });
});

describe('runner why', () => {
  it('lists every place that sets a variable, lowest precedence first, and marks the effective one', async () => {
    const inventory = put(
      'inv.yml',
      'all: { vars: { zone: all } }\nweb:\n  hosts: { w1: { zone: host }, w2: }\n  vars: { zone: web }\n',
    );
    put('host_vars/w1.yml', 'zone: file\n');
    put('roles/app/defaults/main.yml', 'zone: default\n');
    put('roles/app/vars/main.yml', 'zone: constant\n');
    put(
      'roles/app/tasks/main.yml',
      '- name: Use\n  debug: { msg: "{{zone}}" }\n  vars: { zone: task }\n',
    );
    const playbook = put(
      'why.yml',
      '- name: P\n  hosts: all\n  vars:\n    zone: play\n  roles: [app]\n  post_tasks:\n    - { name: Later, set_fact: { zone: late } }\n    - { name: Ask, command: { cmd: x, read_only: true }, register: answer }\n',
    );
    const why = async (...words: string[]) => {
      const { stdout, stderr, code } = await run('why', ...words, '-i', inventory);
      return {
        code,
        lines: (stdout + stderr).replaceAll(bench.cli.dir, '.').trimEnd().split('\n'),
      };
    };
    const plain = await why('zone', '--host', 'w2');
    expect(plain.lines.slice(1)).toEqual([
      '  group all  ./inv.yml:1:16  "all"',
      '  group web  ./inv.yml:4:11  "web"  <- in effect',
    ]);
    const step = await why('zone', playbook, '--at', 'Use');
    expect(step.lines.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'zone on w1, lowest precedence first (--extra-vars overrides all):',
      'role defaults app',
      'group all',
      'group web',
      'host',
      'host',
      'play P',
      'task Use',
      'role vars app',
      'Set during the run, and in effect from then on:',
      'set_fact of p/later',
    ]);
    expect(step.lines.find((line) => line.includes('<- in effect'))).toContain(
      './roles/app/vars/main.yml:1:1',
    );
    expect(step.lines.find((line) => line.includes('play P'))).toContain('./why.yml:4:5');
    expect((await why('answer', playbook)).lines.at(-1)).toContain(
      'register of p/ask  ./why.yml:8:7',
    );
    const nothing = await why('nowhere', playbook);
    expect(nothing).toEqual({ code: 1, lines: ['Nothing sets "nowhere" on w1.'] });
    expect((await why('zone', '--host', 'w9')).lines.join()).toContain('There is no host "w9"');
  });
});
