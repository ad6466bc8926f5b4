import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { hostsIn, stepNames, runOf } from '../helpers/cli.ts';
import { eventually } from '../helpers/eventually.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(4);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const file = (path: string, text: string) => bench.cli.file(path, text);

const resume = (run: string) => bench.cli.run(['resume', run, '--output', 'json']);

const stepIds = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'step-start' ? [event.step.id] : []));

/** Host and lines of /etc/NAME, for each host that has the file. */
const lines = (name: string): string[] =>
  bench.lab.hosts.flatMap((host) => {
    const text = bench.read(host.name, `etc/${name}`);
    return text === undefined ? [] : [`${host.name}: ${text.trim().split('\n').join(' ')}`];
  });

const append = (name: string) =>
  `{ name: Write, shell: 'echo {{item}} >>/etc/${name}', undo: [{ name: Unwrite, shell: "sed -i '/^{{item}}$/d' /etc/${name}; [ -s /etc/${name} ] || rm -f /etc/${name}" }] }`;

describe('include_tasks', () => {
  it('renders its path on each host and evaluates "when" only for the include itself', async () => {
    file('kinds/web.yml', `- { name: Web, copy: { content: web, dest: /etc/kind } }`);
    file('kinds/db.yml', `- { name: Db, copy: { content: db, dest: /etc/kind } }`);
    const { code, events } = await bench.play(`
- name: Kinds
  hosts: all
  tasks:
    - name: What it is
      set_fact: { kind: '{{#if (eq inventory_hostname "h1")}}web{{else}}db{{/if}}' }
    - name: By kind
      include_tasks: 'kinds/{{kind}}.yml'
      when: inventory_hostname != "h4"
      tags: [kind]
`);
    expect(code).toBe(0);
    expect(lines('kind')).toEqual(['h1: web', 'h2: db', 'h3: db']);
    expect(hostsIn(events, 'By kind', 'skipped')).toEqual(['h4']);
    expect(stepIds(events)).toEqual([
      'kinds/what-it-is',
      'kinds/by-kind',
      'kinds/by-kind/web/web',
      'kinds/by-kind/db/db',
    ]);
  });

  it('includes the file once for each item of a loop and never renders the data of an item', async () => {
    file(
      'each.yml',
      `- { name: Write, shell: "printf '%s\\\\n' '{{item.text}}' >>/etc/each-{{loop.index}}", undo: none }`,
    );
    const { code, events, stderr } = await bench.play(`
- name: Each
  hosts: h1
  tasks:
    - name: Each
      include_tasks: each.yml
      loop: [{ name: a, text: one }, { name: a, text: !raw '{{two}}' }]
`);
    expect(code, stderr).toBe(0);
    expect(bench.read('h1', 'etc/each-1')).toBe('one\n');
    expect(bench.read('h1', 'etc/each-2')).toBe('{{two}}\n');
    expect(stepIds(events).slice(1)).toEqual([
      expect.stringMatching(/^each\/each\/1-a-[0-9a-f]{8}\/write$/),
      expect.stringMatching(/^each\/each\/2-a-[0-9a-f]{8}\/write$/),
    ]);
  });

  it('runs each step once for all hosts that have the same item of a loop', async () => {
    file('part.yml', `- ${append('parted')}`);
    const { code, events } = await bench.play(`
- name: Parts
  hosts: h1, h2, h3
  tasks:
    - name: Items
      set_fact: { items: '{{#if (eq inventory_hostname "h3")}}b{{else}}a{{/if}}' }
    - { name: Part, include_tasks: part.yml, loop: ['{{items}}', c] }
`);
    expect(code).toBe(0);
    expect(lines('parted')).toEqual(['h1: a c', 'h2: a c', 'h3: b c']);
    expect(stepIds(events).slice(2)).toEqual([
      'parts/part/1-a/write',
      'parts/part/1-b/write',
      'parts/part/2-c/write',
    ]);
  });

  it('fails the hosts whose file does not exist, and "rescue" handles the failure', async () => {
    const { code, events } = await bench.play(`
- name: Missing
  hosts: h1, h2
  tasks:
    - name: Around
      block:
        - { name: Which, include_tasks: '{{inventory_hostname}}-only.yml' }
      rescue:
        - { name: Rescued, copy: { content: x, dest: /etc/rescued } }
`);
    expect(code).toBe(0);
    expect(hostsIn(events, 'Which', 'failed').sort()).toEqual(['h1', 'h2']);
    expect(events.find((event) => event.type === 'unit-end')?.message).toContain(
      'There is no file "h1-only.yml" to include. Looked in ',
    );
    expect(lines('rescued')).toEqual(['h1: x', 'h2: x']);
  });

  it('fails when the file is invalid, and the run is rolled back', async () => {
    file('wrong.yml', `- { name: Wrong, cpoy: { dest: /etc/x } }`);
    const { code, events } = await bench.play(`
- name: Wrong
  hosts: h1
  tasks:
    - { name: Which, set_fact: { which: wrong } }
    - { name: Before, copy: { content: x, dest: /etc/before-wrong } }
    - { name: Include, include_tasks: '{{which}}.yml' }
`);
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringMatching(
        /wrong\.yml:1:\d+: Unknown module or keyword "cpoy"/,
      ) as string,
    });
    expect(lines('before-wrong')).toEqual([]);
  });

  it.each([
    [
      'includes itself',
      `- { name: X, include_tasks: loop.yml }`,
      /includes itself: loop.yml → loop.yml/,
    ],
    [
      'contains a point of no return and is included in a loop',
      `- { name: X, shell: rm -rf /x, irreversible: gone }`,
      /point of no return cannot be in a loop/,
    ],
    [
      'contains a loop with the loop variable of the include',
      `- { name: X, debug: { msg: '{{item}}' }, loop: [1] }`,
      /loop variable "item" is already used by an enclosing loop/,
    ],
  ])('is rejected before the run starts when the file %s', async (_, text, message) => {
    file('loop.yml', text);
    const { code, events, stderr } = await bench.play(`
- name: Refused
  hosts: h1
  tasks: [{ name: Loop, include_tasks: loop.yml, loop: [1] }]
`);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(events).toEqual([]);
  });

  it('fails at 32 levels when a file includes itself through a template', async () => {
    file('deep.yml', `- { name: Deeper, include_tasks: '{{which}}.yml' }`);
    const { code, events } = await bench.play(`
- name: Deep
  hosts: h1
  vars: { which: deep }
  tasks: [{ name: Deep, include_tasks: '{{which}}.yml' }]
`);
    expect(code).toBe(2);
    expect(events.at(-1)).toMatchObject({
      message: expect.stringContaining('includes itself more than 32 levels deep') as string,
    });
  });

  it('defines the variables of every file that its path can match, and any variable when the path can be any file', async () => {
    file('kinds/web.yml', `- { name: Web, set_fact: { from_web: 1 } }`);
    file(
      'kinds/db.yml',
      `- { name: Db, command: { cmd: 'true', read_only: true }, register: from_db }`,
    );
    const text = (include: string, name: string) => `
- name: Names
  hosts: h1
  vars: { kind: web, path: kinds/web.yml }
  tasks:
    - { name: Kind, include_tasks: '${include}' }
    - { name: Say, debug: { msg: '{{default ${name} 2}} {{from_web}}' } }
`;
    expect((await bench.play(text('kinds/{{kind}}.yml', 'from_db'))).code).toBe(0);
    const unknown = await bench.play(
      text('kinds/{{kind}}.yml', 'x') + `    - { name: No, debug: { msg: '{{from_nowhere}}' } }\n`,
    );
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('Variable "from_nowhere" is not defined');
    expect((await bench.play(text('{{path}}', 'from_db'))).code).toBe(0);
  });

  it('ends as "unknown" in check mode when its path depends on a skipped command', async () => {
    file('kinds/web.yml', `- { name: Web, copy: { content: web, dest: /etc/kind-checked } }`);
    const { code, events } = await bench.play(
      `
- name: Check
  hosts: h1
  tasks:
    - { name: Ask, shell: 'echo web', register: kind, undo: none }
    - { name: By kind, include_tasks: 'kinds/{{kind.stdout}}.yml' }
    - { name: Known, include_tasks: 'kinds/{{lower "WEB"}}.yml' }
`,
      ['--check'],
    );
    expect(code).toBe(0);
    expect(hostsIn(events, 'By kind', 'unknown')).toEqual(['h1']);
    expect(hostsIn(events, 'Web', 'changed')).toEqual(['h1']);
    expect(lines('kind-checked')).toEqual([]);
  });

  it('runs the tasks with a selected tag inside the file even if the include has another tag', async () => {
    file(
      'tagged.yml',
      `- { name: Inside, debug: { msg: '{{item}}' }, tags: [inside] }\n- { name: Other, debug: { msg: x } }`,
    );
    const { code, events } = await bench.play(
      `
- name: Tags
  hosts: h1
  tasks:
    - { name: Loop, include_tasks: tagged.yml, loop: [a, b], tags: [outside] }
    - { name: Not, include_tasks: tagged.yml, loop: [c], tags: [not] }
`,
      ['--tags', 'inside', '--skip-tags', 'not'],
    );
    expect(code).toBe(0);
    expect(stepNames(events)).toEqual(['Loop', 'Inside', 'Inside']);
  });
});

