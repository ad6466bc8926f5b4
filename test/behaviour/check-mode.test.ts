import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('check-mode');

rule('check_mode: true only predicts in a real run; false is rejected', {
  text: '- { name: A, command: ok, check_mode: true }',
  settings: onH1,
  trace: ['A: h1 ok'],
  also: [{ text: '- { name: A, command: ok, check_mode: false }', problem: 'read_only' }],
});

rule('--check: changes are reported and not made; read-only tasks run', {
  text: `
- { name: A, command: fail }
- { name: Look, command: { cmd: say there, read_only: true }, register: looked }
${say('Print', '{{looked.stdout}}')}
- { name: Write, copy: { content: x, dest: /etc/x } }
`,
  settings: { ...onH1, check: true },
  trace: ['A: h1 changed', 'Look: h1 ok', 'Print: h1 ok', 'Write: h1 changed'],
  messages: { Print: 'there' },
});

rule('--check: a task that depends on a missing result is unknown, not ok', {
  text: `
- { name: A, command: ok, register: r }
- { name: Depends, command: ok, when: r.stdout == "x" }
- { name: Uses, debug: { msg: '{{r.stdout}}' } }
- { name: Not, debug: { msg: plain } }
`,
  settings: { ...onH1, check: true },
  trace: ['A: h1 changed', 'Depends: h1 unknown', 'Uses: h1 unknown', 'Not: h1 ok'],
});

rule('--check: notified handlers are predicted, too', {
  text: `
- name: P
  hosts: h1
  tasks: [{ name: A, copy: { content: x, dest: /etc/x }, notify: Handler }]
  handlers: [{ name: Handler, command: fail }]
`,
  settings: { check: true },
  trace: ['A: h1 changed', 'Handler: h1 changed'],
});

rule('--check: run.check and ansible_check_mode are true', {
  text: say('Print', '{{run.check}} {{ansible_check_mode}}'),
  settings: { ...onH1, check: true },
  messages: { Print: 'true true' },
});

rule('--diff: shows content before and after, except for tasks with "diff: false"', {
  seen: ['test/lab/keywords.test.ts', 'hides the diff of a task with "diff: false"'],
});
