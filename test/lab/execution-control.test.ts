import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { itWith } from '../helpers/programs.ts';
import { inTerminal } from '../helpers/terminal.ts';

/* Keywords and options that decide which hosts run a task, in what order, and when a run ends early or prompts. */

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const tasks = (text: string, keywords = '') =>
  `- name: Play\n  hosts: all\n${keywords}  tasks:\n${text.trim().replaceAll(/^/gm, '    ')}\n`;
const ok = (events: readonly RunEvent[], task: string) => hostsIn(events, task, 'ok').sort();
const put = (path: string, text: string) => bench.cli.file(path, text);
/** Creates an empty file on some hosts. */
const touch = (path: string, ...names: string[]) => {
  for (const name of names) writeFileSync(join(bench.lab.host(name).root.dir, path), '');
};
const itInTerminal = itWith('script');

describe('strategy: free', () => {
  /** On h1, the first task waits for a file that the test creates with `release`. */
  const text = (more = '') =>
    tasks(
      `- name: First
  shell: { cmd: 'until test -e /run/cluster/release-h1; do sleep 0.05; done', read_only: true }
  when: inventory_hostname == "h1"
- name: Second
  copy: { content: x, dest: /run/free }
- name: Third
  throttle: 1
  shell: 'mkdir /run/cluster/free && sleep 0.1 && rmdir /run/cluster/free'
  undo: none
${more}`,
      '  strategy: free\n',
    );
  /** All hosts share /run/cluster. */
  const release = (name: string) => {
    writeFileSync(join(bench.lab.files.shared, name), '');
  };
  const others = ['h2', 'h3', 'h4'];

  it('lets hosts continue while another is still busy, and respects throttle', async () => {
    const busy = new Set(others);
    const { code, events, stdout } = await bench.play(text(), [], {
      onEvent(event) {
        if (event.type !== 'unit-end' || event.step.name !== 'Third') return;
        busy.delete(event.host);
        if (busy.size === 0) release('release-h1');
      },
    });
    expect(code, stdout).toBe(0);
    const ends = events.flatMap((event) => (event.type === 'unit-end' ? [event] : []));
    const at = (name: string, host: string) =>
      ends.findIndex((event) => event.step.name === name && event.host === host);
    for (const host of others) expect(at('Third', host)).toBeLessThan(at('First', 'h1'));
    expect(hostsIn(events, 'Third', 'changed').sort()).toEqual(['h1', 'h2', 'h3', 'h4']);
  });

  it('stops the other hosts when one fails, and rolls back every host', async () => {
    const { code, events, stdout } = await bench.play(
      text(`- { name: Fails, fail: { msg: no }, when: inventory_hostname == "h2" }
- { name: Late, debug: { msg: x } }`),
      [],
      {
        onEvent(event) {
          if (event.type === 'unit-end' && event.state === 'failed') release('release-h1');
        },
      },
    );
    expect(code, stdout).toBe(3);
    expect(ok(events, 'Late')).not.toContain('h1');
    for (const host of ['h1', 'h2', 'h3', 'h4'])
      expect(bench.read(host, 'run/free')).toBeUndefined();
  });

  it('resumes each host at its own first unfinished task', async () => {
    const broken = `- name: Fails once
  shell: until test -e /run/cluster/release-h3; do sleep 0.05; done; test ! -e /run/broken && touch /run/fixed
  undo: none`;
    touch('run/broken', 'h3');
    const busy = new Set(others);
    const stopped = await bench.play(text(broken), ['--on-failure', 'stop'], {
      onEvent(event) {
        if (event.type !== 'unit-end') return;
        if (event.step.name === 'Second') busy.delete(event.host);
        if (busy.size === 0) release('release-h3');
        if (event.state === 'failed') release('release-h1');
      },
    });
    expect(stopped.code, stopped.stdout).toBe(5);
    await bench.shell('h3', 'rm /run/broken');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    for (const host of others)
      expect(hostsIn(resumed.events, 'Second', 'changed')).not.toContain(host);
    expect(hostsIn(resumed.events, 'Fails once', 'changed')).toContain('h3');
    expect(bench.read('h1', 'run/free')).toBe('x');
  });

  it('rejects run_once, commit points and irreversible tasks', async () => {
    const { code, stderr } = await bench.play(
      tasks(
        `- { name: A, run_once: true, debug: { msg: x } }
- { commit: here }
- { name: B, irreversible: gone, shell: x }`,
        '  strategy: free\n',
      ),
    );
    expect(code).toBe(1);
    for (const what of ['"run_once"', 'A commit point', 'A point of no return'])
      expect(stderr).toContain(`${what} cannot be used in a play with "strategy: free".`);
  });
});

