import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { Cli, hostsIn, runOf } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { describeWith, itWith } from '../helpers/programs.ts';
import { inTerminal } from '../helpers/terminal.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const fails = `
    - { name: Fails, command: { cmd: 'false' }, undo: none }
`;

const undoEnds = (events: readonly RunEvent[]): [string, string, string][] =>
  events.flatMap((event): [string, string, string][] =>
    event.type === 'undo-end' ? [[event.step.name, event.host, event.state]] : [],
  );

const starts =
  (name: string) =>
  (event: RunEvent): boolean =>
    event.type === 'step-start' && event.step.name === name;

/** The first Ctrl-C was received; a second one aborts the running tasks. */
const isInterrupted = (event: RunEvent): boolean =>
  event.type === 'message' && event.text.startsWith('Interrupted');

describe('"--fail-at" of a step that every host skips', () => {
  it('rolls the run back before the point of no return', async () => {
    const { code, events } = await bench.play(
      `
- name: Gate
  hosts: h1
  tasks:
    - { name: Change, copy: { content: x, dest: /etc/changed } }
    - { name: Skipped, command: { cmd: 'true' }, undo: none, when: 1 == 2 }
    - { name: Commit, shell: touch /etc/committed, irreversible: it cannot be undone }
`,
      ['--accept-irreversible', 'Commit', '--fail-at', 'last'],
    );
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining(
        '"Commit" was not started: the --fail-at step was skipped on every host (gate/skipped)',
      ) as string,
    });
    expect(bench.read('h1', 'etc/changed')).toBeUndefined();
    expect(bench.read('h1', 'etc/committed')).toBeUndefined();
  });

  it('passes a commit point that comes before the step, and keeps what it committed', async () => {
    const { code } = await bench.play(
      `
- name: Stage
  hosts: h1
  tasks:
    - { name: Kept, copy: { content: x, dest: /etc/kept } }
    - commit: first stage
    - { name: Undone, copy: { content: x, dest: /etc/undone } }
`,
      ['--fail-at', 'Undone'],
    );
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/kept')).toBe('x');
    expect(bench.read('h1', 'etc/undone')).toBeUndefined();
  });
});

describe('"rollback" of a playbook or play', () => {
  it('saves the output of "before" tasks, runs "after" tasks, and verifies with the "verify" tasks of both', async () => {
    const { code, events } = await bench.play(`
name: Around
rollback:
  before:
    - { name: Read the file, command: { argv: [cat, /etc/around] } }
    - { name: 状態, command: { argv: [echo, state] } }
  after:
    - { name: Sign off, copy: { content: '{{inventory_hostname}}', dest: /etc/signed-off } }
plays:
  - name: Around
    hosts: h1, h2
    vars: { word: changed }
    rollback:
      before:
        - { name: Read the file, command: { argv: [echo, of the play] } }
        - { name: 結果, command: { argv: [echo, result] } }
      verify:
        - { name: Is gone, shell: '! test -e /etc/around' }
    tasks:
      - { name: Change, copy: { content: '{{word}}', dest: /etc/around } }
      - { name: Fails, command: { cmd: 'false' }, undo: none }
`);
    expect(code).toBe(3);
    const output = join(bench.cli.stateDir, 'runs', runOf(events), 'output');
    const kept = readdirSync(output).filter((name) => name.startsWith('evidence.h1.'));
    const evidence = kept.map((name) => [name, readFileSync(join(output, name), 'utf8')]);
    expect(Object.fromEntries(evidence)).toEqual({
      'evidence.h1.1-read-the-file': 'changed\n',
      'evidence.h1.2': 'state\n',
      'evidence.h1.3-read-the-file': 'of the play\n',
      'evidence.h1.4': 'result\n',
    });
    expect(bench.read('h1', 'etc/around')).toBeUndefined();
    expect(bench.read('h2', 'etc/signed-off')).toBe('h2');
    const checks = events.flatMap((event) =>
      event.type === 'fingerprint' && event.equal ? [`${event.name} ${event.host}`] : [],
    );
    expect(checks).toEqual(expect.arrayContaining(['Is gone h1', 'Is gone h2']));
    expect(checks).toEqual(expect.arrayContaining(['1 automatic undo h1', '1 automatic undo h2']));
  });

  it('reports an undefined variable before the run connects to a host', async () => {
    const { code, stderr } = await bench.play(`
