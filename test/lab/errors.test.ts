import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/output/events.ts';
import { packageRoot } from '../../src/util/package.ts';
import { HostsBench } from '../helpers/hosts.ts';

/* In each row of the table in docs/errors.md, h1 fails and h2 does not. */

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(2);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const fails = '{ name: Fails, fail: { msg: no }, when: inventory_hostname == "h1" }';
const later = '{ name: Later, debug: { msg: x } }';
const rescue = '{ name: Rescue, debug: { msg: x } }';
const always = '{ name: Always, debug: { msg: x } }';
const block = (inside: string, more: string) =>
  `- name: Block\n  block:\n    - ${inside}\n${more.replaceAll(/^/gm, '  ')}\n`;

interface Row {
  /** First column of the table in docs/errors.md. */
  title: string;
  tasks: string;
  /** Keywords of the play. */
  play?: string;
  /** Hosts on which the task of this name ended ok. */
  ok: Partial<Record<'Rescue' | 'Always' | 'Later' | 'Next', string>>;
  code: number;
  /** Host that refuses connections. */
  refuse?: string;
}

const rows: Row[] = [
  { title: 'a task fails', tasks: `- ${fails}\n- ${later}`, ok: {}, code: 2 },
  {
    title: 'a task fails, something was changed before',
    tasks: `- { name: Change, copy: { content: x, dest: /run/errors } }\n- ${fails}\n- ${later}`,
    ok: {},
    code: 3,
  },
  {
    title: 'a task fails, `ignore_errors`',
    tasks: `- ${fails.replace(' }', ' }, ignore_errors: true')}\n- ${later}`,
    ok: { Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a command fails, but `failed_when` is false',
    tasks: `- { name: Fails, command: { cmd: 'false', read_only: true }, failed_when: false }\n- ${later}`,
    ok: { Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a task in a block with a rescue fails',
    tasks: `${block(fails, `rescue:\n  - ${rescue}\nalways:\n  - ${always}`)}- ${later}`,
    ok: { Rescue: 'h1', Always: 'h1 h2', Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a task in a block with only an always fails',
    tasks: `${block(fails, `always:\n  - ${always}`)}- ${later}`,
    ok: { Always: 'h1 h2' },
    code: 2,
  },
  {
    title: 'the rescue also fails',
    tasks: `${block(fails, `rescue:\n  - ${rescue}\n  - { name: Worse, fail: { msg: no } }\nalways:\n  - ${always}`)}- ${later}`,
    ok: { Rescue: 'h1', Always: 'h1 h2' },
    code: 2,
  },
  {
    title: 'the rescue succeeds, the always fails',
    tasks: `${block(fails, `rescue:\n  - ${rescue}\nalways:\n  - ${always}\n  - { name: Worse, fail: { msg: no }, when: inventory_hostname == "h1" }`)}- ${later}`,
    ok: { Rescue: 'h1', Always: 'h1 h2' },
    code: 2,
  },
  {
    title: 'an inner rescue fails, an outer block has a rescue',
    tasks: `- name: Outer
  block:
    - name: Inner
      block:
        - ${fails}
      rescue:
        - { name: Worse, fail: { msg: worse } }
      always:
        - ${always}
  rescue:
    - ${rescue}
    - { name: Why, assert: { that: ['failed.task == "Worse"', 'failed.message == "worse"'] } }
- ${later}`,
    ok: { Rescue: 'h1', Always: 'h1 h2', Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'one host fails in a block with `any_errors_fatal` and a rescue',
    tasks: `${block(fails.replace(' }', ' }, any_errors_fatal: true'), `rescue:\n  - ${rescue}`)}- ${later}`,
    ok: { Rescue: 'h1 h2', Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a task with `run_once` fails in a block with a rescue',
    tasks: `${block('{ name: Fails, run_once: true, fail: { msg: no } }', `rescue:\n  - ${rescue}`)}- ${later}`,
    ok: { Rescue: 'h1 h2', Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a host fails, within `max_failures`',
    tasks: `- ${fails}\n- ${later}`,
    play: '  max_failures: 1\n',
    ok: { Later: 'h2', Next: 'h2' },
    code: 3,
  },
  {
    title: 'a handler fails',
    tasks: `- { name: Change, shell: 'true', undo: none, notify: Handler }\n- { meta: flush_handlers }\n- ${later}`,
    play: '  handlers: [{ name: Handler, fail: { msg: no }, when: inventory_hostname == "h1" }]\n',
    ok: {},
    code: 3,
  },
  {
    title: 'a template uses an undefined name, `ignore_errors`',
    tasks: `- { name: Set, set_fact: { here: x }, when: inventory_hostname == "h2" }
- { name: Fails, debug: { msg: '{{here}}' }, ignore_errors: true }
- ${later}`,
    ok: {},
    code: 2,
  },
  {
    title: 'a host cannot be reached',
    tasks: `- { name: Fails, command: { cmd: 'true', read_only: true } }\n- ${later}`,
    refuse: 'h1',
    ok: {},
    code: 2,
  },
  {
    title: 'a host cannot be reached, `ignore_errors`',
    tasks: `- { name: Fails, command: { cmd: 'true', read_only: true }, ignore_errors: true }\n- ${later}`,
    refuse: 'h1',
    ok: {},
    code: 2,
  },
  {
    title: 'a host cannot be reached, `ignore_unreachable`',
    tasks: `- { name: Fails, command: { cmd: 'true', read_only: true }, ignore_unreachable: true }\n- ${later}`,
    refuse: 'h1',
    ok: { Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
  {
    title: 'a host cannot be reached in a block with rescue and always',
    tasks: `${block("{ name: Fails, command: { cmd: 'true', read_only: true } }", `rescue:\n  - ${rescue}\nalways:\n  - ${always}`)}- ${later}`,
    refuse: 'h1',
    ok: { Rescue: 'h1', Always: 'h1 h2', Later: 'h1 h2', Next: 'h1 h2' },
    code: 0,
  },
];

describe('the table "When something fails" of docs/errors.md', () => {
  const page = readFileSync(join(packageRoot(), 'docs', 'errors.md'), 'utf8');
  const hosts = (events: readonly RunEvent[], name: string) =>
    events
      .flatMap((event) =>
        event.type === 'unit-end' && event.step.name === name && event.state === 'ok'
          ? [event.host]
          : [],
      )
      .sort()
      .join(' ');

  const cases = rows.map((row) => [row.title, row] as const);
  it.each(cases)('holds when %s', async (title, { tasks, play = '', ok, code, refuse }) => {
    const text = `- name: Play\n  hosts: all\n${play}  tasks:\n${tasks.trim().replaceAll(/^/gm, '    ')}\n- name: Second\n  hosts: all\n  tasks: [{ name: Next, debug: { msg: x } }]\n`;
    if (refuse !== undefined) bench.lab.host(refuse).server.setFault({ refuse: true });
    // Short, so that the refusing host fails soon, but long enough for the other host on a slow machine.
    const patience = refuse === undefined ? [] : ['--connect-timeout', '3'];
    const result = await bench.play(text, patience);
    expect(result.code, result.stdout + result.stderr).toBe(code);
    const seen = Object.fromEntries(
      (['Rescue', 'Always', 'Later', 'Next'] as const)
        .map((name) => [name, hosts(result.events, name)] as const)
        .filter(([, where]) => where !== ''),
    );
    expect(seen).toEqual(ok);
    const cell = (name: keyof Row['ok']) => ok[name] ?? '-';
    const row = [title, cell('Rescue'), cell('Always'), cell('Later'), cell('Next'), String(code)];
    const found = page.split('\n').find((line) => line.startsWith(`| ${title} `));
    expect(
      found
        ?.split('|')
        .slice(1, -1)
        .map((part) => part.trim()),
    ).toEqual(row);
  });

  it('has no row without a test', () => {
    const listed = page
      .split('\n')
      .filter((line) => /^\| .* \| \d \|$/.test(line.replaceAll(/ +/g, ' ')));
    expect(listed).toHaveLength(rows.length);
  });
});

describe('the heading of a play', () => {
  it('lists the hosts that are excluded because they failed in an earlier play', async () => {
    const text = `- name: Play
  hosts: all
  max_failures: 1
  tasks:
    - ${fails}
- name: Second
  hosts: all
  tasks: [${later}]
`;
    const playbook = bench.cli.file('left.yml', text);
    const { stdout } = await bench.cli.run(['play', playbook, '-i', bench.inventory]);
    expect(stdout).toContain('Second: h2\n  not run on h1: failed earlier and rolled back\n');
  });
});