describe('meta', () => {
  it('end_host ends the play for one host without failing the host', async () => {
    const { code, events, stdout } = await bench.play(
      `${tasks(`- { name: Leave, meta: end_host, when: inventory_hostname == "h2" }
- { name: After, debug: { msg: x } }`)}- name: Next
  hosts: all
  tasks: [{ name: Again, debug: { msg: x } }]
`,
    );
    expect(code, stdout).toBe(0);
    expect(ok(events, 'After')).toEqual(['h1', 'h3', 'h4']);
    expect(ok(events, 'Again')).toHaveLength(4);
  });

  it('end_batch ends one batch of hosts, end_play also skips the remaining batches', async () => {
    const play = (action: string) =>
      bench.play(
        tasks(
          `- { name: Before, debug: { msg: x } }
- { meta: ${action}, when: 'inventory_hostname == "h1"' }
- { name: After, debug: { msg: x } }`,
          '  serial: 2\n',
        ),
      );
    const batch = await play('end_batch');
    expect(ok(batch.events, 'Before')).toHaveLength(4);
    expect(ok(batch.events, 'After')).toEqual(['h3', 'h4']);
    const whole = await play('end_play');
    expect(ok(whole.events, 'Before')).toEqual(['h1', 'h2']);
    expect(ok(whole.events, 'After')).toEqual([]);
  });

  it('end_role skips the rest of the role, and the play continues after the role', async () => {
    put(
      'roles/short/tasks/main.yml',
      `- { name: Begins, debug: { msg: x } }
- { meta: end_role, when: 'inventory_hostname != "h1"' }
- name: Inside
  block: [{ name: Rest, debug: { msg: x } }]
`,
    );
    const { code, events, stderr } = await bench.play(
      tasks('- { name: After, debug: { msg: x } }', '  roles: [short]\n'),
    );
    expect(code, stderr).toBe(0);
    expect(ok(events, 'Begins')).toHaveLength(4);
    expect(ok(events, 'Rest')).toEqual(['h1']);
    expect(ok(events, 'After')).toHaveLength(4);
  });

  it('clear_facts discards the facts, and reset_connection opens a new connection', async () => {
    const { code, stdout, events } = await bench.play(
      tasks(
        `- { name: One, shell: { cmd: 'echo $PPID', read_only: true }, register: one }
- { name: Again, meta: reset_connection }
- { name: Forget, meta: clear_facts }
- { name: Two, shell: { cmd: 'echo $PPID', read_only: true }, register: two }
- { name: Differ, assert: { that: ['one.stdout != two.stdout', '!has(vars.ansible_facts)'] } }`,
        '  gather_facts: true\n',
      ),
      ['--limit', 'h1:h2'],
    );
    expect(code, stdout).toBe(0);
    expect(ok(events, 'Differ')).toEqual(['h1', 'h2']);
  });

  it('rejects unknown and misplaced actions, and suggests the nearest name', async () => {
    const { stderr } = await bench.play(
      tasks('- { meta: clear_host_errors }\n- { meta: end_role }\n- { meta: end_hots }'),
    );
    expect(stderr).toContain('"meta: clear_host_errors" is not supported.');
    expect(stderr).toContain('"end_role" is not inside a role.');
    expect(stderr).toContain('Did you mean "end_host"?');
  });

  it('end_host is recorded: a resumed run does not evaluate its condition again', async () => {
    const text = tasks(
      `- { name: Ask, command: { cmd: cat /run/role, read_only: true }, register: role, ignore_errors: true }
- { name: Leave, meta: end_host, when: role.rc != 0 }
- { name: Breaks, shell: 'test -e /run/role2', undo: none }
- { name: After, debug: { msg: x } }`,
    );
    touch('run/role', 'h1', 'h2');
    const stopped = await bench.play(text, ['--on-failure', 'stop']);
    expect(stopped.code, stopped.stdout).toBe(5);
    touch('run/role', 'h3');
    touch('run/role2', 'h1', 'h2', 'h3');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(ok(resumed.events, 'After')).toEqual(['h1', 'h2']);
  });
});