name: Names
rollback:
  verify:
    - { name: Look, shell: 'test -e {{nowhere_defined}}' }
plays:
  - { name: Names, hosts: h1, tasks: [{ name: Change, copy: { content: x, dest: /etc/names } }] }
`);
    expect(code).toBe(1);
    expect(stderr).toContain('nowhere_defined');
  });

  it('exits with 4 if a "verify" task fails or a restored file differs from its record', async () => {
    const { code, events } = await bench.play(`
name: Not the same
rollback:
  after:
    - { name: Spoil it, shell: 'echo spoilt >/etc/not-the-same' }
  verify:
    - { name: Never true, command: { cmd: 'false' } }
plays:
  - name: Not the same
    hosts: h1
    tasks:
      - { name: Change, copy: { content: x, dest: /etc/not-the-same } }
      - { name: Fails, command: { cmd: 'false' }, undo: none }
`);
    expect(code).toBe(4);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringMatching(
        /the verification found differences: 1 automatic undo on h1, "Never true" on h1/,
      ) as string,
    });
    expect(events.find((event) => event.type === 'fingerprint' && !event.equal)).toMatchObject({
      message: expect.stringContaining('/etc/not-the-same is not restored') as string,
    });
  });

  it('provides the reason, the attempt and the current groups to undo tasks', async () => {
    const { code } = await bench.play(`
- name: Reasons
  hosts: h1, h2
  tasks:
    - name: Change
      shell: touch /etc/reasons
      undo:
        - name: Tell
          copy: { content: '{{undo.reason}} {{undo.attempt}} {{live.groups.all.[0]}}', dest: /etc/told }
    - { name: Fails, command: { cmd: 'false' }, undo: none, when: inventory_hostname == "h2" }
`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/told')).toBe('failed_elsewhere 1 h1');
    expect(bench.read('h2', 'etc/told')).toBe('failed_here 1 h1');
  });

  it('undoes a read-only task with "undo_on: always", as a check between the batches of "serial"', async () => {
    const { code, events } = await bench.play(`
- name: Gates
  hosts: h1, h2
  serial: 1
  tasks:
    - name: Enter
      command: { argv: ['true'], read_only: true }
      undo_on: always
      undo:
        - { name: Healthy again, shell: 'test ! -e /etc/gated && echo {{inventory_hostname}} >>/run/cluster/order' }
    - { name: Change, copy: { content: x, dest: /etc/gated } }
    - { name: Fails, command: { cmd: 'false' }, undo: none, when: inventory_hostname == "h2" }
`);
    expect(code).toBe(3);
    expect(undoEnds(events).map(([step, host]) => `${step} ${host}`)).toEqual([
      'Change h2',
      'Enter h2',
      'Change h1',
      'Enter h1',
    ]);
    expect(readFileSync(join(bench.lab.files.shared, 'order'), 'utf8')).toBe('h2\nh1\n');
  });
});

describe('backup copies on a host', () => {
  const root = () => bench.lab.host('h1').root.dir;
  const text = `
- name: Copies
  hosts: h1
  tasks:
    - { name: Change, copy: { content: new, dest: /etc/copied } }
    - { name: Remove, file: { path: /etc/copied-directory, state: absent } }
