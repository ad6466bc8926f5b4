import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

describe('variables, conditions and results', () => {
  it('renders templates, keeps the types of values, and evaluates "when" per host', async () => {
    const { code, events } = await bench.play(`
- name: Vars
  hosts: all
  vars: { numbers: [1, 2], greeting: 'hello {{inventory_hostname}}' }
  tasks:
    - name: Say
      command: { argv: [echo, '{{greeting}}'], read_only: true }
      register: said
    - name: Only on h2
      when: said.stdout == "hello h2" && size(numbers) == 2
      debug: { msg: '{{numbers}}' }
    - name: Copy the list
      set_fact: { copy: '{{numbers}}' }
    - name: Check
      assert: { that: ['copy[0] == 1', said.rc == 0] }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Only on h2', 'ok')).toEqual(['h2']);
    expect(hostsIn(events, 'Only on h2', 'skipped').sort()).toEqual(['h1', 'h3', 'h4']);
  });

  it('accepts arguments in "args"', async () => {
    const { code, events } = await bench.play(`
- name: Args
  hosts: h1
  tasks:
    - { name: Look, shell: 'echo looked', args: { read_only: true } }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Look', 'ok')).toEqual(['h1']);
  });

  it('rejects an argument that is given twice or is unknown in "args"', async () => {
    const twice = await bench.play(`
- name: Args
  hosts: h1
  tasks:
    - { name: Look, command: { cmd: 'true', read_only: true }, args: { read_only: false } }
    - { name: Unknown, command: { cmd: 'true' }, args: { reed_only: true }, undo: none }
`);
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain('Argument "read_only" is given twice.');
    expect(twice.stderr).toContain('"reed_only"');
  });

  it('converts a rendered value to the type of the argument, except for a file mode', async () => {
    const { code, events } = await bench.play(`
- name: Types
  hosts: h1
  vars: { number: 5, mode: 0644 }
  tasks:
    - { name: Text, copy: { content: '{{number}}', dest: /etc/types } }
    - name: Ask
      shell: echo 5; echo false >&2
      args: { read_only: true }
      register: asked
    - { name: Truth, copy: { content: other, dest: /etc/types, force: '{{asked.stderr}}' } }
    - { name: Mode, file: { path: /etc/types, mode: '{{mode}}' } }
`);
    expect(code).toBe(3);
    expect(hostsIn(events, 'Text', 'changed')).toEqual(['h1']);
    expect(hostsIn(events, 'Truth', 'ok')).toEqual(['h1']);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('An unquoted 0644 is the number 644') as string,
    });
  });

  it('runs a loop once per item and registers the results of all items', async () => {
    const { code, events } = await bench.play(`
- name: Loops
  hosts: h1
  tasks:
    - name: Each
      command: { argv: [echo, '{{item}}'], read_only: true }
      loop: [a, b]
      register: each
    - name: Check
      assert: { that: [size(each.results) == 2, 'each.results[1].stdout == "b"', 'each.results[0].item == "a"'] }
    - name: None
      debug: { msg: x }
      loop: []
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Each', 'ok')).toEqual(['h1', 'h1']);
    expect(hostsIn(events, 'None', 'skipped')).toEqual(['h1']);
  });

  it('retries a task until its condition is true', async () => {
    const { code } = await bench.play(`
- name: Retry
  hosts: h1
  tasks:
    - name: Count
      shell: 'echo x >>/tmp/count; wc -l </tmp/count'
      register: count
      until: int(result.stdout) >= 3
      retries: 5
      delay: 0
      undo: { none: a counter }
    - name: Check
      assert: { that: [count.attempts == 3] }
`);
    expect(code).toBe(0);
  });

  it('decides with changed_when and failed_when whether a task changed or failed', async () => {
    const { code, events } = await bench.play(`
- name: Verdicts
  hosts: h1
  tasks:
    - name: Not a change
      command: { cmd: 'true' }
      changed_when: 'false'
    - name: Not a failure
      command: { cmd: 'false' }
      failed_when: result.rc > 1
    - name: Ignored
      command: { cmd: 'false' }
      ignore_errors: true
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Not a change', 'ok')).toEqual(['h1']);
    expect(hostsIn(events, 'Not a failure', 'changed')).toEqual(['h1']);
    expect(hostsIn(events, 'Ignored', 'failed')).toEqual(['h1']);
  });
});

