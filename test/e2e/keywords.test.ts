import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => {
  bench.forgetRuns();
});

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