`;
  const setUp = () => {
    writeFileSync(join(root(), 'etc/copied'), 'old');
    mkdirSync(join(root(), 'etc/copied-directory/below'), { recursive: true });
    writeFileSync(join(root(), 'etc/copied-directory/below/file'), 'old');
  };
  /** Rolls back after the matching copies were overwritten, or removed if the content is undefined. */
  const rollBackWithDamage = async (name: RegExp, content: string | undefined) => {
    const { events } = await bench.play(`${text}${fails}`, ['--on-failure', 'stop']);
    const directory = join(root(), 'var/lib/runner/runs', runOf(events), 'captures');
    for (const copy of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (!name.test(copy)) continue;
      if (content === undefined) rmSync(join(directory, copy), { recursive: true });
      else writeFileSync(join(directory, copy), content);
    }
    return bench.cli.run(['rollback', runOf(events), '--output', 'json']);
  };

  it('restores files and directories with their contents', async () => {
    setUp();
    expect((await bench.play(`${text}${fails}`)).code).toBe(3);
    expect(bench.read('h1', 'etc/copied')).toBe('old');
    expect(bench.read('h1', 'etc/copied-directory/below/file')).toBe('old');
  });

  it.each([
    ['a damaged', 'rubbish'],
    ['a missing', undefined],
  ])('restores a file from the controller instead of %s copy', async (_, content) => {
    setUp();
    expect((await rollBackWithDamage(/^1\.0$/, content)).code).toBe(3);
    expect(bench.read('h1', 'etc/copied')).toBe('old');
  });

  it('fails the undo instead of restoring a damaged copy that the controller does not have', async () => {
    setUp();
    const { code, events } = await rollBackWithDamage(/below\/file$/, 'rubbish');
    expect(code).toBe(4);
    expect(undoEnds(events)).toEqual([
      ['Remove', 'h1', 'undo-failed'],
      ['Change', 'h1', 'undo-blocked'],
    ]);
    expect(events.find((event) => event.type === 'undo-end')).toMatchObject({
      message: expect.stringContaining(
        'is damaged, and the controller has no valid copy',
      ) as string,
    });
    expect(bench.read('h1', 'etc/copied-directory/below/file')).toBeUndefined();
  });
});

describe('a block with an undo', () => {
  it('is undone after a change by a task without an undo', async () => {
    const { code } = await bench.play(`
- name: Block
  hosts: h1
  tasks:
    - name: Signed
      block:
        - { name: Sign, shell: touch /etc/signed, undo: none }
      undo: [{ name: Unsign, shell: rm -f /etc/signed }]
${fails}`);
    expect(code).toBe(3);
    expect(bench.read('h1', 'etc/signed')).toBeUndefined();
  });

  it('is not undone if its tasks changed nothing, and does not block earlier undos', async () => {
    const { code, events } = await bench.play(`
- name: Block
  hosts: h1
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before-block } }
    - name: Nothing to do
      block:
        - { name: There already, file: { path: /etc, state: directory } }
      undo: [{ name: Never, shell: touch /etc/never-undone }]
${fails}`);
    expect(code).toBe(3);
    expect(undoEnds(events)).toEqual([['Before', 'h1', 'undone']]);
    expect(bench.read('h1', 'etc/never-undone')).toBeUndefined();
  });
});

describe('an error that only a running play can find', () => {
  it('fails the run, which is rolled back', async () => {
    const { code, events } = await bench.play(`
- name: First
  hosts: h1
  tasks:
    - { name: Change, copy: { content: x, dest: /etc/found-late } }
    - { name: Group, group_by: '{{"made"}}' }
- name: Second
  hosts: made:never_made
  tasks:
    - { name: Say, debug: { msg: x } }
`);
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('There is no host or group "never_made"') as string,
    });
    expect(bench.read('h1', 'etc/found-late')).toBeUndefined();
  });
});

describe('a failed undo', () => {
  it('blocks earlier undos on its host and of "run_once" tasks; other hosts continue', async () => {
    const failed = await bench.play(`
- name: Blocked
  hosts: h1, h2, h3
  tasks:
    - { name: Own, copy: { content: x, dest: /etc/own-before } }
    - name: Shared
      run_once: true
      copy: { content: x, dest: /etc/shared-before }
    - name: Breaks
      shell: touch /etc/breaks
      undo:
        - { name: Undo that fails, shell: 'test "{{inventory_hostname}}" != h2 || test -e /etc/repaired' }