describe('plays', () => {
  it('runs the batches of "serial" in sequence, sized by number or percentage', async () => {
    const { events } = await bench.play(`
- name: Rolling
  hosts: all
  serial: [1, 50%]
  tasks:
    - name: Step
      debug: { msg: x }
`);
    const batches = events.flatMap((event) => (event.type === 'play-start' ? [event.hosts] : []));
    expect(batches).toEqual([['h1'], ['h2', 'h3'], ['h4']]);
  });

  it('supports run_once with a shared result, delegate_to and group_by', async () => {
    const { code, events } = await bench.play(`
- name: Shared
  hosts: all
  tasks:
    - name: Once
      run_once: true
      delegate_to: h3
      command: { argv: [hostname], read_only: true }
      register: name
    - name: Check the result on every host
      assert: { that: [name.stdout == "h3"] }
    - name: Group
      group_by: '{{ternary (eq inventory_hostname "h1") "first" "rest"}}'
- name: Rest
  hosts: rest:!h4
  tasks:
    - name: Here
      debug: { msg: '{{inventory_hostname}}' }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Once', 'ok')).toEqual(['h1']);
    expect(hostsIn(events, 'Here', 'ok').sort()).toEqual(['h2', 'h3']);
  });

  it('selects hosts with --limit and tasks with --tags', async () => {
    const { events } = await bench.play(
      `
- name: Tags
  hosts: all
  tasks:
    - name: A
      tags: a
      debug: { msg: x }
    - name: B
      debug: { msg: x }
    - name: Always
      tags: always
      debug: { msg: x }
    - name: Never
      tags: [never, b]
      debug: { msg: x }
`,
      ['--limit', 'h2', '--tags', 'a'],
    );
    expect(stepNames(events)).toEqual(['A', 'Always']);
    expect(hostsIn(events, 'A', 'ok')).toEqual(['h2']);
  });

  it('rejects an unknown tag, and a host pattern that matches nothing', async () => {
    const text = '- { name: P, hosts: all, tasks: [{ name: T, tags: web, debug: { msg: x } }] }\n';
    const { code, stderr } = await bench.play(text, ['--tags', 'wen']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('"web"')]);
    const none = await bench.play(text.replace('hosts: all', 'hosts: nobody'));
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('nobody')]);
  });
});

describe('blocks', () => {
  it('give the rescue the name, id and message of the task that failed on the host', async () => {
    const { code } = await bench.play(`
- name: Why
  hosts: h1, h2
  tasks:
    - name: Around
      block:
        - { name: Fails here, fail: { msg: 'no luck on {{inventory_hostname}}' } }
      rescue:
        - name: Check
          assert:
            that:
              - failed.task == "Fails here"
              - failed.id == "why/around/fails-here"
              - failed.message == "no luck on " + inventory_hostname
`);
    expect(code).toBe(0);
  });

  it('run the rescue only on failed hosts, and "always" on every host', async () => {
    const { code, events } = await bench.play(`
- name: Blocks
  hosts: h1:h2
  tasks:
    - name: Try
      block:
        - name: Fails on h1
          command: { argv: [test, '{{inventory_hostname}}', '!=', h1], read_only: true }
        - name: After
          debug: { msg: x }
      rescue:
        - name: Rescue
          debug: { msg: '{{failed.task}}' }
      always:
        - name: Always
          debug: { msg: x }
    - name: Continue
      debug: { msg: x }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'After', 'ok')).toEqual(['h2']);
    expect(hostsIn(events, 'Rescue', 'ok')).toEqual(['h1']);
    expect(hostsIn(events, 'Always', 'ok').sort()).toEqual(['h1', 'h2']);
    expect(hostsIn(events, 'Continue', 'ok').sort()).toEqual(['h1', 'h2']);
  });
});