describe('run_once', () => {
  it('"true" runs a task once in each batch and "play" once in the play, with the result on all hosts', async () => {
    const { code, events, stdout } = await bench.play(
      tasks(
        `- { name: Batch, run_once: true, command: { cmd: uname -n, read_only: true }, register: batch }
- { name: Play, run_once: play, command: { cmd: uname -n, read_only: true }, register: once }
- { name: Facts, run_once: play, set_fact: { chosen: '{{inventory_hostname}}' } }
- { name: Same, assert: { that: ['once.stdout == "h1"', 'chosen == "h1"', 'batch.stdout == play.batch[0]'] } }`,
        '  serial: 2\n',
      ),
    );
    expect(code, stdout).toBe(0);
    expect(ok(events, 'Batch')).toEqual(['h1', 'h3']);
    expect(ok(events, 'Play')).toEqual(['h1']);
    expect(ok(events, 'Same')).toHaveLength(4);
  });

  it('does not run a finished task again in a resumed run', async () => {
    const text = tasks(
      `- { name: Play, run_once: play, command: { cmd: uname -n, read_only: true }, register: once }
- { name: Breaks, shell: 'test -e /run/ready', undo: none }
- { name: Same, assert: { that: ['once.stdout == "h1"'] } }`,
      '  serial: 2\n',
    );
    touch('run/ready', 'h1', 'h2');
    const stopped = await bench.play(text, ['--on-failure', 'stop']);
    expect(stopped.code, stopped.stdout).toBe(5);
    touch('run/ready', 'h3', 'h4');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(ok(resumed.events, 'Play')).toEqual([]);
    expect(ok(resumed.events, 'Same').slice(-2)).toEqual(['h3', 'h4']);
  });
});

describe('loops', () => {
  const items = (events: readonly RunEvent[], task: string) =>
    events.flatMap((event) =>
      event.type === 'unit-end' && event.step.name === task && event.host === 'h1'
        ? [`${event.item ?? ''} ${event.state}`]
        : [],
    );

  it('continue after a failed item with "on_error: continue" and end there with "on_error: stop"', async () => {
    const play = (control: string) =>
      bench.play(
        tasks(`- name: Loop
  loop: [a, b, c]
  loop_control: ${control}
  fail: { msg: no }
  when: item != "a"
  ignore_errors: true
- name: Strict
  loop: [a, b, c]
  loop_control: ${control}
  fail: { msg: no }
  when: item != "a"`),
      );
    const goes = await play('{ on_error: continue }');
    expect(items(goes.events, 'Strict')).toEqual([' skipped', 'b failed', 'c failed']);
    const stops = await play('{ on_error: stop }');
    expect(items(stops.events, 'Strict')).toHaveLength(2);
    // An ignored failure does not end the loop.
    expect(items(stops.events, 'Loop')).toHaveLength(3);
  });

  it('end after the first item for which break_when is true', async () => {
    const { code, events, stdout } = await bench.play(
      tasks(`- name: Loop
  loop: [a, b, c, d]
  loop_control: { break_when: [result.stdout == "b"] }
  command: { cmd: 'echo {{item}}', read_only: true }
  register: found
- { name: Results, assert: { that: [size(found.results) == 2] } }`),
    );
    expect(code, stdout).toBe(0);
    expect(items(events, 'Loop')).toEqual(['a ok', 'b ok']);
  });
});