describe('loops over roles, blocks and imports', () => {
  const role = () => {
    file(
      'roles/site/meta/main.yml',
      `inputs: { site: { type: string, required: true }, port: { type: integer, default: 80 } }`,
    );
    file(
      'roles/site/tasks/main.yml',
      `- { name: Site, copy: { content: '{{site}}:{{port}}', dest: '/etc/site-{{site}}' }, notify: [Restart site] }`,
    );
    file(
      'roles/site/handlers/main.yml',
      `- { name: Restart site, shell: 'echo {{site}} >>/etc/restarted', undo: none }`,
    );
  };

  it('"include_role" runs the role and its handlers for each item, with the inputs of that item', async () => {
    role();
    const { code, stderr } = await bench.play(`
- name: Sites
  hosts: h1
  tasks:
    - name: Sites
      include_role: { name: site }
      inputs: { site: '{{item.name}}', port: '{{item.port}}' }
      loop: [{ name: one, port: 1 }, { name: two, port: 2 }]
`);
    expect(code, stderr).toBe(0);
    expect(bench.read('h1', 'etc/site-one')).toBe('one:1');
    expect(bench.read('h1', 'etc/site-two')).toBe('two:2');
    expect(lines('restarted')).toEqual(['h1: one two']);
  });

  it('"include_role" accepts a template as the name and fails during the run when the role does not exist', async () => {
    role();
    const text = (name: string) => `
- name: Role
  hosts: h1
  vars: { which: ${name} }
  tasks:
    - { name: Role, include_role: '{{which}}', inputs: { site: by-name } }
`;
    expect((await bench.play(text('site'))).code).toBe(0);
    expect(bench.read('h1', 'etc/site-by-name')).toBe('by-name:80');
    const missing = await bench.play(text('sight'));
    expect(missing.code).toBe(2);
    expect(missing.events.at(-1)).toMatchObject({
      message: expect.stringContaining('"Role" failed') as string,
    });
  });

  it('a failure in one item of a looped block rolls back every item on all hosts', async () => {
    const { code, events } = await bench.play(`
- name: Blocks
  hosts: h1, h2
  tasks:
    - name: Each
      loop: [a, b, c]
      loop_control: { label: 'item {{item}}' }
      block:
        - ${append('blocks')}
        - { name: Fails at c, command: { argv: [test, '{{item}}', '!=', c] }, undo: none }
`);
    expect(code).toBe(3);
    expect(lines('blocks')).toEqual([]);
    expect(stepIds(events)).toContain('blocks/each/3-c/write');
  });

  it('a commit point inside a looped block keeps the items that reached it', async () => {
    const { code } = await bench.play(`
- name: Commits
  hosts: h1
  tasks:
    - name: Each
      loop: [a, b, c]
      block:
        - ${append('committed')}
        - { name: Fails at c, command: { argv: [test, '{{item}}', '!=', c] }, undo: none }
        - commit: item
`);
    expect(code).toBe(3);
    expect(lines('committed')).toEqual(['h1: a b']);
  });

  it('"import_tasks" and "import_role" reject loops and templates', async () => {
    const { code, stderr } = await bench.play(`
- name: Imports
  hosts: h1
  tasks:
    - { name: A, import_tasks: x.yml, loop: [1] }
    - { name: B, import_tasks: '{{x}}.yml' }
    - { name: C, import_role: '{{x}}' }
`);
    expect(code).toBe(1);
    expect(stderr).toContain('"import_tasks" cannot have a loop');
    expect(stderr).toContain('The path of "import_tasks" must be constant');
    expect(stderr).toContain('"import_role" cannot have a loop, or');
  });
});