${fails}`);
    expect(failed.code).toBe(4);
    expect(
      Object.fromEntries(undoEnds(failed.events).map(([a, b, c]) => [`${a} ${b}`, c])),
    ).toEqual({
      'Breaks h1': 'undone',
      'Breaks h2': 'undo-failed',
      'Breaks h3': 'undone',
      'Shared h1': 'undo-blocked',
      'Own h1': 'undo-blocked',
      'Own h2': 'undo-blocked',
      'Own h3': 'undone',
    });
    writeFileSync(join(bench.lab.host('h2').root.dir, 'etc/repaired'), '');
    const again = await bench.cli.run(['rollback', '--output', 'json']);
    expect(again.code).toBe(3);
    const order = undoEnds(again.events).map(([step, host]) => `${step} ${host}`);
    expect(order.slice(0, 2)).toEqual(['Breaks h2', 'Shared h1']);
    expect(order.slice(2).sort()).toEqual(['Own h1', 'Own h2']);
    expect(bench.read('h1', 'etc/shared-before')).toBeUndefined();
  });

  it('does not block earlier undos with "undo_error: continue"', async () => {
    const { code, events } = await bench.play(`
- name: Harmless
  hosts: h1
  tasks:
    - { name: Before, copy: { content: x, dest: /etc/before-harmless } }
    - name: Breaks
      shell: 'true'
      undo_error: continue
      undo:
        - { name: Cannot, command: { cmd: 'false' } }
${fails}`);
    expect(code).toBe(4);
    expect(undoEnds(events)).toEqual([
      ['Breaks', 'h1', 'undo-failed'],
      ['Before', 'h1', 'undone'],
    ]);
  });

  it('is blocked while its secret input has no value, and runs once the value is provided', async () => {
    const playbook = bench.cli.file(
      'secret.yml',
      `
name: Secret
inputs:
  token: { type: string, secret: true, required: true, env: THE_TOKEN, description: Token }
plays:
  - name: Secret
    hosts: h1
    tasks:
      - name: Sign on
        shell: touch /etc/signed-on
        undo:
          - name: Sign off
            shell: 'test "$TOKEN" = canary-4711 && rm /etc/signed-on'
            environment: { TOKEN: '{{token}}' }
      - { name: Fails, command: { cmd: 'false' }, undo: none }
`,
    );
    const args = ['play', playbook, '-i', bench.inventory, '--on-failure', 'stop'];
    await bench.cli.run(args, { env: { THE_TOKEN: 'canary-4711' } });
    const blocked = await bench.cli.run(['rollback', '--output', 'json']);
    expect(blocked.code).toBe(4);
    expect(undoEnds(blocked.events)).toEqual([['Sign on', 'h1', 'undo-blocked']]);
    expect(blocked.stdout).toContain('token');
    const done = await bench.cli.run(['rollback'], { env: { THE_TOKEN: 'canary-4711' } });
    expect(done.code).toBe(3);
    expect(bench.read('h1', 'etc/signed-on')).toBeUndefined();
  });
});

describe('the copies on a host', () => {
  it.each([
    ['is restored from them', '', 1],
    ['is not to be undone', ', undo: none', 0],
    ['has an undo of its own', ', undo: [{ name: Back, command: { argv: ["true"] } }]', 0],
  ])('are made for a step that %s', async (_name, undo, count) => {
    const { code } = await bench.play(
      `- { name: P, hosts: h1, tasks: [{ name: Write, copy: { content: x, dest: /etc/hostname }${undo} }] }`,
    );
    expect(code).toBe(0);
    const runs = join(bench.lab.host('h1').root.dir, 'var/lib/runner/runs');
    const copies = readdirSync(runs).flatMap((run) => {
      const directory = join(runs, run, 'captures');
      return existsSync(directory) ? readdirSync(directory) : [];
    });
    expect(copies).toHaveLength(count);
  });
});

describe('an incomplete rollback of a run that had succeeded', () => {
  it('keeps other runs away from its hosts until it is rolled back', async () => {
    const text = `
- name: Play
  hosts: all
  tasks:
    - name: Change
      shell: touch /etc/changed
      undo: [{ name: Undo, shell: 'test ! -e /etc/broken && rm -f /etc/changed' }]
