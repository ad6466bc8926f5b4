import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { Cli, hostsIn } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';
import { inTerminal } from '../helpers/terminal.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(async () => {
  await bench.reset();
  for (const { server } of bench.lab.hosts) server.setFault({});
});

const fails = `
    - { name: Fails, command: { cmd: 'false' }, undo: none }
`;

const undoEnds = (events: readonly RunEvent[]): [string, string, string][] =>
  events.flatMap((event): [string, string, string][] =>
    event.type === 'undo-end' ? [[event.step.name, event.host, event.state]] : [],
  );

const runOf = (events: readonly RunEvent[]): string =>
  events.find((event) => event.type === 'run-start')?.run ?? '';

const starts =
  (name: string) =>
  (event: RunEvent): boolean =>
    event.type === 'step-start' && event.step.name === name;

describe('around a rollback', () => {
  it('keeps evidence before, runs tasks after, and verifies; a play adds its own', async () => {
    const { code, events } = await bench.play(`
name: Around
rollback:
  before:
    - { name: What is there, command: { argv: [cat, /etc/around] } }
  after:
    - { name: Sign off, copy: { content: '{{inventory_hostname}}', dest: /etc/signed-off } }
plays:
  - name: Around
    hosts: h1, h2
    vars: { word: changed }
    rollback:
      verify:
        - { name: Is gone, shell: '! test -e /etc/around' }
    tasks:
      - { name: Change, copy: { content: '{{word}}', dest: /etc/around } }
      - { name: Fails, command: { cmd: 'false' }, undo: none }
`);
    expect(code).toBe(3);
    const output = join(bench.cli.stateDir, 'runs', runOf(events), 'output');
    expect(readFileSync(join(output, 'evidence.h1.what-is-there'), 'utf8')).toBe('changed\n');
    expect(bench.read('h1', 'etc/around')).toBeUndefined();
    expect(bench.read('h2', 'etc/signed-off')).toBe('h2');
    const checks = events.flatMap((event) =>
      event.type === 'fingerprint' && event.equal ? [`${event.name} ${event.host}`] : [],
    );
    expect(checks).toEqual(expect.arrayContaining(['Is gone h1', 'Is gone h2']));
    expect(checks).toEqual(expect.arrayContaining(['1 automatic undo h1', '1 automatic undo h2']));
  });

  it('has its names checked before anything is contacted', async () => {
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

  it('is not verified when a check fails or a file is not as it was', async () => {
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
        /not everything is as before: 1 automatic undo on h1, "Never true" on h1/,
      ) as string,
    });
    expect(events.find((event) => event.type === 'fingerprint' && !event.equal)).toMatchObject({
      message: expect.stringContaining('/etc/not-the-same would still need') as string,
    });
  });

  it('tells an undo on which hosts it failed, and what the groups are now', async () => {
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

  it('runs the undo of a read-only step that asks for it: a gate between nodes on the way back', async () => {
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

describe('copies taken aside', () => {
  const root = () => bench.lab.host('h1').root.dir;
  const text = `
- name: Copies
  hosts: h1
  tasks:
    - { name: Change, copy: { content: new, dest: /etc/copied } }
    - { name: Remove, file: { path: /etc/copied-folder, state: absent } }
`;
  const setUp = () => {
    writeFileSync(join(root(), 'etc/copied'), 'old');
    mkdirSync(join(root(), 'etc/copied-folder/below'), { recursive: true });
    writeFileSync(join(root(), 'etc/copied-folder/below/file'), 'old');
  };
  const damage = async (name: RegExp, content: string | undefined) => {
    const { events } = await bench.play(`${text}${fails}`, ['--on-failure', 'stop']);
    const folder = join(root(), 'var/lib/runner/runs', runOf(events), 'captures');
    for (const copy of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.test(copy)) continue;
      if (content === undefined) rmSync(join(folder, copy), { recursive: true });
      else writeFileSync(join(folder, copy), content);
    }
    return bench.cli.run(['rollback', runOf(events), '--output', 'json']);
  };

  it('bring files and whole folders back', async () => {
    setUp();
    expect((await bench.play(`${text}${fails}`)).code).toBe(3);
    expect(bench.read('h1', 'etc/copied')).toBe('old');
    expect(bench.read('h1', 'etc/copied-folder/below/file')).toBe('old');
  });

  it.each([
    ['damaged', 'rubbish'],
    ['gone', undefined],
  ])('that are %s are replaced by that of the controller', async (_, content) => {
    setUp();
    expect((await damage(/^1\.0$/, content)).code).toBe(3);
    expect(bench.read('h1', 'etc/copied')).toBe('old');
  });

  it('that are damaged, with none on the controller, are not used', async () => {
    setUp();
    const { code, events } = await damage(/below\/file$/, 'rubbish');
    expect(code).toBe(4);
    expect(undoEnds(events)).toEqual([
      ['Remove', 'h1', 'undo-failed'],
      ['Change', 'h1', 'undo-blocked'],
    ]);
    expect(events.find((event) => event.type === 'undo-end')).toMatchObject({
      message: expect.stringContaining('is not what was copied') as string,
    });
    expect(bench.read('h1', 'etc/copied-folder/below/file')).toBeUndefined();
  });
});

describe('a block with an undo of its own', () => {
  it('is undone when something inside changed that has no undo itself', async () => {
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

  it('is not undone when nothing inside it was, and keeps nothing back', async () => {
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

describe('an error of the playbook that only the run can find', () => {
  it('is a failure, and what was done goes back', async () => {
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

describe('an undo that fails', () => {
  it('blocks what came before on that host and what is shared; other hosts go on', async () => {
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

  it('keeps nothing back with undo_error: continue', async () => {
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

  it('is blocked, not failed, when a secret is missing, and goes on when it is given', async () => {
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
    - { name: Goes on, copy: { content: x, dest: /etc/rolling-on } }
`;

  it('takes a failed host back alone, when its batch is over, and goes on', async () => {
    const { code, events } = await bench.play(playbook('1'));
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      outcome: 'done_in_part',
      message: expect.stringContaining('h1') as string,
    });
    expect(undoEnds(events)).toEqual([['Change', 'h1', 'undone']]);
    expect(bench.read('h1', 'etc/rolling')).toBeUndefined();
    expect(bench.read('h1', 'etc/rolling-once')).toBe('x');
    expect(hostsIn(events, 'Goes on', 'changed').sort()).toEqual(['h2', 'h3', 'h4']);
    const undoAt = events.findIndex((event) => event.type === 'undo-end');
    const nextBatch = events.findIndex((event) => event.type === 'play-start' && event.batch === 2);
    expect(undoAt).toBeLessThan(nextBatch);
    for (const host of ['h1', 'h2', 'h3', 'h4'])
      for (const name of ['rolling', 'rolling-on', 'rolling-once'])
        rmSync(join(bench.lab.host(host).root.dir, 'etc', name), { force: true });
  });

  it('says when that host cannot be taken back, and is over when that is made up for', async () => {
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
    writeFileSync(join(bench.lab.host('h1').root.dir, 'etc/unstuck'), '');
    const again = await bench.cli.run(['rollback', '--host', 'h1', '--output', 'json']);
    expect(again.code, again.stdout).toBe(3);
    expect(again.events.at(-1)).toMatchObject({ outcome: 'done_in_part', next: [] });
    expect(bench.read('h1', 'etc/stuck')).toBeUndefined();
    expect(bench.read('h2', 'etc/stuck')).toBe('x');
    expect(bench.read('h1', 'var/lib/runner/lock')).toBeUndefined();
    rmSync(join(bench.lab.host('h2').root.dir, 'etc/stuck'));
  });

  it('fails the run when more fail than may, also in per cent', async () => {
    const { code, events } = await bench.play(playbook('49%'));
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({ outcome: 'rolled_back' });
    expect(hostsIn(events, 'Goes on', 'changed')).toEqual([]);
    expect(bench.read('h2', 'etc/rolling')).toBeUndefined();
  });
});

describe('a host that is away', () => {
  it('waits while the others go back, and is taken back when it returns', async () => {
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
      [],
      {
        onEvent: (event) => {
          if (starts('Third')(event)) server.setFault({ refuse: true });
          if (event.type === 'message' && event.text.includes('tried again')) server.setFault({});
        },
      },
    );
    expect(code).toBe(3);
    const order = undoEnds(events).map(([step, host]) => `${step} ${host}`);
    expect(order.indexOf('First h1')).toBeLessThan(order.indexOf('First h2'));
    expect(bench.read('h2', 'etc/away-first')).toBeUndefined();
  });
});

describe('locks', () => {
  const text = `
- name: Locked
  hosts: h1, h2
  tasks:
    - { name: Change, copy: { content: '{{run.id}}', dest: /etc/locked } }
    - { name: Slow, shell: 'while test -e /run/cluster/wait; do sleep 0.1; done', undo: none }
`;
  const wait = () => join(bench.lab.files.shared, 'wait');
  /** Another machine: the same hosts, another state folder. */
  const other = () => {
    const cli = new Cli({ RUNNER_KNOWN_HOSTS: bench.lab.files.knownHosts });
    const playbook = cli.file('playbook.yml', text);
    const hosts = cli.file('inventory.yml', readFileSync(bench.inventory, 'utf8'));
    return { cli, args: ['play', playbook, '-i', hosts] };
  };

  it('a second controller is refused with who, since when, and the way out; nothing is changed', async () => {
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
        `h1 is held by run ${runOf(first.events)} of \\S+@\\S+ since 20.*last heard of \\d+ s ago`,
      ),
    );
    expect(second?.stdout).toContain(`--take-over ${runOf(first.events)}`);
    expect(first.code).toBe(0);
    expect(bench.read('h1', 'var/lib/runner/lock')).toBeUndefined();
    const third = await cli.run(args);
    expect(third.code, third.stdout).toBe(0);
    cli.dispose();
  });

  it("a dead run's lock stays, is adopted by its rollback, and can be taken over on demand", async () => {
    rmSync(join(bench.lab.host('h1').root.dir, 'etc/locked'), { force: true });
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
    // The other run is over and gave the hosts back.
    expect(late.code, late.stdout + late.stderr).toBe(3);
    expect(bench.read('h2', 'var/lib/runner/lock')).toBeUndefined();
    cli.dispose();
  });
});

describe('an interrupt', () => {
  const text = `
- name: Interrupted
  hosts: h1
  tasks:
    - { name: One, copy: { content: x, dest: /etc/interrupted-one } }
    - { name: Two, shell: 'sleep 0.5; touch /etc/interrupted-two', undo: [{ name: Remove, shell: 'sleep 0.3; rm -f /etc/interrupted-two' }] }
    - { name: Three, copy: { content: x, dest: /etc/interrupted-three } }
`;
  const clean = () => {
    for (const name of ['one', 'two', 'three'])
      rmSync(join(bench.lab.host('h1').root.dir, `etc/interrupted-${name}`), { force: true });
  };
  const interrupt = (extra: string[]) =>
    bench.spawn(text, extra, {
      onEvent: (event, child) => {
        if (starts('Two')(event)) child.kill('SIGINT');
      },
    });

  it('finishes what runs, then leaves without a terminal', async () => {
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
    clean();
  });

  it('rolls back with --on-interrupt rollback', async () => {
    const { code, events } = await interrupt(['--on-interrupt', 'rollback']);
    expect(code).toBe(3);
    expect(undoEnds(events).map(([step]) => step)).toEqual(['Two', 'One']);
    expect(bench.read('h1', 'etc/interrupted-two')).toBeUndefined();
  });

  it('goes on with --on-interrupt continue, and does nothing twice', async () => {
    const { code, events } = await interrupt(['--on-interrupt', 'continue']);
    expect(code).toBe(0);
    expect(events.filter(starts('Two'))).toHaveLength(1);
    expect(bench.read('h1', 'etc/interrupted-three')).toBe('x');
    clean();
  });

  it('twice gives up what runs, whose outcome is then asked of the host', async () => {
    const { code, events } = await bench.spawn(
      `
- name: Given up
  hosts: h1
  tasks:
    - name: Long
      shell: 'touch /etc/given-up; sleep 60'
      undo: [{ name: Remove, shell: 'rm -f /etc/given-up' }]
`,
      [],
      {
        onEvent: (event, child) => {
          if (!starts('Long')(event)) return;
          setTimeout(() => child.kill('SIGINT'), 300);
          setTimeout(() => child.kill('SIGINT'), 600);
        },
      },
    );
    expect(code).toBe(130);
    expect(hostsIn(events, 'Long', 'unknown')).toEqual(['h1']);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/given-up')).toBeUndefined();
  });

  it('in a rollback pauses it after the undo that runs', async () => {
    const { code, events } = await bench.spawn(`${text}${fails}`, [], {
      onEvent: (event, child) => {
        if (event.type === 'undo-end' && event.step.name === 'Three') child.kill('SIGINT');
      },
    });
    expect(code).toBe(130);
    expect(events.at(-1)).toMatchObject({
      outcome: 'interrupted',
      message: expect.stringContaining('The rollback is paused') as string,
    });
    expect(undoEnds(events).length).toBeLessThan(3);
    expect((await bench.cli.run(['rollback'])).code).toBe(3);
    expect(bench.read('h1', 'etc/interrupted-one')).toBeUndefined();
  });

  const down = '\u001b[B';

  it.each<[string, string, number, string | undefined]>([
    ['continue', '\r', 0, 'x'],
    ['roll back', `${down}\r`, 3, undefined],
    ['leave', `${down}${down}\r`, 130, undefined],
  ])('in a terminal asks: %s', async (_, answer, code, three) => {
    const playbook = bench.cli.file('terminal.yml', text);
    const ended = await inTerminal(
      bench,
      ['play', playbook, '-i', bench.inventory],
      [
        ['Two', '\u0003'],
        ['What now?', answer],
      ],
    );
    expect(ended.code).toBe(code);
    expect(bench.read('h1', 'etc/interrupted-three')).toBe(three);
    expect(bench.read('h1', 'etc/interrupted-one')).toBe(code === 3 ? undefined : 'x');
    clean();
  });
});

describe('a resumed loop', () => {
  it('goes on with the item that failed, and keeps what the others registered', async () => {
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

describe('before a point of no return', () => {
  it('nothing may be uncertain', async () => {
    const { code, events } = await bench.play(
      `
- name: Uncertain
  hosts: h1
  tasks:
    - { name: Lost, shell: 'touch /etc/uncertain; sleep 30', timeout: 1, ignore_errors: true, undo: [{ name: Remove, file: { path: /etc/uncertain, state: absent } }] }
    - { name: Pivot, shell: touch /etc/pivot, irreversible: it is said }
`,
      ['--accept-irreversible', 'Pivot'],
    );
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('the outcome of "Lost" on h1 is not known') as string,
    });
    expect(bench.read('h1', 'etc/pivot')).toBeUndefined();
    expect(bench.read('h1', 'etc/uncertain')).toBeUndefined();
  });
});

describe.skipIf(process.getuid?.() !== 0)('a full disk under the journal (needs root)', () => {
  it('stops the run before the next step, and what was done is taken back all the same', async () => {
    const { stateDir } = bench.cli;
    mkdirSync(stateDir, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', stateDir]);
    try {
      const { code, events } = await bench.play(
        `
- name: Full
  hosts: h1
  tasks:
    - { name: One, copy: { content: x, dest: /etc/full-one } }
    - { name: Pause, pause: { seconds: 1 } }
    - { name: Two, copy: { content: x, dest: /etc/full-two } }
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
              // Full.
            }
          },
        },
      );
      expect(events.at(-1)).toMatchObject({
        outcome: 'rolled_back',
        message: expect.stringContaining('cannot be written: ENOSPC') as string,
      });
      expect(code).toBe(3);
      expect(bench.read('h1', 'etc/full-one')).toBeUndefined();
      expect(bench.read('h1', 'etc/full-three')).toBeUndefined();
      expect(existsSync(join(stateDir, 'runs', runOf(events), 'closed'))).toBe(true);
      expect(readdirSync(join(stateDir, 'runs', runOf(events)))).not.toContain('reserve');
    } finally {
      execFileSync('umount', ['-l', stateDir]);
    }
  });
});
