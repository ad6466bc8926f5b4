import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const put = (path: string, text: string) => cli.file(path, text);
const validate = async (text: string, ...flags: string[]) => {
  const file = put('site.yml', text);
  const { code, stdout, stderr } = await cli.run(['validate', file, ...flags]);
  return { code, output: stdout + stderr, text: readFileSync(file, 'utf8') };
};
const play = (task: string) => `- name: P\n  hosts: all\n  tasks:\n    - name: T\n      ${task}\n`;

const vaulted = '$ANSIBLE_VAULT;1.1;AES256\n          00';

/** For each rule, a playbook that violates it, and the position in the message. */
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
  'connection-variable': [
    '- name: P\n  hosts: all\n  vars: { ansible_user: root }\n  tasks: []\n',
    ':1:3',
  ],
  'unknown-handler': [play('copy: { content: x, dest: /x }\n      notify: Restart'), ':4:7'],
  'no-undo': [play('shell: rm -rf /x'), ':4:7'],
  'plain-secret': [
    '- name: P\n  hosts: all\n  vars:\n    db_password: hunter22\n  tasks: []\n',
    ':4:18',
  ],
};

describe('every validation rule', () => {
  const pages = readFileSync(join(packageRoot(), 'docs', 'validation.md'), 'utf8');

  it.each(Object.keys(rules) as Rule[])(
    '%s reports the place of the problem and is documented',
    async (rule) => {
      const [text, place] = samples[rule];
      const { code, output } = await validate(text);
      const { severity } = rules[rule];
      const line = output.split('\n').find((one) => one.endsWith(`[${severity}: ${rule}]`));
      expect(line, output).toContain(`site.yml${place}`);
      expect(code).toBe(severity === 'error' ? 1 : 0);
      expect(pages).toContain(`\n## ${rule}\n`);
    },
  );
});

describe('runner validate', () => {
  it('reports problems in templates with the line of the template', async () => {
    put('roles/r/templates/a.j2', 'one\n{{#if x}}\ntwo\n');
    put('roles/r/templates/b.j2', '{{nowhere}}\n');
    put(
      'roles/r/tasks/main.yml',
      '- { name: A, template: { src: a.j2, dest: /a } }\n- { name: B, template: { src: b.j2, dest: /b } }\n',
    );
    const { output } = await validate('- { name: P, hosts: all, roles: [r] }\n');
    expect(output).toMatch(/templates\/a\.j2:\d:1: Template does not parse/);
    expect(output).toContain(
      'templates/b.j2:1:1: Variable "nowhere" is not defined, but used in template "b.j2".',
    );
  });

  it('names the keyword for a connection variable, in roles, tasks and set_fact', async () => {
    put('roles/r/defaults/main.yml', 'ansible_become_user: app\nansible_python_interpreter: /p\n');
    put('roles/r/tasks/main.yml', '- { name: A, set_fact: { ansible_port: 1 } }\n');
    const { output } = await validate(
      '- { name: P, hosts: all, roles: [r], tasks: [{ name: T, debug: { msg: x }, vars: { ansible_password: abcd } }] }\n',
    );
    expect(output.match(/"ansible_\w+" has no effect .*inventory\./g)).toEqual([
      '"ansible_become_user" has no effect in role "r". Use the keyword "become_user", or set it in the inventory.',
      '"ansible_port" has no effect in task "A". Use the keyword "port", or set it in the inventory.',
      '"ansible_password" has no effect in task "T". Set it in the inventory.',
    ]);
  });

  it('hides the warnings of a rule that a comment allows, never its errors', async () => {
    const secret =
      '    # runner: allow plain-secret\n    token: abcdefgh\n    api_key: other-secret # runner: allow no-undo\n';
    const text = `- name: P\n  hosts: all\n  vars:\n${secret}  tasks:\n    - name: T # runner: allow no-undo\n      shell: x\n`;
    const { code, output } = await validate(text);
    expect(output).toContain('"api_key" looks like a secret');
    expect(output).not.toContain('"token"');
    expect(output).not.toContain('no-undo]');
    expect(output).toContain('no problems found, 1 warning.');
    expect(code).toBe(0);
    expect((await validate(text, '--strict')).code).toBe(1);
    const error = await validate(play('comand: x # runner: allow unknown-module'));
    expect(error.code).toBe(1);
  });

  it('reports a missing undo as an error with --require-undo', async () => {
    const { code, output } = await validate(play('shell: x'), '--require-undo');
    expect(code).toBe(1);
    expect(output).toContain('[error: no-undo]');
  });

  it('fixes unambiguous problems with --fix and reports the others', async () => {
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
    expect(offer.output).toContain('4 fixable with --fix.');
    const { code, output, text } = await validate(before, '--fix');
    expect(output).toContain('Fixed 4 problems.');
    expect(text).toBe(
      before
        .replace('yes', 'true')
        .replace('0600', "'0600'")
        .replace('a and b is defined', 'a && has(vars.b)')
        .replace('r is failed or "this', 'failed(r) || "this'),
    );
    // "not" and "!" bind differently, so --fix leaves it.
    expect(output).toContain('Write "!" instead of "not".');
    expect(code).toBe(1);
  });

  it('does not change an ambiguous condition with --fix', async () => {
    const text = play('debug: { msg: x }\n      when: r.inner is failed');
    const { code, text: after } = await validate(text, '--fix');
    expect(code).toBe(1);
    expect(after).toBe(text);
  });

  it('accepts an absent source file outside the playbook directory, which a step may create', async () => {
    const made = await validate(play('copy: { src: /tmp/made-by-a-step, dest: /x }'));
    expect(made.code, made.output).toBe(0);
  });

  it('explains how to write Jinja statements and filters in a template', async () => {
    const { code, output } = await validate(
      play(`debug: { msg: "{% if a %}x{% endif %}" }
    - name: Two
      debug: { msg: "{{ a | default('b') }}" }
    - name: Three
      copy: { content: !raw "{% if a %}", dest: /x }`),
    );
    expect(code).toBe(1);
    expect(output.match(/Template contains Jinja syntax/g)).toHaveLength(1);
    for (const words of [
      'Template contains Jinja syntax: "{% if a %}". Use {{#if}}',
      'Use a helper instead of a filter',
    ])
      expect(output).toContain(words);
  });

  it('lists all rules with --rules', async () => {
    const { stdout } = await cli.run(['validate', '--rules']);
    expect(stdout.trim().split('\n')).toHaveLength(Object.keys(rules).length);
  });
});