`;
    const first = await bench.play(text);
    expect(first.code).toBe(0);
    await bench.shell('h1', 'touch /etc/broken');
    const { code } = await bench.cli.run(['rollback', runOf(first.events)]);
    expect(code).toBe(4);
    const refused = await bench.play(text);
    expect(refused.code).toBe(7);
    await bench.shell('h1', 'rm /etc/broken');
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect((await bench.play(text)).code).toBe(0);
  });
});

describe('max_failures', () => {
  const playbook = (most: string) => `
- name: Rolling
  hosts: all
  serial: 2
  max_failures: ${most}
  tasks:
    - { name: Change, copy: { content: x, dest: /etc/rolling } }
    - { name: Once, run_once: true, copy: { content: x, dest: /etc/rolling-once } }
    - { name: Fails on one, shell: 'test {{inventory_hostname}} != h1', undo: none }
    - { name: Continue, copy: { content: x, dest: /etc/rolling-on } }
`;

  it('rolls back only the failed host after its batch and continues with the next batch', async () => {
    const { code, events } = await bench.play(playbook('1'));
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      outcome: 'done_in_part',
      message: expect.stringContaining('h1') as string,
    });
    expect(undoEnds(events)).toEqual([['Change', 'h1', 'undone']]);
    expect(bench.read('h1', 'etc/rolling')).toBeUndefined();
    expect(bench.read('h1', 'etc/rolling-once')).toBe('x');
    expect(hostsIn(events, 'Continue', 'changed').sort()).toEqual(['h2', 'h3', 'h4']);
    const undoAt = events.findIndex((event) => event.type === 'undo-end');
    const nextBatch = events.findIndex((event) => event.type === 'play-start' && event.batch === 2);
    expect(undoAt).toBeLessThan(nextBatch);
  });

  it('suggests a rollback while the undo of the failed host is incomplete, and closes the run after it', async () => {
    const failed = await bench.play(`
- name: Stuck
  hosts: h1, h2
  max_failures: 1
  tasks:
    - { name: Change, copy: { content: x, dest: /etc/stuck } }
    - { name: Stubborn, shell: 'true', undo: [{ name: Needs, command: { argv: [test, -e, /etc/unstuck] } }] }
    - { name: Fails on one, shell: 'test {{inventory_hostname}} != h1', undo: none }
`);
    expect(failed.code).toBe(4);
    expect(failed.events.at(-1)).toMatchObject({
      outcome: 'done_in_part',
      next: expect.arrayContaining([expect.stringContaining('rollback') as string]) as string[],
    });
    expect(bench.read('h1', 'etc/stuck')).toBe('x');
    const stuck = await bench.cli.run(['rollback', '--host', 'h1', '--output', 'json']);
    expect(stuck.code, stuck.stdout).toBe(4);
    const resumed = await bench.cli.run(['resume']);
    expect(resumed.stderr).toContain('is done; there is nothing to resume.');
    writeFileSync(join(bench.lab.host('h1').root.dir, 'etc/unstuck'), '');
    const again = await bench.cli.run(['rollback', '--host', 'h1', '--output', 'json']);
    expect(again.code, again.stdout).toBe(3);
    expect(again.events.at(-1)).toMatchObject({ outcome: 'done_in_part', next: [] });
    expect(bench.read('h1', 'etc/stuck')).toBeUndefined();
    expect(bench.read('h2', 'etc/stuck')).toBe('x');
    expect(bench.read('h1', 'var/lib/runner/lock')).toBeUndefined();
  });

  it('fails the run if more hosts fail than a percentage allows', async () => {
    const { code, events } = await bench.play(playbook('49%'));
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({ outcome: 'rolled_back' });
    expect(hostsIn(events, 'Continue', 'changed')).toEqual([]);
    expect(bench.read('h2', 'etc/rolling')).toBeUndefined();
  });
});

describe('an unreachable host', () => {
  it('does not delay the rollback of other hosts, and is rolled back once it is reachable', async () => {
    const server = bench.lab.host('h2').server;
    const { code, events } = await bench.play(
      `
