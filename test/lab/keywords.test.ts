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

/** All hosts see /run/cluster: only one of them can hold this at a time. */
const alone = 'mkdir /run/cluster/alone && sleep 0.1 && rmdir /run/cluster/alone';

describe('throttle', () => {
  it('limits the hosts of a step, and of its undo', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- name: Alone
  throttle: 1
  shell: '${alone}'
  undo: [{ name: Alone again, shell: '${alone}' }]
- name: Fails
  fail: { msg: no }`),
    );
    expect(code, stdout).toBe(3);
    expect(stdout).not.toContain('undo-failed');
  });

  it('is refused when it is no count', async () => {
    const { code, stderr } = await bench.play(
      tasks('- { name: A, throttle: -1, debug: { msg: x } }'),
    );
    expect(stderr).toContain('"throttle" must be a count of hosts');
    expect(code).toBe(1);
  });
});

describe('any_errors_fatal', () => {
  const block = (fatal: boolean) =>
    tasks(`- name: Group
  any_errors_fatal: ${String(fatal)}
  block:
    - { name: Fails on one, fail: { msg: no }, when: inventory_hostname == "h1" }
    - { name: Goes on, debug: { msg: x } }
  rescue:
    - { name: Rescue, assert: { that: ['failed.message == "no"'] } }`);

  it('lets every host run its rescue', async () => {
    const all = await bench.play(block(true));
    expect(all.code).toBe(0);
    expect(hostsIn(all.events, 'Rescue', 'ok')).toHaveLength(4);
    expect(hostsIn(all.events, 'Goes on', 'ok')).toEqual([]);
    const one = await bench.play(block(false));
    expect(hostsIn(one.events, 'Rescue', 'ok')).toEqual(['h1']);
    expect(hostsIn(one.events, 'Goes on', 'ok')).toHaveLength(3);
  });
});

describe('ignore_unreachable', () => {
  it('goes on without an answer; ignore_errors does not', async () => {
    const { server } = bench.lab.host('h4');
    server.setFault({ refuse: true });
    try {
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
    } finally {
      server.setFault({});
    }
  });
});

describe('order', () => {
  it.each([
    ['inventory', ['h1', 'h2', 'h3', 'h4']],
    ['reverse_inventory', ['h4', 'h3', 'h2', 'h1']],
    ['reverse_sorted', ['h4', 'h3', 'h2', 'h1']],
  ])('%s decides which hosts are in which batch', async (order, hosts) => {
    const { events } = await bench.play(
      tasks('- { name: A, debug: { msg: x } }', `  serial: 1\n  order: ${order}\n`),
    );
    expect(hostsIn(events, 'A', 'ok')).toEqual(hosts);
  });
});

describe('loop_control', () => {
  it('works on items side by side on one host', async () => {
    // Each item waits for the other one.
    const { code, stdout, events } = await bench.play(
      tasks(`- name: Meet
  when: inventory_hostname == "h1"
  shell: 'touch /run/{{item}}; for i in 1 2 3 4 5 6 7 8 9; do test -e /run/a && test -e /run/b && exit 0; sleep 0.2; done; exit 1'
  loop: [a, b]
  loop_control: { parallel: 2, index_var: place }
  register: met
  undo: none
- name: Results are in the order of the items
  when: inventory_hostname == "h1"
  assert: { that: ['met.results.map(r, r.item) == ["a", "b"]'] }`),
    );
    expect(code, stdout).toBe(0);
    expect(hostsIn(events, 'Meet', 'changed')).toEqual(['h1', 'h1']);
  });

  it('counts with index_var and pauses', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- name: Count
  shell: 'echo {{place}} {{item}} >>/etc/count'
  loop: [a, b]
  loop_control: { index_var: place, pause: 0.1 }
  undo: none`),
    );
    expect(code, stdout).toBe(0);
    expect(bench.read('h2', 'etc/count')).toBe('0 a\n1 b\n');
    const wrong = await bench.play(
      tasks('- { name: A, debug: { msg: x }, loop: [a], loop_control: { parallel: 0 } }'),
    );
    expect(wrong.stderr).toContain('"parallel" must be a count of items');
  });
});

describe('check_mode and diff of a task', () => {
  it('simulates a task in a real run', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- { name: Would, copy: { content: x, dest: /etc/would }, check_mode: true, register: would }
- { name: Told, assert: { that: ['changed(would)'] } }`),
    );
    expect(code, stdout).toBe(0);
    expect(bench.read('h1', 'etc/would')).toBeUndefined();
    const never = await bench.play(tasks('- { name: A, debug: { msg: x }, check_mode: false }'));
    expect(never.stderr).toContain('"check_mode: false" would change hosts');
  });

  it('hides the text of a file', async () => {
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
  /** The inventory names only what is given. */
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

  it('say how a host is reached whose inventory does not, and the way back is the same', async () => {
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

  it('yield to the inventory', async () => {
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

  it('connection: local works on the controller, for each host', async () => {
    const inventory = bench.cli.file('two.yml', 'all: { hosts: { one: {}, two: {} } }');
    const folder = `${bench.cli.dir}/here`;
    const text = tasks(
      `- { name: Folder, file: { path: ${folder}, state: directory }, run_once: true }
- { name: Write, copy: { content: '{{inventory_hostname}}', dest: '${folder}/{{inventory_hostname}}' } }
- { name: Whole, command: { cmd: 'cat ${folder}/one ${folder}/two', read_only: true }, register: whole }
- { name: Check, assert: { that: [whole.stdout == "onetwo"] } }
- { name: Fails, fail: { msg: no } }`,
      '  connection: local\n',
    );
    const { code, stdout, events } = await run(text, inventory);
    expect(code, stdout).toBe(3);
    expect(hostsIn(events, 'Check', 'ok').sort()).toEqual(['one', 'two']);
    expect(existsSync(folder)).toBe(false);
  });

  it('are told when they are nonsense', async () => {
    const inventory = inventoryOf('odd', {});
    const text = (keywords: string) => tasks('- { name: A, ping: {} }', keywords);
    const port = await run(text("  vars: { p: '99999' }\n  port: '{{p}}'\n"), inventory);
    expect(port.code).toBe(2);
    expect(port.stdout).toContain('not a number from 1 to 65535');
    const user = await run(text('  remote_user: "-oProxyCommand=x"\n'), inventory);
    expect(user.stdout).toContain('is no name of a user');
    const way = await run(text('  connection: telepathy\n'), inventory);
    expect([way.code, way.stderr]).toEqual([1, expect.stringContaining('"connection"')]);
    const unknown = await run(text("  remote_user: '{{nobody_said}}'\n"), inventory);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('nobody_said')]);
  });
});