describe('a run with includes', () => {
  const parts = `
- ${append('resumed')}
- { name: Gate, shell: 'test {{item}} != b || test -e /etc/open', args: { read_only: true } }
- name: Slow
  shell: 'test {{item}} != b || { touch /etc/slow; until test -e /etc/go; do sleep 0.05; done; }; echo {{item}}{{item}} >>/etc/resumed'
  undo: none
- { name: Note, copy: { content: '{{seen.stdout}}', dest: '/etc/resumed-{{item}}' }, notify: [Handle] }
`;
  /** The loop depends on the output of a command, which differs when the command runs again. */
  const text = `
- name: Resumed
  hosts: h1, h2
  handlers:
    - { name: Handle, shell: 'echo handled >>/etc/resumed', undo: none }
  tasks:
    - name: Which
      shell: 'test -e /etc/asked && echo z || { touch /etc/asked; echo a; }'
      register: seen
      undo: none
    - { name: Parts, include_tasks: '{{lower "PARTS"}}.yml', loop: ['{{seen.stdout}}', b, c] }
`;
  const whole = ['h1: a aa b bb c cc handled', 'h2: a aa b bb c cc handled'];
  /** "Gate" passes when /etc/open exists, "Slow" creates /etc/slow and waits for /etc/go. */
  const touch = (...names: string[]) => {
    for (const host of ['h1', 'h2'])
      for (const name of names) writeFileSync(join(bench.lab.host(host).root.dir, 'etc', name), '');
  };
  const isSlowRunning = () => lines('slow').length === 2;
  beforeEach(() => {
    file('parts.yml', parts);
  });

  it('resumes after a failure without evaluating the loop of the include again', async () => {
    const failed = await bench.play(text, ['--on-failure', 'stop']);
    expect(failed.code).toBe(5);
    expect(lines('resumed')).toEqual(['h1: a aa b', 'h2: a aa b']);
    touch('open', 'go');
    const { code, events } = await resume(runOf(failed.events));
    expect(code).toBe(0);
    expect(lines('resumed')).toEqual(whole);
    expect(bench.read('h1', 'etc/resumed-c')).toBe('a');
    expect(stepNames(events)).not.toContain('Parts');
    expect(hostsIn(events, 'Write', 'changed').sort()).toEqual(['h1', 'h2']);
  });

  it('resumes after an interrupt inside an included file', async () => {
    touch('open');
    const stopped = await bench.spawn(text, [], {
      onEvent: (event, child) => {
        if (event.type === 'step-start' && event.step.id === 'resumed/parts/2-parts-b/slow')
          void eventually(isSlowRunning).then(() => child.kill('SIGINT'));
        if (event.type === 'message' && event.text.startsWith('Interrupted')) touch('go');
      },
    });
    expect(stopped.code).toBe(130);
    expect(lines('resumed')).toEqual(['h1: a aa b bb', 'h2: a aa b bb']);
    const { code } = await resume(runOf(stopped.events));
    expect(code).toBe(0);
    expect(lines('resumed')).toEqual(whole);
  });

  const killedAtC = () =>
    bench.spawn(text, [], {
      onEvent: (event, child) => {
        if (event.type === 'step-start' && event.step.id === 'resumed/parts/3-parts-c/write')
          child.kill('SIGKILL');
      },
    });

  it('resumes after kill -9 inside an included file', async () => {
    touch('open', 'go');
    const killed = await killedAtC();
    expect(killed.code).toBeNull();
    const { code, events } = await resume(runOf(killed.events));
    expect(code).toBe(0);
    // That of the part before, too, when its result had not reached the journal.
    expect([...new Set(hostsIn(events, 'Note', 'changed'))].sort()).toEqual(['h1', 'h2']);
    expect(lines('resumed')).toEqual(whole);
  });

  it('rolls back after kill -9 without the included file', async () => {
    touch('open', 'go');
    const killed = await killedAtC();
    expect(killed.code).toBeNull();
    rmSync(join(bench.cli.dir, 'parts.yml'));
    expect((await bench.cli.run(['rollback', runOf(killed.events)])).code).toBe(3);
    expect(lines('resumed')).toEqual(['h1: aa bb', 'h2: aa bb']);
    expect(lines('resumed-b')).toEqual([]);
  });

  it('does not resume when an included file was edited', async () => {
    const failed = await bench.play(text, ['--on-failure', 'stop']);
    file('parts.yml', `${parts}\n# edited\n`);
    const { code, stderr } = await resume(runOf(failed.events));
    expect(code).toBe(1);
    expect(stderr).toMatch(/Files have changed since run .*parts\.yml/);
  });
});