- name: Away
  hosts: h1, h2
  tasks:
    - { name: First, copy: { content: x, dest: /etc/away-first } }
    - { name: Second, copy: { content: x, dest: /etc/away-second } }
    - { name: Third, copy: { content: x, dest: /etc/away-third } }
`,
      ['--connect-timeout', '2'],
      {
        onEvent: (event) => {
          if (starts('Third')(event)) server.setFault({ refuse: true });
          if (event.type === 'message' && event.text.includes('Unreachable: ')) server.setFault({});
        },
      },
    );
    expect(code).toBe(3);
    const order = undoEnds(events).map(([step, host]) => `${step} ${host}`);
    expect(order.indexOf('First h1')).toBeLessThan(order.indexOf('First h2'));
    expect(bench.read('h2', 'etc/away-first')).toBeUndefined();
  });
});

describe('host locks', () => {
  const text = `
- name: Locked
  hosts: h1, h2
  tasks:
    - { name: Change, copy: { content: '{{run.id}}', dest: /etc/locked } }
    - { name: Slow, shell: 'while test -e /run/cluster/wait; do sleep 0.1; done', undo: none }
`;
  const wait = () => join(bench.lab.files.shared, 'wait');
  let others: Cli[] = [];
  afterEach(() => {
    for (const cli of others) cli.dispose();
    others = [];
  });
  /** A second controller: the same hosts, another state directory. */
  const other = () => {
    const cli = new Cli({ RUNNER_KNOWN_HOSTS: bench.lab.files.knownHosts });
    others.push(cli);
    const playbook = cli.file('playbook.yml', text);
    const hosts = cli.file('inventory.yml', readFileSync(bench.inventory, 'utf8'));
    return { cli, args: ['play', playbook, '-i', hosts] };
  };

  it('a second controller exits with 7 and shows the owner, the age of the lock and --take-over', async () => {
    writeFileSync(wait(), '');
    const { cli, args } = other();
    let refused: Promise<{ code: number | null; stdout: string }> | undefined;
    const first = await bench.play(text, [], {
      onEvent: (event) => {
        if (!starts('Slow')(event)) return;
        refused = cli.run(args);
        void refused.finally(() => {
          rmSync(wait(), { force: true });
        });
      },
    });
    const second = await refused;
    expect(second?.code).toBe(7);
    expect(second?.stdout).toMatch(
      new RegExp(
        `h1 is locked by run ${runOf(first.events)} of \\S+@\\S+ since 20.*last seen \\d+ s ago`,
      ),
    );
    expect(second?.stdout).toContain(`--take-over ${runOf(first.events)}`);
    expect(first.code).toBe(0);
    expect(bench.read('h1', 'var/lib/runner/lock')).toBeUndefined();
    const third = await cli.run(args);
    expect(third.code, third.stdout).toBe(0);
  });

  it('the lock of a killed run remains until its rollback or a run with --take-over', async () => {
    writeFileSync(wait(), '');
    const killed = await bench.spawn(text, [], {
      onEvent: (event, child) => {
        if (starts('Slow')(event)) child.kill('SIGKILL');
      },
    });
    rmSync(wait());
    const run = runOf(killed.events);
    expect(bench.read('h1', 'var/lib/runner/lock')).toContain(run);
    const { cli, args } = other();
    expect((await cli.run(args)).code).toBe(7);
    const taken = await cli.run([...args, '--take-over', run]);
    expect(taken.code, taken.stdout).toBe(0);
    const late = await bench.cli.run(['rollback', run]);
    // The run that took over has ended and released the hosts.
    expect(late.code, late.stdout + late.stderr).toBe(3);
    expect(bench.read('h2', 'var/lib/runner/lock')).toBeUndefined();
  });
});

describe('an interrupted run', () => {
  const text = `
- name: Interrupted
  hosts: h1
  tasks:
    - { name: One, copy: { content: x, dest: /etc/interrupted-one } }
    - name: Two
      shell: until test -e /run/cluster/go; do sleep 0.05; done; touch /etc/interrupted-two
      undo:
        - name: Remove
          shell: until test -e /run/cluster/go-undo; do sleep 0.05; done; rm -f /etc/interrupted-two
    - { name: Three, copy: { content: x, dest: /etc/interrupted-three } }
