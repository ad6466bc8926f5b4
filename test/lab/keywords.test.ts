import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const tasks = (text: string, keywords = '') =>
  `- name: Play\n  hosts: all\n${keywords}  tasks:\n${text.replace(/^/gm, '    ')}\n`;

/** Fails if another host runs it at the same time. All hosts share /run/cluster. */
const alone = 'mkdir /run/cluster/alone && sleep 0.1 && rmdir /run/cluster/alone';

describe('throttle', () => {
  it('limits how many hosts run a task and its undo at once', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- name: Alone
  throttle: 1
  shell: '${alone}'
  undo: [{ name: Alone again, shell: '${alone}' }]
- name: Fails
  fail: { msg: no }`),
      ['--limit', 'h1:h2:h3'],
    );
    expect(code, stdout).toBe(3);
    expect(stdout).not.toContain('undo-failed');
  });

  it('must be a positive number', async () => {
    const { code, stderr } = await bench.play(
      tasks('- { name: A, throttle: -1, debug: { msg: x } }'),
    );
    expect(stderr).toContain('"throttle" must be a number of hosts');
    expect(code).toBe(1);
  });
});

describe('any_errors_fatal', () => {
  const block = (fatal: boolean) =>
    tasks(`- name: Group
  any_errors_fatal: ${String(fatal)}
  block:
    - { name: Fails on one, fail: { msg: no }, when: inventory_hostname == "h1" }
    - { name: Continue, debug: { msg: x } }
  rescue:
    - { name: Rescue, assert: { that: ['failed.message == "no"'] } }`);

  it('runs the rescue of a block on every host when one host fails', async () => {
    const all = await bench.play(block(true));
    expect(all.code).toBe(0);
    expect(hostsIn(all.events, 'Rescue', 'ok')).toHaveLength(4);
    expect(hostsIn(all.events, 'Continue', 'ok')).toEqual([]);
    const one = await bench.play(block(false));
    expect(hostsIn(one.events, 'Rescue', 'ok')).toEqual(['h1']);
    expect(hostsIn(one.events, 'Continue', 'ok')).toHaveLength(3);
  });
});

describe('ignore_unreachable', () => {
  it('continues the play without an unreachable host, while ignore_errors does not', async () => {
    bench.lab.host('h4').server.setFault({ refuse: true });
    const text = (keyword: string) =>
      tasks(`- { name: Look, command: { cmd: 'true', read_only: true }, ${keyword}: true, register: look, throttle: 4 }
- { name: After, debug: { msg: x }, when: has(vars.look) && !failed(look) }`);
    const flags = ['--connect-timeout', '1'];
    const ignored = await bench.play(text('ignore_unreachable'), flags);
    expect(ignored.code, ignored.stdout).toBe(0);
    expect(hostsIn(ignored.events, 'After', 'ok').sort()).toEqual(['h1', 'h2', 'h3']);
    expect(hostsIn(ignored.events, 'After', 'skipped')).toEqual(['h4']);
    const strict = await bench.play(text('ignore_errors'), flags);
    expect(strict.code).toBe(2);
  });
});

describe('order', () => {
  it.each([
    ['inventory', ['h1', 'h2', 'h3', 'h4']],
    ['reverse_inventory', ['h4', 'h3', 'h2', 'h1']],
    ['reverse_sorted', ['h4', 'h3', 'h2', 'h1']],
  ])('%s sets the order of the hosts in the batches', async (order, hosts) => {
    const { events } = await bench.play(
      tasks('- { name: A, debug: { msg: x } }', `  serial: 1\n  order: ${order}\n`),
    );
    expect(hostsIn(events, 'A', 'ok')).toEqual(hosts);
  });
});

describe('loop_control', () => {
  it('runs items in parallel on one host, with results in the order of the items', async () => {
    // Each item waits for the other one.
    const { code, stdout, events } = await bench.play(
      tasks(`- name: Meet
  when: inventory_hostname == "h1"
  shell: 'touch /run/{{item}}; until test -e /run/a && test -e /run/b; do sleep 0.05; done'
  loop: [a, b]
  loop_control: { parallel: 2, index_var: place }
  register: met
  undo: none
- name: Check that the results are in the order of the items
  when: inventory_hostname == "h1"
  assert: { that: ['met.results.map(r, r.item) == ["a", "b"]'] }`),
    );
    expect(code, stdout).toBe(0);
    expect(hostsIn(events, 'Meet', 'changed')).toEqual(['h1', 'h1']);
  });

  it('numbers the items in index_var, and pauses between them', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- name: Count
  shell: 'echo {{place}} {{item}} >>/etc/count'
  loop: [a, b]
  loop_control: { index_var: place, pause: 0.1 }
  undo: none`),
    );
    expect(code, stdout).toBe(0);
    expect(bench.read('h2', 'etc/count')).toBe('0 a\n1 b\n');
  });

  it('requires a positive number for "parallel"', async () => {
    const { code, stderr } = await bench.play(
      tasks('- { name: A, debug: { msg: x }, loop: [a], loop_control: { parallel: 0 } }'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('"parallel" must be a number of items');
  });
});