describe('arguments of modules', () => {
  it('default to module_defaults, and are left out if their value is "omit"', async () => {
    const { code, stdout } = await bench.play(
      tasks(
        `- { name: Filled, copy: { dest: /run/filled } }
- { name: Own, copy: { content: own, dest: /run/own, mode: '0640' } }
- { name: Omitted, copy: { content: x, dest: /run/omitted, mode: '{{default wanted omit}}' } }
- name: Inner
  module_defaults: { copy: { content: inner } }
  block: [{ name: Inside, copy: { dest: /run/inner } }]
- name: Look
  shell: { cmd: 'stat -c %a /run/filled /run/own /run/omitted /run/inner; cat /run/inner', read_only: true }
  register: look
- { name: Same, assert: { that: ['look.stdout == "600\\n640\\n644\\n600\\ninner"'] } }
- { name: List, assert: { that: ['size(given) == 1'] }, vars: { given: ['{{inventory_hostname}}'] } }`,
        "  vars: { wanted: '' }\n  module_defaults: { copy: { mode: '0600', content: play } }\n",
      ),
    );
    expect(code, stdout).toBe(0);
  });
});

describe('roles', () => {
  it('get inputs from the play or from another role, and keep their own variables private', async () => {
    put('roles/outer/meta/main.yml', 'inputs: { version: { type: string, required: true } }\n');
    put('roles/outer/vars/main.yml', 'fixed: outer\n');
    put(
      'roles/outer/tasks/main.yml',
      `- { name: In, include_role: { name: inner }, inputs: { version: '{{version}}-{{fixed}}' } }\n`,
    );
    put('roles/inner/meta/main.yml', 'inputs: { version: { type: string, required: true } }\n');
    put('roles/inner/defaults/main/one.yml', 'a: one\n');
    put('roles/inner/defaults/main/two.yml', 'b: two\n');
    put(
      'roles/inner/tasks/main.yml',
      `- { name: Seen, assert: { that: ['version == "2.0-outer"', 'a + b == "onetwo"', '!has(vars.fixed)'] } }\n`,
    );
    const { code, stdout, stderr } = await bench.play(
      tasks(
        `- { name: Private, assert: { that: ['!has(vars.fixed)'] } }`,
        "  vars: { base: '2.0' }\n  roles: [{ role: outer, inputs: { version: '{{base}}' } }]\n",
      ),
    );
    expect(code, stdout + stderr).toBe(0);
  });

  it('have constants that override variables of plays and tasks, but not --extra-vars', async () => {
    put('roles/fixed/vars/main.yml', 'fixed: role\n');
    put(
      'roles/fixed/tasks/main.yml',
      `- { name: Fixed, assert: { that: ['fixed == wanted'] }, vars: { fixed: task } }\n`,
    );
    const constant = tasks(
      '- { name: T, debug: { msg: x } }',
      '  vars: { fixed: play, wanted: role }\n  roles: [fixed]\n',
    );
    expect((await bench.play(constant)).code).toBe(0);
    const over = await bench.play(constant, ['-e', 'fixed=line', '-e', 'wanted=line']);
    expect(over.code, over.stdout).toBe(0);
  });
});