`;
  /** Lets task "Two" or its undo finish. */
  const release = (file: 'go' | 'go-undo') => {
    writeFileSync(join(bench.lab.files.shared, file), '');
  };
  const interrupt = (extra: string[]) => {
    release('go-undo');
    return bench.spawn(text, extra, {
      onEvent: (event, child) => {
        if (starts('Two')(event)) child.kill('SIGINT');
        if (isInterrupted(event)) release('go');
      },
    });
  };

  it('finishes the running task, then exits with 130 if there is no terminal', async () => {
    const { code, events } = await interrupt([]);
    expect(code).toBe(130);
    expect(bench.read('h1', 'etc/interrupted-two')).toBe('');
    expect(bench.read('h1', 'etc/interrupted-three')).toBeUndefined();
    expect(events.at(-1)).toMatchObject({
      next: [
        expect.stringContaining('runner resume') as string,
        expect.stringContaining('runner rollback') as string,
      ],
    });
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
  });

  it('is rolled back with --on-interrupt rollback', async () => {
    const { code, events } = await interrupt(['--on-interrupt', 'rollback']);
    expect(code).toBe(3);
    expect(undoEnds(events).map(([step]) => step)).toEqual(['Two', 'One']);
    expect(bench.read('h1', 'etc/interrupted-two')).toBeUndefined();
  });

  it('continues with --on-interrupt continue and does not run a task again', async () => {
    const { code, events } = await interrupt(['--on-interrupt', 'continue']);
    expect(code).toBe(0);
    expect(events.filter(starts('Two'))).toHaveLength(1);
    expect(bench.read('h1', 'etc/interrupted-three')).toBe('x');
  });

  it('aborts the running task at the second signal, and its rollback determines the outcome on the host', async () => {
    const { code, events } = await bench.spawn(
      `
- name: Abort
  hosts: h1
  tasks:
    - name: Long
      shell: 'touch /etc/aborted; sleep 60'
      undo: [{ name: Remove, shell: 'rm -f /etc/aborted' }]
`,
      [],
      {
        onEvent: (event, child) => {
          if (isInterrupted(event)) child.kill('SIGINT');
          if (starts('Long')(event))
            void eventually(() => bench.read('h1', 'etc/aborted') !== undefined).then(() =>
              child.kill('SIGINT'),
            );
        },
      },
    );
    expect(code).toBe(130);
    expect(hostsIn(events, 'Long', 'unknown')).toEqual(['h1']);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/aborted')).toBeUndefined();
  });

  it('pauses its rollback after the running undo', async () => {
    release('go');
    const { code, events } = await bench.spawn(`${text}${fails}`, [], {
      onEvent: (event, child) => {
        if (event.type === 'undo-end' && event.step.name === 'Three') child.kill('SIGINT');
        if (isInterrupted(event)) release('go-undo');
      },
    });
    expect(code).toBe(130);
    expect(events.at(-1)).toMatchObject({
      outcome: 'interrupted',
      message: expect.stringContaining('The rollback was interrupted') as string,
    });
    expect(undoEnds(events).length).toBeLessThan(3);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/interrupted-one')).toBeUndefined();
  });

  const down = '\u001b[B';

  const answers: [label: string, keys: string, code: number, three: string | undefined][] = [
    ['continue', '\r', 0, 'x'],
    ['roll back', `${down}\r`, 3, undefined],
    ['leave', `${down}${down}\r`, 130, undefined],
  ];
  for (const [label, keys, code, three] of answers)
    itWith('script')(`prompts in a terminal and follows the answer "${label}"`, async () => {
      release('go-undo');
      const playbook = bench.cli.file('terminal.yml', text);
      const ended = await inTerminal(
        bench,
        ['play', playbook, '-i', bench.inventory],
        [
          ['Two', '\u0003'],
          [
            'Interrupted',
            () => {
              release('go');
              return '';
            },
          ],
          ['What do you want to do?', keys],
        ],
      );
      expect(ended.code, ended.screen).toBe(code);
      expect(bench.read('h1', 'etc/interrupted-three')).toBe(three);
      expect(bench.read('h1', 'etc/interrupted-one')).toBe(code === 3 ? undefined : 'x');
    });
});

describe('a resumed run', () => {
  it('repeats a loop from the failed item and keeps the registered results of earlier items', async () => {
    const text = `