describe('check_mode and diff on a task', () => {
  it('predicts a task with "check_mode: true" instead of running it', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- { name: Would, copy: { content: x, dest: /etc/would }, check_mode: true, register: would }
- { name: Told, assert: { that: ['changed(would)'] } }`),
    );
    expect(code, stdout).toBe(0);
    expect(bench.read('h1', 'etc/would')).toBeUndefined();
  });

  it('rejects "check_mode: false"', async () => {
    const { code, stderr } = await bench.play(
      tasks('- { name: A, debug: { msg: x }, check_mode: false }'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('"check_mode: false" would change hosts');
  });

  it('hides the diff of a task with "diff: false"', async () => {
    const text = (diff: boolean) =>
      tasks(
        `- { name: Write, copy: { content: hidden text, dest: /etc/hidden }, diff: ${String(diff)} }`,
      );
    const shown = await bench.play(text(true), ['--check', '--diff']);
    expect(shown.stdout).toContain('hidden text');
    const hidden = await bench.play(text(false), ['--check', '--diff']);
    expect(hidden.stdout).not.toContain('hidden text');
  });
});

describe('remote_user, port and connection', () => {
  const { stringify } = JSON;
  /** An inventory with one host that has only an address, a key and these variables. */
  const inventoryOf = (name: string, vars: object) =>
    bench.cli.file(
      `${name}.yml`,
      `all: { hosts: { ${name}: ${stringify({ ansible_host: bench.lab.host('h1').address, ansible_ssh_private_key_file: bench.lab.files.key, ...vars })} } }`,
    );
  const run = (text: string, inventory: string, ...extra: string[]) =>
    bench.cli.run([
      ...['play', bench.cli.file('login.yml', text), '-i', inventory, '--output', 'json'],
      ...extra,
    ]);
  const login = (who = '{{who}}') =>
    `  vars: { who: root, where: ${String(bench.lab.host('h1').port)} }\n  remote_user: '${who}'\n  port: '{{where}}'\n`;

  it('apply where the inventory sets nothing, in the play and in its rollback', async () => {
    const inventory = inventoryOf('bare', {});
    const text = tasks(
      `- { name: Write, copy: { content: x, dest: /etc/by-login } }
- name: Mark
  command: touch /etc/by-user
  become: true
  become_user: '{{who}}'
  undo: [{ name: Unmark, command: rm /etc/by-user, become: true, become_user: '{{who}}' }]
- { name: Fails, command: { argv: [test, -e, /etc/login-go-on], read_only: true } }`,
      login(),
    );
    const back = await run(text, inventory, '-u', 'nobody-such');
    expect(back.code, back.stdout + back.stderr).toBe(3);
    expect(bench.read('h1', 'etc/by-login')).toBeUndefined();
    const left = await run(text, inventory, '--on-failure', 'stop');
    expect(left.code, left.stdout).toBe(5);
    expect(bench.read('h1', 'etc/by-login')).toBe('x');
    const undone = await bench.cli.run(['rollback', '--output', 'json']);
    expect(undone.code, undone.stdout + undone.stderr).toBe(3);
    for (const path of ['etc/by-login', 'etc/by-user', 'var/lib/runner/lock'])
      expect(bench.read('h1', path)).toBeUndefined();
  });

  it('are overridden by the inventory', async () => {
    const { port } = bench.lab.host('h1');
    const inventory = inventoryOf('said', {
      ...{ ansible_user: 'root', ansible_port: port, ansible_connection: 'ssh' },
    });
    const text = tasks(
      `- { name: Where, command: { cmd: test -d /run/cluster, read_only: true } }`,
      '  remote_user: nobody-such\n  port: 1\n  connection: local\n',
    );
    const { code, stdout } = await run(text, inventory);
    expect(code, stdout).toBe(0);
  });

  it('"connection: local" runs the tasks on the controller, once per host', async () => {
    const inventory = bench.cli.file('two.yml', 'all: { hosts: { one: {}, two: {} } }');
    const directory = `${bench.cli.dir}/here`;
    const text = tasks(
      `- { name: Directory, file: { path: ${directory}, state: directory }, run_once: true }
- { name: Write, copy: { content: '{{inventory_hostname}}', dest: '${directory}/{{inventory_hostname}}' } }
- { name: Whole, command: { cmd: 'cat ${directory}/one ${directory}/two', read_only: true }, register: whole }
- { name: Check, assert: { that: [whole.stdout == "onetwo"] } }
- { name: Fails, fail: { msg: no } }`,
      '  connection: local\n',
    );
    const { code, stdout, events } = await run(text, inventory);
    expect(code, stdout).toBe(3);
    expect(hostsIn(events, 'Check', 'ok').sort()).toEqual(['one', 'two']);
    expect(existsSync(directory)).toBe(false);
  });

  const ping = (keywords: string) =>
    run(tasks('- { name: A, ping: {} }', keywords), inventoryOf('odd', {}));

  it.each([
    [
      'a port above 65535',
      "  vars: { p: '99999' }\n  port: '{{p}}'\n",
      'must be a number from 1 to 65535',
    ],
    [
      'a user name that starts with a dash',
      '  remote_user: "-oProxyCommand=x"\n',
      'is not a valid user name',
    ],
  ])('reject %s when the host is contacted', async (_, keywords, message) => {
    const { code, stdout } = await ping(keywords);
    expect([code, stdout]).toEqual([2, expect.stringContaining(message)]);
  });

  it.each([
    ['an unknown connection', '  connection: telepathy\n', '"connection"'],
    ['an undefined variable', "  remote_user: '{{nobody_said}}'\n", 'nobody_said'],
  ])('reject %s before the run', async (_, keywords, message) => {
    const { code, stderr } = await ping(keywords);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
