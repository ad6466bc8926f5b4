import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('conditions');

rule('when: conditions of enclosing blocks apply, and are evaluated again for each task', {
  text: `
- when: go
  block:
    - { name: A, command: ok, when: inventory_hostname == "h1" }
    - { name: Stop, set_fact: { go: false }, when: inventory_hostname == "h1" }
    - { name: B, command: ok }
`,
  settings: { variables: {} },
  inventory: 'all: { vars: { go: true }, hosts: { h1: {}, h2: {} } }',
  trace: ['A: h1 changed, h2 skipped', 'Stop: h1 ok, h2 skipped', 'B: h1 skipped, h2 changed'],
});

rule('when: a condition must be true or false', {
  text: '- { name: A, command: ok, when: x }',
  settings: { ...onH1, variables: { x: 'yes' } },
  trace: ['A: h1 failed'],
  messages: { A: /Condition "x" is a string, not true or false/ },
  failed: true,
});

rule('when: an error for Jinja syntax contains the condition in CEL', {
  text: '- { name: A, command: ok, when: x is defined and y }',
  problem: 'Write it in CEL: has(vars.x) && y',
});

rule('changed_when, failed_when: all conditions of a list must be true', {
  text: `
- { name: A, command: rc 3, failed_when: [result.rc > 2, result.rc > 5], changed_when: [true, false] }
- { name: B, command: rc 9, failed_when: [result.rc > 2, result.rc > 5], ignore_errors: true }
`,
  settings: onH1,
  trace: ['A: h1 ok', 'B: h1 failed ignored'],
});

rule('failed_when: false accepts any exit code; the registered name is this attempt', {
  text: '- { name: A, command: rc 7, failed_when: false, register: r, changed_when: r.rc == 7 }',
  settings: onH1,
  trace: ['A: h1 changed'],
});

rule('failed_when: an error in it fails the task and keeps its output', {
  text: `
- { name: A, command: say kept, failed_when: result.none == 1, register: r, ignore_errors: true }
${say('Print', '{{r.stdout}}')}
`,
  settings: onH1,
  trace: ['A: h1 failed ignored', 'Print: h1 ok'],
  messages: { Print: 'kept' },
});

rule('when: is evaluated for each item', {
  text: '- { name: A, loop: [1, 2, 3], command: ok, when: item > 1 }',
  settings: onH1,
  trace: ['A: h1 skipped, h1[2] h1[3] changed'],
});

rule('conditions: functions for results and versions', {
  text: `
- { name: A, command: fail, ignore_errors: true, register: a }
- { name: B, command: ok, register: b }
- { name: C, command: ok, when: false, register: c }
- name: Check
  assert:
    that:
      - failed(a) && !failed(b) && succeeded(b) && changed(b) && skipped(c) && !succeeded(c)
      - version("3.7.16", ">=", "3.7.2") && "h1" in groups.web
      - '!has(vars.nothing) && has(vars.a)'
`,
  settings: onH1,
  trace: ['A: h1 failed ignored', 'B: h1 changed', 'C: h1 skipped', 'Check: h1 ok'],
});
