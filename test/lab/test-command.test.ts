import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cli, type CliResult } from '../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

const TIMEOUT_MS = 180_000;
const test = (...args: string[]) => cli.run(['test', ...args], { timeoutMs: TIMEOUT_MS });

describe('runner test', () => {
  it('plays a playbook twice and reports the tasks that change again', async () => {
    const playbook = cli.file(
      'again.yml',
      `- name: Again
  hosts: web
  tasks:
    - { name: Settles, copy: { content: '{{word}}', dest: /etc/settles } }
    - { name: Never settles, shell: 'echo x >>/etc/grows', undo: none }
`,
    );
    const inventory = cli.file(
      'inventory.yml',
      'all: { children: { web: { hosts: { one: { word: hello }, two: { word: world } } } } }\n',
    );
    const { code, stdout } = await test(playbook, '-i', inventory);
    expect(stdout).toContain('changed again  Never settles on one');
    expect(stdout).toContain('changed again  Never settles on two');
    expect(stdout).not.toContain('changed again  Settles');
    expect(code).toBe(10);
  });

  it('prepares the lab with the playbook of --prepare, and reports a failed first play', async () => {
    const prepare = cli.file(
      'prepare.yml',
      '- { name: P, hosts: all, tasks: [{ name: Ready, copy: { content: ready, dest: /etc/ready } }] }\n',
    );
    const playbook = cli.file(
      'needs.yml',
      `- name: Needs
  hosts: all
  tasks:
    - { name: Look, command: { argv: [grep, -q, ready, /etc/ready], read_only: true } }
`,
    );
    const without = await test(playbook, '--hosts', '1');
    expect(without.code).toBe(2);
    expect(without.stdout).toContain('The run without faults failed');
    const prepared = await test(playbook, '--hosts', '1', '--prepare', prepare);
    expect(prepared.stdout).toContain('Second play: nothing changed.');
    expect(prepared.code).toBe(0);
  });

  it('passes secret inputs by environment variable, and the arguments after "--" to the playbook', async () => {
    const playbook = cli.file(
      'inputs.yml',
      `name: Inputs
inputs:
  hosts: { type: string, required: true, description: called like a flag }
  token: { type: string, secret: true, required: true, env: TEST_TOKEN, description: secret }
  unnamed: { type: string, secret: true, default: none, description: secret without a variable }
plays:
  - name: Inputs
    hosts: all
    tasks:
      - { name: Check, assert: { that: ['hosts == "web"', 'token == "canary-77"'] } }
`,
    );
    for (const [flags, env] of [
      [['--token', 'canary-77'], {}],
      [[], { TEST_TOKEN: 'canary-77' }],
    ] as const) {
      const args = ['test', playbook, '--hosts', '1', ...flags, '--', '--hosts', 'web'];
      const { code, stdout, stderr } = await cli.run(args, { env });
      expect(code, stdout + stderr).toBe(0);
    }
    const refused = await test(playbook, '--unnamed', 'x', '--', '--hosts', 'web');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--unnamed-file');
  });

  it.each([
    [['nothing.yml'], 'There is no playbook'],
    [[], 'needs the name of a playbook'],
    [['upgrade.yml', '--chaos', '--faults', 'fial'], 'did you mean "fail"'],
    [['site.yml', '--steps', '1'], 'require --chaos'],
    [['site.yml', '--lab', 'cloud'], '--lab must be "hosts" or "mke3:MANAGERS+WORKERS"'],
    [['site.yml', '--jobs', 'many'], '--jobs must be a whole number'],
    [['site.yml', '--chaos', '--ignore', '('], 'is not a valid regular expression'],
  ])('refuses the arguments %j', async (args, message) => {
    cli.file('site.yml', '- { name: P, hosts: all, tasks: [{ name: T, ping: {} }] }\n');
    const { code, stderr } = await test(...args);
    expect(stderr.toLowerCase()).toContain(message.toLowerCase());
    expect(code).toBe(1);
  });
});

describe('runner test --chaos', () => {
  const faults = ['--faults', 'fail,kill-undo,undo-only'];
  let swept: Cli;
  let playbook: string;
  let report: CliResult;
  const chaos = (...args: string[]) =>
    swept.run(['test', playbook, '--hosts', '1', '--chaos', ...args], { timeoutMs: TIMEOUT_MS });
  beforeAll(async () => {
    swept = new Cli();
    playbook = swept.file(
      'wrong.yml',
      `- name: Wrong
  hosts: all
  tasks:
    - { name: Right, copy: { content: x, dest: /etc/right } }
    - name: Undo leaves something
      shell: 'touch /etc/left /etc/also-left'
      undo: [{ name: Half, file: { path: /etc/left, state: absent } }]
    - name: Undo is not safe twice
      shell: 'touch /etc/once'
      undo: [{ name: Not twice, command: { argv: [rm, /etc/once] } }]
`,
    );
    report = await chaos(...faults);
  }, TIMEOUT_MS);
  afterAll(() => {
    swept.dispose();
  });

  it('reports for every step and fault which files a rollback does not restore', () => {
    const { code, stdout } = report;
    expect(code).toBe(10);
    const row = (name: string) => new RegExp(`\\d+  ${name} +(.+)`).exec(stdout)?.[1]?.trim();
    expect(row('Right')?.split(/ {2,}/)).toEqual(['passed', 'passed', 'passed']);
    expect(row('Undo leaves something')?.split(/ {2,}/)[0]).toBe('1 problem');
    expect(row('Undo is not safe twice')).toMatch(/problem.*problem.*problem/);
    expect(stdout).toContain('hosts/h1/etc/also-left was added');
  });

  it('keeps the results of an interrupted sweep and runs only the remaining cases', async () => {
    const directory = join(swept.stateDir, 'tests');
    const [file = ''] = readdirSync(directory)
      .map((name) => join(directory, name))
      .filter((path) => readFileSync(path, 'utf8').includes('undo-is-not-safe-twice'));
    // A kill while the last result is written leaves an incomplete line.
    truncateSync(file, readFileSync(file).length - 10);
    const resumed = await chaos(...faults);
    expect(resumed.stdout).toContain('8 cases already tested by an earlier sweep');
    expect(resumed.stdout).toContain('9/9');
    expect(resumed.code).toBe(10);
  });

  it('does not compare paths that match --ignore, and runs only the given steps', async () => {
    const ignoring = await chaos(
      ...['--steps', 'Undo leaves something', '--faults', 'fail'],
      ...['--ignore', '/etc/also-left$'],
    );
    expect(ignoring.stdout).toContain('1 case: 1 passed, 0 failed.');
    expect(ignoring.code).toBe(0);
  });
});