describe('dependencies of roles', () => {
  it('run before the role, once for each set of inputs', async () => {
    put('roles/base/meta/main.yml', 'inputs: { name: { type: string, default: plain } }\n');
    put('roles/base/tasks/main.yml', `- { name: 'Base', debug: { msg: '{{name}}' } }\n`);
    put('roles/one/meta/main.yml', 'dependencies: [base]\n');
    put('roles/one/tasks/main.yml', '- { name: One, debug: { msg: x } }\n');
    put(
      'roles/two/meta/main.yml',
      'dependencies: [one, { role: base }, { role: base, inputs: { name: other } }]\n',
    );
    put('roles/two/tasks/main.yml', '- { name: Two, debug: { msg: x } }\n');
    const { events, stderr } = await bench.play(
      tasks('- { name: T, debug: { msg: x } }', '  roles: [two, one]\n'),
    );
    expect(stepNames(events), stderr).toEqual(['Base', 'One', 'Base', 'Two', 'One', 'T']);
  });

  it('run each time include_role runs the role, even if a variable names the role', async () => {
    put('roles/base/tasks/main.yml', '- { name: Base, debug: { msg: x } }\n');
    put('roles/late/meta/main.yml', 'dependencies: [base]\n');
    // The plain-text token causes a warning, which does not stop the run.
    put('roles/late/vars/main.yml', 'token: abcdefgh\n');
    put('roles/late/tasks/main.yml', '- { name: Late, debug: { msg: x } }\n');
    const text = tasks(
      "- { name: In, include_role: '{{which}}' }\n- { name: Each, include_role: late, loop: [1, 2] }",
      '  vars: { which: late }\n',
    );
    const { code, events, stdout, stderr } = await bench.play(text, ['--limit', 'h1']);
    expect(code, stdout + stderr).toBe(0);
    const ran = stepNames(events).filter((name) => name === 'Base' || name === 'Late');
    expect(ran).toEqual(['Base', 'Late', 'Base', 'Late', 'Base', 'Late']);
  });

  it('must not form a cycle', async () => {
    put('roles/a/meta/main.yml', 'dependencies: [b]\n');
    put('roles/a/tasks/main.yml', '- { name: A, debug: { msg: x } }\n');
    put('roles/b/meta/main.yml', 'dependencies: [a]\n');
    put('roles/b/tasks/main.yml', '- { name: B, debug: { msg: x } }\n');
    const { code, stderr } = await bench.play(
      tasks('- { name: T, debug: { msg: x } }', '  roles: [a]\n'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('depends on itself: b → a → b');
  });
});

describe('delegate_facts', () => {
  it('stores facts on the host to which the task is delegated', async () => {
    const { code, stdout } = await bench.play(
      tasks(
        `- { name: Ask, delegate_to: h2, delegate_facts: true, setup: {}, when: inventory_hostname == "h1" }
- { name: Set, delegate_to: h3, delegate_facts: true, set_fact: { from: '{{inventory_hostname}}' }, when: inventory_hostname == "h1" }
- name: Seen
  assert:
    that:
      - has(vars.ansible_facts) == (inventory_hostname == "h2")
      - has(vars.from) == (inventory_hostname == "h3")`,
        '  gather_facts: false\n',
      ),
    );
    expect(code, stdout).toBe(0);
  });
});

describe('async', () => {
  it('waits for the result of the task', async () => {
    const { code, stdout } = await bench.play(
      tasks(`- { name: Long, async: 30, poll: 2, shell: 'sleep 0.2; echo done', undo: none, register: long }
- { name: Done, assert: { that: ['long.stdout == "done"'] } }`),
    );
    expect(code, stdout).toBe(0);
  });

  it('rejects "poll: 0"', async () => {
    const { code, stderr } = await bench.play(tasks('- { name: L, async: 30, poll: 0, shell: x }'));
    expect(code).toBe(1);
    expect(stderr).toContain('"poll: 0" is not supported');
  });
});

describe('add_host', () => {
  it('adds a host that a rollback and a resumed run know', async () => {
    const { address, port } = bench.lab.host('h2');
    const inventory = bench.cli.file(
      'one.yml',
      `all: { hosts: { h1: { ansible_host: ${bench.lab.host('h1').address}, ansible_port: ${String(bench.lab.host('h1').port)}, ansible_user: root, ansible_ssh_private_key_file: ${bench.lab.files.key} } } }`,
    );
    const playbook = bench.cli.file(
      'add.yml',
      `
- name: Find
  hosts: h1
  tasks:
    - name: Add
      add_host:
        name: late
        groups: found
        ansible_host: ${address}
        ansible_port: ${String(port)}
        ansible_user: root
        ansible_ssh_private_key_file: ${bench.lab.files.key}
- name: Everywhere
  hosts: all
  tasks:
    - { name: Write, copy: { content: x, dest: /etc/late } }
    - { name: Fails at first, command: { argv: [test, -e, /etc/go-on], read_only: true }, when: inventory_hostname == "late" }
`,
    );
    const play = (...extra: string[]) =>
      bench.cli.run(['play', playbook, '-i', inventory, '--output', 'json', ...extra]);
    const back = await play();
    expect(back.code, back.stdout).toBe(3);
    expect(bench.read('h2', 'etc/late')).toBeUndefined();
    const stopped = await play('--on-failure', 'stop');
    expect(stopped.code).toBe(5);
    expect(bench.read('h2', 'etc/late')).toBe('x');
    touch('etc/go-on', 'h2');
    const resumed = await bench.cli.run(['resume', '--output', 'json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(hostsIn(resumed.events, 'Fails at first', 'ok')).toEqual(['late']);
    const undone = await bench.cli.run(['rollback', '--output', 'json']);
    expect(undone.code, undone.stdout).toBe(3);
    expect(bench.read('h2', 'etc/late')).toBeUndefined();
    expect(bench.read('h2', 'var/lib/runner/lock')).toBeUndefined();
  });
});

describe('pause with a prompt', () => {
  const text = tasks(`- { name: Ask, pause: { prompt: 'Which release?' }, register: answer }
- { name: Secret, pause: { prompt: 'Which word?', echo: false }, register: word }
- { name: Tell, debug: { msg: 'release {{answer.user_input}}, word {{word.user_input}}' } }
- { name: Keep, copy: { content: '{{answer.user_input}}/{{word.user_input}}', dest: /etc/answer } }`);

  itInTerminal('prompts once for all hosts, and hides the answer with "echo: false"', async () => {
    const playbook = bench.cli.file('ask.yml', text);
    const { code, screen } = await inTerminal(
      bench,
      ['play', playbook, '-i', bench.inventory, '--limit', 'h1:h2'],
      [
        ['Which release?', '1.2\r'],
        ['Which word?', 'sesame-open\r'],
      ],
    );
    expect(code, screen).toBe(0);
    expect(screen.match(/release 1\.2, word/g)).toHaveLength(2);
    expect(screen).not.toContain('sesame-open');
    for (const name of ['h1', 'h2']) expect(bench.read(name, 'etc/answer')).toBe('1.2/sesame-open');
    const undone = await bench.cli.run(['rollback', '--output', 'json']);
    expect(undone.code, undone.stdout + undone.stderr).toBe(3);
    expect(bench.read('h1', 'etc/answer')).toBeUndefined();
  });

  itInTerminal(
    'keeps secret answers out of the journal; resume reads them from the environment',
    async () => {
      const playbook = bench.cli.file(
        'later.yml',
        tasks(`- { name: Ask, pause: { prompt: '{{item}}?', echo: false }, loop: [one, two], register: words }
- { name: Mark, copy: { content: x, dest: /etc/answer-mark } }
- { name: Fails, command: { argv: [test, -e, /etc/answer-go-on], read_only: true } }
- { name: Keep, copy: { content: '{{words.results.[0].user_input}}/{{words.results.[1].user_input}}', dest: /etc/words } }`),
      );
      const { code, screen } = await inTerminal(
        bench,
        ['play', playbook, '-i', bench.inventory, '--limit', 'h1', '--on-failure', 'stop'],
        [
          ['one?', 'first-word\r'],
          ['two?', 'second-word\r'],
        ],
      );
      expect(code, screen).toBe(5);
      const runs = join(bench.cli.stateDir, 'runs');
      const [run = ''] = readdirSync(runs);
      expect(readFileSync(join(runs, run, 'journal'), 'utf8')).not.toMatch(/(first|second)-word/);
      touch('etc/answer-go-on', 'h1');
      const resumed = await bench.cli.run(['resume', run], {
        env: { PAUSE_ANSWER_1_1_1: 'first-word', PAUSE_ANSWER_1_1_2: 'second-word' },
      });
      expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
      expect(bench.read('h1', 'etc/words')).toBe('first-word/second-word');
    },
  );

  itInTerminal('offers a rollback when the operator presses Ctrl-C at the prompt', async () => {
    const playbook = bench.cli.file(
      'changed.yml',
      tasks(`- { name: Mark, copy: { content: x, dest: /etc/asked-mark } }
- { name: Ask, pause: { prompt: 'Continue?' } }`),
    );
    const { code, screen } = await inTerminal(
      bench,
      ['play', playbook, '-i', bench.inventory, '--limit', 'h1'],
      [
        ['Continue?', '\u0003'],
        ['What do you want to do?', '\u001b[B\r'],
      ],
    );
    expect(code, screen).toBe(3);
    expect(bench.read('h1', 'etc/asked-mark')).toBeUndefined();
  });

  itInTerminal('ends the run as interrupted on Ctrl-C at a prompt before any change', async () => {
    const { code, screen } = await inTerminal(
      bench,
      ['play', bench.cli.file('ask.yml', text), '-i', bench.inventory],
      [['Which release?', '\u0003']],
    );
    expect(code, screen).toBe(130);
    expect(screen).toContain('Interrupted. Nothing was changed.');
  });

  it('fails without a terminal', async () => {
    const { code, stdout } = await bench.play(text);
    expect(code).toBe(2);
    expect(stdout).toContain('Cannot prompt for input: Which release?');
  });

  it('has an unknown result in check mode', async () => {
    const { code, events, stdout } = await bench.play(text, ['--check']);
    expect(code, stdout).toBe(0);
    for (const step of ['Ask', 'Tell', 'Keep'])
      expect(hostsIn(events, step, 'unknown')).toHaveLength(4);
  });
});

describe('pause', () => {
  it('ends at the second Ctrl-C, and the run as interrupted', async () => {
    let interrupts = 0;
    const { code, stdout, stderr } = await bench.spawn(
      tasks(`- { name: Mark, copy: { content: x, dest: /etc/pause-mark } }
- { name: Wait, pause: { seconds: 60 } }`),
      ['--on-interrupt', 'leave', '--limit', 'h1'],
      {
        onEvent(event, child) {
          const waits = event.type === 'step-start' && event.step.name === 'Wait';
          const answersInterrupt = event.type === 'message' && interrupts === 1;
          if (waits || answersInterrupt) interrupts += Number(child.kill('SIGINT'));
        },
      },
    );
    expect(code, stdout + stderr).toBe(130);
    expect(stderr).not.toContain('internal error');
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/pause-mark')).toBeUndefined();
  });
});

describe('--step', () => {
  const down = '\u001b[B';
  const text = tasks(`- { name: One, copy: { content: x, dest: /etc/step-one } }
- { name: Two, copy: { content: x, dest: /etc/step-two } }
- { name: Three, copy: { content: x, dest: /etc/step-three } }
- { name: Four, copy: { content: x, dest: /etc/step-four } }`);
  const play = (keys: [string, string][]) =>
    inTerminal(
      bench,
      ['play', bench.cli.file('step.yml', text), '-i', bench.inventory, '--limit', 'h1', '--step'],
      keys,
    );
  const made = () =>
    ['one', 'two', 'three', 'four'].filter((one) => bench.read('h1', `etc/step-${one}`) === 'x');

  itInTerminal(
    'asks before each task whether to run it, to skip it or to run all that follow',
    async () => {
      const { code, screen } = await play([
        ['Play: One, on h1?', '\r'],
        ['Play: Two, on h1?', `${down}\r`],
        ['Play: Three, on h1?', `${down}${down}\r`],
      ]);
      expect(code, screen).toBe(0);
      expect(screen).not.toContain('Play: Four');
      expect(made()).toEqual(['one', 'three', 'four']);
      expect((await bench.cli.run(['rollback'])).code).toBe(3);
      expect(made()).toEqual([]);
    },
  );

  itInTerminal('ends the run before a task on Ctrl-C, and resume continues there', async () => {
    const { code, screen } = await play([
      ['Play: One, on h1?', '\r'],
      ['Play: Two, on h1?', '\u0003'],
      ['What do you want to do?', `${down}${down}\r`],
    ]);
    expect(code, screen).toBe(130);
    expect(made()).toEqual(['one']);
    const resumed = await bench.cli.run(['resume']);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect(made()).toEqual(['one', 'two', 'three', 'four']);
  });

  it('requires a terminal', async () => {
    const { code, stderr } = await bench.play(text, ['--step']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('requires a terminal') as string]);
  });
});

describe('keywords of Ansible that runner does not have', () => {
  it('are rejected with the keyword to use instead', async () => {
    const { code, stderr } = await bench.play(
      tasks(
        '- { name: T, debug: { msg: x } }',
        '  force_handlers: true\n  max_fail_percentage: 10\n  vars_prompt: []\n',
      ),
    );
    expect(code).toBe(1);
    for (const words of ['runs pending handlers', 'Use "max_failures"', 'Declare "inputs"'])
      expect(stderr).toContain(words);
  });
});

describe('tags', () => {
  it('`--tags` selects by name, `all`, `tagged` and `untagged`, and respects `always` and `never`', async () => {
    const text = tasks(`- { name: Plain, debug: { msg: x } }
- { name: One, tags: one, debug: { msg: x } }
- { name: Always, tags: always, debug: { msg: x } }
- { name: Never, tags: [never, rare], debug: { msg: x } }`);
    const ran = async (...flags: string[]) =>
      stepNames((await bench.play(text, ['--limit', 'h1', ...flags])).events);
    expect(await ran()).toEqual(['Plain', 'One', 'Always']);
    expect(await ran('--tags', 'one')).toEqual(['One', 'Always']);
    expect(await ran('--tags', 'all')).toEqual(['Plain', 'One', 'Always']);
    expect(await ran('--tags', 'tagged')).toEqual(['One', 'Always']);
    expect(await ran('--tags', 'untagged')).toEqual(['Plain', 'Always']);
    expect(await ran('--skip-tags', 'tagged')).toEqual(['Plain', 'Always']);
    expect(await ran('--tags', 'one,rare', '--skip-tags', 'always')).toEqual(['One', 'Never']);
  });
});

describe('a wait in check mode', () => {
  it.each([
    'wait_for: { path: /etc/never, timeout: 600 }',
    'wait_for: { port: 9, delay: 600, timeout: 600 }',
    'port_check: { port: 9, timeout: 600 }',
    'k8s_wait: { path: /readyz, kubectl: "false", timeout: 600 }',
    'etcd_health: { etcdctl: "false", timeout: 600 }',
    'http_check: { url: "http://127.0.0.1:9", timeout: 600 }',
  ])('looks once: %s', async (wait) => {
    const play = (first: string) =>
      bench.play(`- { name: Wait, hosts: h1, tasks: [${first}{ name: Wait, ${wait} }] }`, [
        '--check',
      ]);
    const stateOf = (events: readonly RunEvent[]) =>
      events.flatMap((event) =>
        event.type === 'unit-end' && event.step.name === 'Wait' ? [event.state] : [],
      );
    expect(stateOf((await play('')).events)).toEqual(['failed']);
    // A step that was only predicted may be what it waits for.
    const first = '{ name: Write, copy: { content: x, dest: /etc/first } }, ';
    expect(stateOf((await play(first)).events)).toEqual(['unknown']);
  });
});