describe('handlers', () => {
  it('run once after the tasks, in the order of definition, and only on hosts that changed', async () => {
    const text = `
- name: Handlers
  hosts: h1:h2
  tasks:
    - name: File
      copy: { content: '{{inventory_hostname}}', dest: /etc/app }
      notify: [Second, First]
    - name: Another
      copy: { content: x, dest: /etc/other }
      notify: Second
    - name: Last
      debug: { msg: x }
  handlers:
    - name: First
      debug: { msg: x }
    - name: Second
      debug: { msg: x }
`;
    const { events } = await bench.play(text);
    expect(stepNames(events)).toEqual(['File', 'Another', 'Last', 'First', 'Second']);
    expect(hostsIn(events, 'Second', 'ok').sort()).toEqual(['h1', 'h2']);
    const again = await bench.play(text);
    expect(stepNames(again.events)).toEqual(['File', 'Another', 'Last']);
  });
});

describe('undo', () => {
  const fails = `
    - name: Fails
      command: { cmd: 'false' }
      undo: none
`;

  it('restores the content, mode and owner of files in reverse order, across loop items and hosts', async () => {
    await bench.play(`
- name: Before
  hosts: h1:h2
  tasks:
    - name: Old
      copy: { content: old, dest: /etc/conf, mode: '0640' }
`);
    const statusOf = (host: string) => {
      const { mode, uid, gid } = statSync(join(bench.lab.host(host).root.dir, 'etc/conf'));
      return { mode: mode & 0o7777, uid, gid };
    };
    const before = { h1: statusOf('h1'), h2: statusOf('h2') };
    expect(before.h1.mode).toBe(0o640);
    const { code, events } = await bench.play(`
- name: Changes
  hosts: h1:h2
  tasks:
    - name: Replace
      copy: { content: new, dest: /etc/conf, mode: '0600' }
    - name: Line
      lineinfile: { path: /etc/conf, line: '{{item}}' }
      loop: [a, b]
    - name: Directory
      file: { path: /srv/a/b, state: directory }
    - name: Command
      command: { argv: [touch, /srv/marker] }
      undo:
        - name: Remove the marker
          file: { path: /srv/marker, state: absent }
${fails}`);
    expect(code).toBe(3);
    expect({ h1: statusOf('h1'), h2: statusOf('h2') }).toEqual(before);
    for (const host of ['h1', 'h2']) {
      expect(bench.read(host, 'etc/conf')).toBe('old');
      expect(bench.read(host, 'srv/marker')).toBeUndefined();
      expect(existsSync(join(bench.lab.host(host).root.dir, 'srv/a'))).toBe(false);
    }
    const order = events.flatMap((event) =>
      event.type === 'undo-end' && event.host === 'h1'
        ? [`${event.step.name} ${event.item ?? ''}`.trim()]
        : [],
    );
    expect(order).toEqual(['Command', 'Directory', 'Line b', 'Line a', 'Replace']);
  });

  it('keeps changes made before a commit point', async () => {
    const { code } = await bench.play(`
- name: Committed
  hosts: h1
  tasks:
    - name: Early
      copy: { content: early, dest: /etc/early }
    - commit: half-way
    - name: Late
      copy: { content: late, dest: /etc/late }
${fails}`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/early')).toBe('early');
    expect(bench.read('h1', 'etc/late')).toBeUndefined();
  });

  it('gives the undo the variables at the time of the task, the captured state and the result', async () => {
    const { code } = await bench.play(`
- name: Snapshot
  hosts: h1
  vars: { target: /etc/made }
  tasks:
    - name: Make
      shell: 'echo made >{{target}}; echo out'
      capture:
        - name: Look
          command: { argv: [hostname] }
          register: look
      undo:
        - name: Record the variables
          copy: { content: '{{captured.look.stdout}} {{result.stdout}} {{target}} {{undo.reason}}', dest: /etc/undone }
    - name: Change the variable
      set_fact: { target: /elsewhere }
${fails}`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/undone')).toBe('h1 out /etc/made failed_here');
  });

  it('runs a notified handler again after it restores the file', async () => {
    const { code, events } = await bench.play(`
- name: Handler
  hosts: h1
  tasks:
    - name: Configuration
      copy: { content: new, dest: /etc/reread }
      notify: Reload
    - meta: flush_handlers
${fails}
  handlers:
    - name: Reload
      shell: 'cp /etc/reread /etc/seen 2>/dev/null || rm -f /etc/seen'
`);
    expect(code).toBe(3);
    const order = events.flatMap((event) => (event.type === 'undo-end' ? [event.step.name] : []));
    expect(order).toEqual(['Configuration', 'Reload']);
    expect(bench.read('h1', 'etc/seen')).toBeUndefined();
  });

  it('stops at an undo that fails, and continues when the change is skipped', async () => {
    const broken = await bench.play(`
- name: Broken undo
  hosts: h1
  tasks:
    - name: Earlier
      copy: { content: x, dest: /etc/earlier }
    - name: Stubborn
      command: { cmd: 'true' }
      undo:
        - name: Needs a file
          command: { argv: [test, -e, /etc/way-is-free] }
${fails}`);
    expect(broken.code).toBe(4);
    expect(bench.read('h1', 'etc/earlier')).toBe('x');
    const blocked = broken.events.find(
      (event) => event.type === 'undo-end' && event.step.name === 'Earlier',
    );
    expect(blocked).toMatchObject({ state: 'undo-blocked' });
    const skipped = await bench.cli.run(['rollback', '--skip', '2']);
    expect(skipped.code).toBe(3);
    expect(bench.read('h1', 'etc/earlier')).toBeUndefined();
  });

  it.each([
    ['--skip', '99', 'has no change "99"'],
    ['--host', 'nobody', 'has no host "nobody"'],
  ])('leaves a finished run finished when %s names nothing in it', async (flag, value, message) => {
    const { code } = await bench.play(`
- name: Finished
  hosts: h1
  tasks:
    - name: Write a file
      copy: { content: x, dest: /etc/finished }
`);
    expect(code).toBe(0);
    const rejected = await bench.cli.run(['rollback', flag, value]);
    expect(rejected.code).toBe(1);
    expect(rejected.stderr).toContain(message);
    const [newest] = JSON.parse((await bench.cli.run(['runs', '--json'])).stdout) as {
      state: string;
    }[];
    expect(newest?.state).toBe('done');
  });

  it('respects undo_on and undo_when', async () => {
    const { code } = await bench.play(`
- name: Choosy
  hosts: h1
  tasks:
    - name: Only when failed
      copy: { content: x, dest: /etc/undo-on }
      undo_on: failed
    - name: Only after a crash
      copy: { content: x, dest: /etc/undo-when }
      undo_when: undo.reason == "crash"
${fails}`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/undo-on')).toBe('x');
    expect(bench.read('h1', 'etc/undo-when')).toBe('x');
  });

  it('is left to the operator with "--on-failure stop"', async () => {
    const { code } = await bench.play(
      `
- name: Stop
  hosts: h1
  tasks:
    - name: Stays
      copy: { content: x, dest: /etc/stays }
${fails}`,
      ['--on-failure', 'stop'],
    );
    expect(code).toBe(5);
    expect(bench.read('h1', 'etc/stays')).toBe('x');
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/stays')).toBeUndefined();
  });

  it('runs the undo of a block after the undo of its tasks', async () => {
    const { events } = await bench.play(`
- name: Block
  hosts: h1
  tasks:
    - name: Group
      block:
        - name: Inner
          copy: { content: x, dest: /etc/inner }
      undo:
        - name: Afterwards
          command: { argv: [test, '!', -e, /etc/inner] }
${fails}`);
    const order = events.flatMap((event) =>
      event.type === 'undo-end' ? [[event.step.name, event.state]] : [],
    );
    expect(order).toEqual([
      ['Inner', 'undone'],
      ['Group', 'undone'],
    ]);
  });
});

describe('undo of a block with "replace: true"', () => {
  it('runs instead of the undo of its tasks', async () => {
    const { code, events } = await bench.play(`
- name: Block
  hosts: h1
  tasks:
    - name: Group
      block:
        - name: Inner
          command: { argv: [touch, /etc/replaced] }
      undo:
        replace: true
        tasks:
          - name: Remove all at once
            file: { path: /etc/replaced, state: absent }
    - name: Fails
      command: { cmd: 'false' }
      undo: none
`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/replaced')).toBeUndefined();
    const order = events.flatMap((event) =>
      event.type === 'undo-end' ? [[event.step.name, event.state]] : [],
    );
    expect(order).toEqual([
      ['Inner', 'undo-skipped'],
      ['Group', 'undone'],
    ]);
  });
});

describe('a point of no return', () => {
  const text = `
- name: Point of no return
  hosts: h1
  tasks:
    - name: Before
      copy: { content: x, dest: /etc/no-return-before }
    - name: Erase
      command: { cmd: 'true' }
      irreversible: the disk is erased
    - name: After
      copy: { content: x, dest: /etc/no-return-after }
    - name: Gate
      command: { argv: [test, -e, /etc/no-return-gate], read_only: true }
`;

  it('requires consent and ends the rollback; resume continues after it', async () => {
    const refused = await bench.play(text);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('--accept-irreversible Erase'),
    ]);
    const failed = await bench.play(text, ['--accept-irreversible', 'Erase']);
    expect(failed.code).toBe(6);
    expect(bench.read('h1', 'etc/no-return-before')).toBe('x');
    expect(bench.read('h1', 'etc/no-return-after')).toBeUndefined();
    expect((await bench.cli.run(['resume'])).code).toBe(6);
    writeFileSync(join(bench.lab.host('h1').root.dir, 'etc/no-return-gate'), '');
    expect((await bench.cli.run(['resume'])).code).toBe(0);
    expect(bench.read('h1', 'etc/no-return-after')).toBe('x');
  });
});

describe('check mode', () => {
  it('changes nothing, shows the diff, and reports results it cannot predict as unknown', async () => {
    const { code, events } = await bench.play(
      `
- name: Check
  hosts: h1
  tasks:
    - name: Write
      copy: { content: "a\\n", dest: /etc/checked }
      register: written
    - name: Run
      command: { cmd: 'true' }
      register: ran
    - name: Depends
      when: ran.rc == 0
      debug: { msg: x }
    - name: Reads the file
      command: { argv: [cat, /etc/checked], read_only: true }
`,
      ['--check', '--diff', '--detailed-exit-code'],
    );
    expect(code).toBe(10);
    expect(bench.read('h1', 'etc/checked')).toBeUndefined();
    expect(hostsIn(events, 'Write', 'changed')).toEqual(['h1']);
    expect(hostsIn(events, 'Depends', 'unknown')).toEqual(['h1']);
    expect(hostsIn(events, 'Reads the file', 'unknown')).toEqual(['h1']);
    const diff = events.find((event) => event.type === 'unit-end' && event.step.name === 'Write');
    expect(diff).toMatchObject({ diff: [{ path: '/etc/checked', before: '', after: 'a\n' }] });
  });
});

describe('become', () => {
  it('runs the tasks of a user in one sudo shell, with the variables of "environment"', async () => {
    // The sudo of the lab ignores the user, so record the calls.
    const sudo = join(bench.lab.host('h1').root.dir, 'usr-local/bin/sudo');
    const original = readFileSync(sudo, 'utf8');
    writeFileSync(sudo, original.replace('\n', '\necho "$*" >>/run/sudo-calls\n'));
    const { code, stdout } = await bench.play(`
- name: Become
  hosts: h1
  become: true
  become_user: app
  environment: { COLOR: 'blue' }
  tasks:
    - name: Environment
      shell: { cmd: 'echo "$COLOR"', read_only: true }
      register: color
    - name: Environment again
      shell: { cmd: 'echo "$COLOR"', read_only: true }
      register: again
    - name: Check
      assert: { that: [color.stdout == "blue", again.stdout == "blue"] }
`);
    expect(code, stdout).toBe(0);
    expect(bench.read('h1', 'run/sudo-calls')).toMatch(/^.*-u app .*\n$/);
  });
});

describe('errors in a playbook', () => {
  it('are all reported at once, with file, line, column and a suggestion', async () => {
    const { code, stderr } = await bench.play(`
- name: Wrong
  hosts: all
  task: []
  tasks:
    - name: A
      servce: { name: x }
    - name: B
      copy: { content: x, dst: /x }
    - name: C
      when: a and b
      debug: { msg: x }
    - name: D
      debug: { msg: '{{missing}}' }
      notify: Nobody
`);
    expect(code).toBe(1);
    for (const part of ['playbook.yml:4:3', '"tasks"', '"service"', '"dest"', 'Write it in CEL: '])
      expect(stderr).toContain(part);
  });

  it('include undefined variables and handlers that do not exist', async () => {
    const { code, stderr } = await bench.play(`
- name: Wrong
  hosts: all
  tasks:
    - name: D
      debug: { msg: '{{inventory_hostnme}}' }
      notify: Nobody
`);
    expect(code).toBe(1);
    expect(stderr).toContain('Did you mean "inventory_hostname"?');
    expect(stderr).toContain('"Nobody"');
  });

  it('include inputs with an invalid type or the name of a command-line option', async () => {
    const { code, stderr } = await bench.play(`
name: Wrong
inputs:
  size: { type: strng, description: How much. }
  ssh_config: { type: string, description: Taken. }
plays:
  - { name: P, hosts: all, tasks: [{ name: T, debug: { msg: x } }] }
`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/playbook\.yml:4:17.*strng/);
    expect(stderr).toContain('"ssh_config" has the same name as a flag');
    expect(stderr).toContain('2 problems. No host was contacted.');
  });
});

describe('an unknown host key', () => {
  it('ends the run before the first change', async () => {
    const { code, stdout } = await bench.play(
      '- { name: P, hosts: h1, tasks: [{ name: T, command: { cmd: "true" }, undo: none }] }\n',
      [],
      { env: { RUNNER_KNOWN_HOSTS: '/dev/null' } },
    );
    expect(code).toBe(2);
    expect(stdout).toContain('SHA256:');
  });
});

describe('resume', () => {
  it('keeps inventory variables, groups, registered results and pending handlers', async () => {
    const inventory = bench.cli.file(
      'grouped.yml',
      `all:
  vars: { color: blue }
  children:
    chosen:
      hosts:
        h2: { ansible_host: ${bench.lab.host('h2').address}, ansible_port: ${String(bench.lab.host('h2').port)}, ansible_user: root, ansible_ssh_private_key_file: ${bench.lab.files.key} }
`,
    );
    const playbook = bench.cli.file(
      'resume.yml',
      `
- name: Resume
  hosts: chosen
  tasks:
    - name: Look
      command: { argv: [hostname], read_only: true }
      register: name
    - name: Write
      copy: { content: '{{color}}', dest: /etc/resumed }
      notify: Tell
    - name: Gate
      command: { argv: [test, -e, /etc/gate], read_only: true }
    - name: After
      copy: { content: '{{name.stdout}} {{color}}', dest: /etc/after }
  handlers:
    - name: Tell
      copy: { content: told, dest: /etc/told }
`,
    );
    const flags = ['--on-failure', 'stop', '--output', 'json'];
    const first = await bench.cli.run(['play', playbook, '-i', inventory, ...flags]);
    expect(first.code).toBe(5);
    await bench.play(
      '- { name: Open, hosts: h2, tasks: [{ name: Gate, file: { path: /etc/gate, state: touch } }] }\n',
    );
    const listed = await bench.cli.run(['runs', '--json']);
    const runs = JSON.parse(listed.stdout) as { id: string; playbook: string }[];
    const run = runs.find((one) => one.playbook === playbook);
    const { code, events } = await bench.cli.run(['resume', run?.id ?? '', '--output', 'json']);
    expect(code).toBe(0);
    expect(stepNames(events)).toEqual(['Gate', 'After', 'Tell']);
    expect(bench.read('h2', 'etc/after')).toBe('h2 blue');
    expect(bench.read('h2', 'etc/told')).toBe('told');
  });

  it('rejects a playbook that was edited since the run, while rollback accepts it', async () => {
    const text = `
- name: Edited
  hosts: h3
  tasks:
    - name: Write
      copy: { content: x, dest: /etc/edited }
    - name: Fails
      command: { cmd: 'false' }
      undo: none
`;
    await bench.play(text, ['--on-failure', 'stop']);
    bench.cli.file('playbook.yml', text.replace('/etc/edited', '/etc/other'));
    const resumed = await bench.cli.run(['resume']);
    expect([resumed.code, resumed.stderr]).toEqual([1, expect.stringContaining('playbook.yml')]);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h3', 'etc/edited')).toBeUndefined();
  });
});

describe('import_playbook and vars_files', () => {
  const put = (path: string, text: string) => bench.cli.file(path, text);

  it('import the plays of another file with its roles and templates, and with the conditions of the import', async () => {
    put('site/vars/common.yml', 'word: common\nother: common\n');
    put('site/templates/word.hbs', '{{word}} {{other}} {{given}}');
    put('site/roles/own/tasks/main.yml', '- { name: Role, debug: { msg: role } }');
    put(
      'site/web.yml',
      `
- name: Web
  hosts: all
  vars: { word: play, given: none }
  vars_files: [[vars/missing.yml, vars/common.yml]]
  roles: [own]
  tasks:
    - { name: Write, template: { src: word.hbs, dest: /etc/imported } }
`,
    );
    const { code, events, stderr } = await bench.play(`
- name: First
  hosts: h1
  tasks: [{ name: One, debug: { msg: x } }]
- import_playbook: site/web.yml
  when: inventory_hostname == "h1"
  tags: [web]
  vars: { given: by the import }
`);
    expect(code, stderr).toBe(0);
    expect(stepNames(events)).toEqual(['One', 'Role', 'Write']);
    expect(bench.read('h1', 'etc/imported')).toBe('common common by the import');
    expect(bench.read('h2', 'etc/imported')).toBeUndefined();
  });

  it.each([
    [
      'a playbook that does not exist',
      '- import_playbook: none.yml',
      'There is no playbook "none.yml".',
    ],
    [
      'a playbook that imports itself',
      '- import_playbook: playbook.yml',
      '"playbook.yml" imports itself.',
    ],
    [
      'an imported playbook with inputs',
      '- import_playbook: whole.yml',
      'Unknown key "inputs" in an imported playbook.',
    ],
    [
      'a file of variables that does not exist',
      '- { name: A, hosts: h1, vars_files: [none.yml] }',
      'There is no file "none.yml".',
    ],
    [
      'a file of variables that is not a map',
      '- { name: A, hosts: h1, vars_files: [list.yml] }',
      'must be a map of variables.',
    ],
  ])('reject %s', async (_, text, message) => {
    put('whole.yml', 'inputs: { a: { type: string } }\nplays: []');
    put('list.yml', '[a]');
    const { code, stderr } = await bench.play(text);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('keys of Ansible', () => {
  it.each([
    ['ansible.builtin.copy: {}', 'Use "copy".'],
    ['ansible.builtin.include_tasks: x.yml', 'Use "include_tasks".'],
    ['systemd: {}', 'Use "systemd_service".'],
    ['ansible.builtin.raw: uptime', 'Use "shell": runner needs no Python on a host.'],
    ['validate_argument_spec: {}', 'They are checked before the run.'],
  ])('%s is rejected with the name of the module to use', async (key, hint) => {
    const { code, stderr } = await bench.play(
      `- { name: A, hosts: h1, tasks: [{ name: B, ${key} }] }`,
    );
    expect(stderr).toContain(hint);
    expect(code).toBe(1);
  });

  it.each([
    ['with_fileglob: [a]', 'Use "loop" with a list.'],
    ['action: ping', 'Use the name of the module as the key.'],
    ['local_action: x', 'Use the module with "delegate_to: localhost".'],
  ])('%s is rejected with the key to use', async (key, hint) => {
    const { code, stderr } = await bench.play(
      `- { name: A, hosts: h1, tasks: [{ name: B, debug: { msg: x }, ${key} }] }`,
    );
    expect(stderr).toContain(hint);
    expect(code).toBe(1);
  });
});