- name: Loop
  hosts: h1
  tasks:
    - name: Each
      shell: 'echo {{item}} >>/etc/looped; test {{item}} != b || test -e /etc/loop-repaired'
      loop: [a, b, c]
      register: each
      undo: none
    - name: Check
      assert: { that: ['each.results.size() == 3', 'each.results[0].item == "a"'] }
`;
    const failed = await bench.play(text, ['--on-failure', 'stop']);
    expect(failed.code).toBe(5);
    writeFileSync(join(bench.lab.host('h1').root.dir, 'etc/loop-repaired'), '');
    expect(bench.read('h1', 'etc/looped')).toBe('a\nb\nc\n');
    const resumed = await bench.cli.run(['resume', runOf(failed.events)]);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect(bench.read('h1', 'etc/looped')).toBe('a\nb\nc\nb\n');
  });
});

describe('a point of no return', () => {
  it('is not passed while the outcome of an earlier task is unknown', async () => {
    const { code, events } = await bench.play(
      `
- name: Uncertain
  hosts: h1
  tasks:
    - { name: Lost, shell: 'touch /etc/uncertain; sleep 30', timeout: 0.3, ignore_errors: true, undo: [{ name: Remove, file: { path: /etc/uncertain, state: absent } }] }
    - { name: Commit, shell: touch /etc/committed, irreversible: it cannot be undone }
`,
      ['--accept-irreversible', 'Commit'],
    );
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('the outcome of "Lost" on h1 is unknown') as string,
    });
    expect(bench.read('h1', 'etc/committed')).toBeUndefined();
    expect(bench.read('h1', 'etc/uncertain')).toBeUndefined();
  });
});

describeWith('root')('a full disk on the controller', () => {
  // The length decides which record is the first that does not fit.
  const lengths = [0, 40, 80, 120, 160, 200, 240, 280];
  it.each(lengths)(
    'fails the run before the next task; the rollback still succeeds (records longer by %i)',
    async (length) => {
      const { stateDir } = bench.cli;
      mkdirSync(stateDir, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', stateDir]);
      try {
        const { code, events } = await bench.play(
          `
- name: Full${'x'.repeat(length)}
  hosts: h1
  tasks:
    - { name: One, copy: { content: x, dest: /etc/full-one } }
    - { name: Pause, pause: { seconds: 1 } }
    - name: Two
      copy: { content: x, dest: '/etc/full-two-{{item}}' }
      loop: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    - { name: Three, copy: { content: x, dest: /etc/full-three } }
`,
          [],
          {
            onEvent: (event) => {
              if (!starts('Pause')(event)) return;
              const fill = Buffer.alloc(16 * 1024);
              try {
                for (let part = 0; part < 100; part++)
                  writeFileSync(join(stateDir, `fill-${String(part)}`), fill);
              } catch {
                // The disk is full except for the rest of the journal's last page. The records of "Two" do not fit there.
              }
            },
          },
        );
        expect(events.at(-1)).toMatchObject({
          outcome: 'rolled_back',
          message: expect.stringMatching(/Cannot write the journal .*: ENOSPC/) as string,
        });
        expect(code).toBe(3);
        expect(bench.read('h1', 'etc/full-one')).toBeUndefined();
        expect(bench.read('h1', 'etc/full-three')).toBeUndefined();
        expect(existsSync(join(stateDir, 'runs', runOf(events), 'closed'))).toBe(true);
        expect(readdirSync(join(stateDir, 'runs', runOf(events)))).not.toContain('reserve');
      } finally {
        execFileSync('umount', ['-l', stateDir]);
      }
    },
  );
});
