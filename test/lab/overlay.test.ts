import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const file = (path: string, text: string) => bench.cli.file(path, text);

const log = (word: string) =>
  `{ name: ${word}, shell: 'echo ${word} >>/etc/log', undo: [{ name: Un${word}, shell: "sed -i '/^${word}$/d' /etc/log" }] }`;

const base = `
name: Base
inputs:
  word: { type: string, default: plain, description: a word }
plays:
  - name: Work
    hosts: all
    tasks:
      - ${log('one')}
      - name: Group
        block:
          - ${log('two')}
          - ${log('three')}
      - name: Say
        shell: 'echo {{word}} >>/etc/log'
        undo: [{ name: Unsay, shell: "sed -i '/^{{word}}$/d' /etc/log" }]
      - name: Each
        include_tasks: each.yml
        loop: [x, y]
      - name: last
        include_role: last
`;

/** The base playbook "base/site.yml", with a role and an included file. */
function writeBase(): void {
  file('base/site.yml', base);
  file('base/each.yml', `- ${log('each')}`);
  file('base/roles/last/tasks/main.yml', `- ${log('last')}`);
}

function playOverlay(text: string, extra: string[] = []) {
  writeBase();
  return bench.play(`extends: base/site.yml\n${text}`, extra);
}

/** The words that the steps wrote to /etc/log of a host, in order. */
const lines = (host = 'h1') => (bench.read(host, 'etc/log') ?? '').trim().split('\n').join(' ');

