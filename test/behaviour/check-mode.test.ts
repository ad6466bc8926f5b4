import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('check-mode');

rule('check_mode: true simulates in a real run; false is refused', {
  text: '- { name: A, command: ok, check_mode: true }',
  settings: onH1,
  trace: ['A: h1 ok'],
  also: [{ text: '- { name: A, command: ok, check_mode: false }', problem: 'read_only' }],
});

rule('check: what would change is told and not done; what only looks is done', {
  text: `
- { name: A, command: fail }
- { name: Look, command: { cmd: say there, read_only: true }, register: looked }
${say('Say', '{{looked.stdout}}')}
- { name: Write, copy: { content: x, dest: /etc/x } }
`,
  settings: { ...onH1, check: true },
  trace: ['A: h1 changed', 'Look: h1 ok', 'Say: h1 ok', 'Write: h1 changed'],
  messages: { Say: 'there' },
});

rule('check: what depends on a result that is not there is unknown, not ok', {
  text: `
- { name: A, command: ok, register: r }
- { name: Depends, command: ok, when: r.stdout == "x" }
- { name: Uses, debug: { msg: '{{r.stdout}}' } }
- { name: Not, debug: { msg: plain } }
`,
  settings: { ...onH1, check: true },
  trace: ['A: h1 changed', 'Depends: h1 unknown', 'Uses: h1 unknown', 'Not: h1 ok'],
});

rule('check: handlers that would be told are simulated, too', {
  text: `
- name: P
  hosts: h1
  tasks: [{ name: A, copy: { content: x, dest: /etc/x }, notify: Tell }]
  handlers: [{ name: Tell, command: fail }]
`,
  settings: { check: true },
  trace: ['A: h1 changed', 'Tell: h1 changed'],
});

rule('check: run.check and ansible_check_mode tell it', {
  text: say('Say', '{{run.check}} {{ansible_check_mode}}'),
  settings: { ...onH1, check: true },
  messages: { Say: 'true true' },
});

rule('diff: before and after; not of a task that says diff: false', {
  seen: ['test/lab/keywords.test.ts', 'hides the diff of a task with "diff: false"'],
});
