import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli } from '../helpers/cli.ts';

let cli: Cli;
beforeAll(() => {
  cli = new Cli();
});
afterAll(() => {
  cli.dispose();
});

const test = (...args: string[]) => cli.run(['test', ...args], { timeoutMs: 180_000 });

describe('runner test', () => {
  it('plays twice and names what changes again', async () => {
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

  it('makes the lab ready with another playbook first, and says when the first play fails', async () => {
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
    expect(without.stdout).toContain('Without any fault it does not end well');
    const prepared = await test(playbook, '--hosts', '1', '--prepare', prepare);
    expect(prepared.stdout).toContain('Second play: nothing changed.');
    expect(prepared.code).toBe(0);
  });

  it('finds undos that are wrong, forgets nothing it knows, and goes on where it was cut off', async () => {
    const playbook = cli.file(
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
    const flags = [playbook, '--hosts', '1', '--chaos', '--faults', 'fail,kill-undo,undo-only'];
    const { code, stdout } = await test(...flags);
    expect(code).toBe(10);
    const row = (name: string) => new RegExp(`\\d+  ${name} +(.+)`).exec(stdout)?.[1]?.trim();
    expect(row('Right')?.split(/ {2,}/)).toEqual(['back', 'back', 'back']);
    expect(row('Undo leaves something')?.split(/ {2,}/)[0]).toBe('1 differ');
    expect(row('Undo is not safe twice')).toMatch(/differ.*differ.*differ/);
    expect(stdout).toContain('hosts/h1/etc/also-left was not there before');
    const folder = join(cli.stateDir, 'tests');
    const [file = ''] = readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((path) => readFileSync(path, 'utf8').includes('undo-is-not-safe-twice'));
    const size = readFileSync(file).length;
    // As if it had been killed while it wrote the last result.
    truncateSync(file, size - 10);
    const resumed = await test(...flags);
    expect(resumed.stdout).toContain('8 are known from a sweep before');
    expect(resumed.stdout).toContain('9/9');
    expect(resumed.code).toBe(10);
    const ignoring = await test(
      ...[...flags, '--steps', 'Undo leaves something', '--faults', 'fail'],
      ...['--ignore', '/etc/also-left$'],
    );
    expect(ignoring.stdout).toContain('1 case: 1 came back, 0 did not.');
    expect(ignoring.code).toBe(0);
  });

  it('hands inputs on: secrets by the environment, and what is called like its own flags behind "--"', async () => {
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
      const args = ['test', playbook, ...flags, '--', '--hosts', 'web'];
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
    [['upgrade.yml', '--steps', '1'], 'choose what --chaos does'],
    [['upgrade.yml', '--lab', 'cloud'], '--lab is "hosts" or "mke3:MANAGERS+WORKERS"'],
    [['upgrade.yml', '--jobs', 'many'], '--jobs must be a whole number'],
    [['upgrade.yml', '--chaos', '--ignore', '('], 'is no regular expression'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await test(...args);
    expect(stderr.toLowerCase()).toContain(message.toLowerCase());
    expect(code).toBe(1);
  });
});
