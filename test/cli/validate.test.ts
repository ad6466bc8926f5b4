import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rules, type Rule } from '../../src/core/rules.ts';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from '../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

const put = (name: string, text: string) => {
  const file = join(cli.dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
const validate = async (text: string, ...flags: string[]) => {
  const file = put('site.yml', text);
  const { code, stdout, stderr } = await cli.run(['validate', file, ...flags]);
  return { code, said: stdout + stderr, text: readFileSync(file, 'utf8') };
};
const play = (task: string) => `- name: P\n  hosts: all\n  tasks:\n    - name: T\n      ${task}\n`;

const vaulted = '$ANSIBLE_VAULT;1.1;AES256\n          00';

/** A playbook for each rule, and where the problem is. */
const samples: Record<Rule, [text: string, place: string]> = {
  'yaml-syntax': ['- name: {{x}}\n  hosts: [', ':2:'],
  encrypted: [`- name: P\n  hosts: all\n  vars:\n    x: !vault |\n          ${vaulted}\n`, ':4:'],
  structure: ['- just text\n', ':1:1'],
  'unknown-key': [`- name: P\n  hosts: all\n  serail: 1\n  tasks: []\n`, ':3:3'],
  'unknown-module': [play('comand: uptime'), ':5:7'],
  'unknown-argument': [play('copy: { content: x, dst: /x, dest: /y }'), ':5:27'],
  'wrong-type': [play('copy: { content: x, dest: relative }'), ':5:'],
  'unquoted-mode': [play('copy: { content: x, dest: /x, mode: 0644 }'), ':5:43'],
  'yaml-1.1-boolean': [play('debug: { msg: x }\n      become: yes'), ':6:15'],
  'missing-name': ['- name: P\n  hosts: all\n  tasks:\n    - debug: { msg: x }\n', ':4:7'],
  'missing-file': [play('template: { src: no.j2, dest: /x }'), ':5:7'],
  'broken-condition': [play('debug: { msg: x }\n      when: a and b'), ':6:13'],
  'broken-template': [play('debug: { msg: "{{ x | upper }}" }'), ':5:7'],
  'undefined-variable': [play('debug: { msg: "{{nowhere}}" }'), ':5:7'],
  'magic-variable': [
    play('command: { cmd: uptime, read_only: true }\n      register: run'),
    ':4:7',
  ],
  'unknown-handler': [play('copy: { content: x, dest: /x }\n      notify: Restart'), ':4:7'],
  'no-undo': [play('shell: rm -rf /x'), ':4:7'],
  'plain-secret': [
    '- name: P\n  hosts: all\n  vars:\n    db_password: hunter22\n  tasks: []\n',
    ':4:18',
  ],
};

describe('each rule', () => {
  const pages = readFileSync(join(packageRoot(), 'docs', 'validation.md'), 'utf8');

  it.each(Object.keys(rules) as Rule[])(
    '%s is found at its place, and has its page',
    async (rule) => {
      const [text, place] = samples[rule];
      const { code, said } = await validate(text);
      const { severity } = rules[rule];
      const line = said.split('\n').find((one) => one.endsWith(`[${severity}: ${rule}]`));
      expect(line, said).toContain(`site.yml${place}`);
      expect(code).toBe(severity === 'error' ? 1 : 0);
      expect(pages).toContain(`\n## ${rule}\n`);
    },
  );
});

describe('runner validate', () => {
  it('looks into templates, with their own line', async () => {
    put('roles/r/templates/a.j2', 'one\n{{#if x}}\ntwo\n');
    put('roles/r/templates/b.j2', '{{nowhere}}\n');
    put(
      'roles/r/tasks/main.yml',
      '- { name: A, template: { src: a.j2, dest: /a } }\n- { name: B, template: { src: b.j2, dest: /b } }\n',
    );
    const { said } = await validate('- { name: P, hosts: all, roles: [r] }\n');
    expect(said).toMatch(/templates\/a\.j2:\d:1: Template does not parse/);
    expect(said).toContain(
      'templates/b.j2:1:1: Nothing defines "nowhere", used in template "b.j2".',
    );
  });

  it('is quiet where a comment allows it, and only for that', async () => {
    const secret =
      '    # runner: allow plain-secret\n    token: abcdefgh\n    api_key: other-secret # runner: allow no-undo\n';
    const text = `- name: P\n  hosts: all\n  vars:\n${secret}  tasks:\n    - name: T # runner: allow no-undo\n      shell: x\n`;
    const { code, said } = await validate(text);
    expect(said).toContain('"api_key" is called like a secret');
    expect(said).not.toContain('"token"');
    expect(said).not.toContain('no-undo]');
    expect(said).toContain('no problems found, 1 warning.');
    expect(code).toBe(0);
    expect((await validate(text, '--strict')).code).toBe(1);
    const error = await validate(play('comand: x # runner: allow unknown-module'));
    expect(error.code).toBe(1);
  });

  it('takes a missing undo for an error when it is asked to', async () => {
    const { code, said } = await validate(play('shell: x'), '--require-undo');
    expect(code).toBe(1);
    expect(said).toContain('[error: no-undo]');
  });

  it('mends what is certain, and leaves the rest as it is', async () => {
    const before = `- name: P
  hosts: all
  become: yes
  vars: { a: true, b: 1 }
  tasks:
    - name: One # kept
      copy: { content: x, dest: /x, mode: 0600 }
      when: a and b is defined
    - name: Two
      command: { argv: [ls], read_only: true }
      register: r
      failed_when:
        - r is failed or "this and that" == "x"
        - not a
`;
    const offer = await validate(before);
    expect(offer.said).toContain('4 can be mended with --fix.');
    const { code, said, text } = await validate(before, '--fix');
    expect(said).toContain('Mended 4 problems.');
    expect(text).toBe(
      before
        .replace('yes', 'true')
        .replace('0600', "'0600'")
        .replace('a and b is defined', 'a && has(vars.b)')
        .replace('r is failed or "this', 'failed(r) || "this'),
    );
    // What "not" covers is not the same there and here.
    expect(said).toContain('Write "!" instead of "not".');
    expect(code).toBe(1);
  });

  it('leaves alone what is not certain, and files that a step may make', async () => {
    const text = play('debug: { msg: x }\n      when: r.inner is failed');
    const { code, text: after } = await validate(text, '--fix');
    expect(code).toBe(1);
    expect(after).toBe(text);
    const made = await validate(play('copy: { src: /tmp/made-by-a-step, dest: /x }'));
    expect(made.code, made.said).toBe(0);
  });

  it('finds what Ansible would have understood, and says what it is here', async () => {
    const { code, said } = await validate(
      play(`debug: { msg: "{% if a %}x{% endif %}" }
    - name: Two
      debug: { msg: "{{ a | default('b') }}" }
    - name: Three
      copy: { content: !raw "{% if a %}", dest: /x }`),
    );
    expect(code).toBe(1);
    expect(said.match(/which means nothing here/g)).toHaveLength(1);
    for (const words of [
      'Template has "{% if a %}", which means nothing here. Use {{#if}}',
      'Filters are helpers here',
    ])
      expect(said).toContain(words);
  });

  it('lists its rules', async () => {
    const { stdout } = await cli.run(['validate', '--rules']);
    expect(stdout.trim().split('\n')).toHaveLength(Object.keys(rules).length);
  });
});