describe('an overlay', () => {
  it('inserts, replaces and disables steps of the base playbook', async () => {
    file('tasks/more.yml', `- ${log('included')}`);
    file('templates/word.hbs', 'from {{word}}');
    const { code, events, stderr } = await playOverlay(`
inputs: { word: { default: mine } }
changes:
  - before: work/one
    tasks:
      - ${log('zero')}
  - after: work/group/two
    tasks:
      - include_tasks: tasks/more.yml
      - name: Word
        template: { src: word.hbs, dest: /etc/word }
        when: inventory_hostname == "h2"
  - replace: work/group/three
    tasks: [${log('drei')}]
  - disable: work/each
    reason: nothing to do for each here
`);
    expect(code, stderr).toBe(0);
    expect(lines()).toBe('zero one two included drei mine last');
    expect(bench.read('h2', 'etc/word')).toBe('from mine');
    expect(hostsIn(events, 'Word', 'skipped')).toEqual(['h1']);
    const start = events.find(({ type }) => type === 'run-start');
    expect(start).toMatchObject({
      playbook: 'Base',
      changes: [
        expect.stringMatching(/^added before work\/one, by .*playbook\.yml:5$/),
        expect.stringContaining('added after work/group/two'),
        expect.stringContaining('replaced work/group/three'),
        expect.stringContaining('disabled work/each (nothing to do for each here)'),
      ],
    });
  });

  it('changes steps inside loops and roles, adds plays and extends another overlay', async () => {
    writeBase();
    file(
      'middle.yml',
      `
extends: base/site.yml
changes:
  - after: work/each/each/each
    tasks: [${log('more')}]
  - after: work
    plays: [{ name: Further, hosts: h1, tasks: [${log('further')}] }]
`,
    );
    const { code, stderr } = await bench.play(`
extends: middle.yml
name: Top
changes:
  - before: work/each/each/each/after/more
    tasks: [${log('topmost')}]
  - replace: work/last
    tasks: [${log('end')}]
  - before: further
    plays: [{ name: Between, hosts: h1, tasks: [${log('between')}] }]
`);
    expect(code, stderr).toBe(0);
    expect(lines()).toBe(
      'one two three plain each topmost more each topmost more end between further',
    );
  });

  it('rolls back and resumes like a playbook without an overlay', async () => {
    const overlay = `
changes:
  - after: work/group
    tasks:
      - ${log('inserted')}
      - { name: Gate, shell: test -e /etc/open, undo: none, args: { read_only: true } }
`;
    const first = await playOverlay(overlay);
    expect(first.code).toBe(3);
    expect(lines()).toBe('');
    const second = await playOverlay(overlay, ['--on-failure', 'stop']);
    expect(second.code).toBe(5);
    expect(lines()).toBe('one two three inserted');
    const run = second.events.find((event) => event.type === 'run-start')?.run ?? '';
    for (const { root } of bench.lab.hosts) writeFileSync(join(root.dir, 'etc/open'), '');
    const resumed = await bench.cli.run(['resume', run, '--output', 'json']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(stepNames(resumed.events)).toContain('Gate');
    expect(lines()).toBe('one two three inserted plain each each last');
    const back = await bench.cli.run(['rollback', run, '--output', 'json']);
    expect(back.code, back.stderr).toBe(3);
    expect(lines()).toBe('');
  });

  it('shows the IDs of all its steps in "plan --list-tasks" without an inventory', async () => {
    await playOverlay(
      'changes: [{ before: work/one, tasks: [{ name: Zero, debug: { msg: x } }] }]',
    );
    const path = join(bench.cli.dir, 'playbook.yml');
    const { code, stdout } = await bench.cli.run(['plan', path, '--list-tasks']);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trim())).toEqual([
      `# added before work/one, by ${path}:2`,
      'work',
      'work/one/before/zero',
      'work/one',
      'work/group',
      'work/group/two',
      'work/group/three',
      'work/say',
      'work/each',
      'work/each/each/each',
      'work/last',
      'work/last/last',
      '',
    ]);
  });

  it.each([
    [
      'names an unknown step',
      'changes: [{ after: work/grup, tasks: [{ name: A, debug: { msg: x } }] }]',
      'There is no step "work/grup". Did you mean "work/group"?',
    ],
    [
      'disables a step without a reason',
      'changes: [{ disable: work/one }]',
      '"disable" needs a "reason".',
    ],
    ['has a change without tasks', 'changes: [{ after: work/one }]', '"after" needs "tasks"'],
    [
      'has a change with two places',
      'changes: [{ after: work/one, before: work/one }]',
      'A change needs exactly one of',
    ],
    [
      'adds tasks next to a play',
      'changes: [{ after: work, tasks: [{ name: A, debug: { msg: x } }] }]',
      'use "plays", not "tasks"',
    ],
    [
      'adds plays next to a task',
      'changes: [{ after: work/one, plays: [{ name: A, hosts: h1 }] }]',
      'use "tasks", not "plays"',
    ],
    [
      'both disables and replaces a step',
      'changes: [{ disable: work/one, reason: a }, { replace: work/one, tasks: [{ name: A, debug: { msg: x } }] }]',
      '"work/one" is replaced or disabled twice.',
    ],
    ['has an unknown key', 'plays: []', 'Unknown key "plays" in an overlay.'],
    [
      'has a change with an unknown key',
      'changes: [{ disable: work/one, reason: a, task: [] }]',
      'Unknown key "task" in a change.',
    ],
    [
      'disables a step and gives tasks for it',
      'changes: [{ disable: work/one, reason: a, tasks: [{ name: A, debug: { msg: x } }] }]',
      '"disable" cannot have "tasks" or "plays".',
    ],
    [
      'adds a task with an unknown module',
      'changes: [{ after: work/one, tasks: [{ name: A, png: }] }]',
      'Unknown module or keyword "png"',
    ],
  ])('is rejected when it %s', async (_, text, message) => {
    const { code, stderr } = await playOverlay(text);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/playbook\.yml:2:\d+/);
    expect(code).toBe(1);
  });

  it('is rejected when its base playbook does not exist or extends it in turn', async () => {
    const nothing = await bench.play('extends: nothing.yml');
    expect(nothing.stderr).toContain('There is no playbook "nothing.yml" to extend.');
    file('a.yml', 'extends: playbook.yml');
    const loop = await bench.play('extends: a.yml');
    expect(loop.stderr).toContain('"playbook.yml" extends itself.');
    expect([nothing.code, loop.code]).toEqual([1, 1]);
  });

  it('extends a shipped playbook by name and replaces one of its roles', async () => {
    file('roles/mke4_output/tasks/main.yml', `- ${log('mine')}`);
    file('top.yml', 'extends: upgrade.yml');
    const { code, stdout, stderr } = await bench.cli.run([
      'plan',
      join(bench.cli.dir, 'top.yml'),
      '--list-tasks',
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('output-the-new-mke-4-config-file/mke4-output/mine\n');
  });
});
