import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('meta');

rule('meta: flush_handlers runs pending handlers at once', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { name: A, command: ok, notify: Handler }
    - meta: flush_handlers
    - { name: B, command: ok }
  handlers: [{ name: Handler, command: ok }]
`,
  trace: ['A: h1 changed', 'Handler: h1 changed', 'B: h1 changed'],
});

rule('meta: end_host, end_play and end_batch end the play for their hosts', {
  seen: [
    'test/lab/execution-control.test.ts',
    'end_batch ends one batch of hosts, end_play also skips the remaining batches',
  ],
  text: `
- name: P
  hosts: web
  serial: 1
  tasks:
    - { name: A, command: ok }
    - { meta: end_host, when: inventory_hostname == "h1" }
    - { name: B, command: ok }
    - { meta: end_play, when: inventory_hostname == "h2" }
    - { name: C, command: ok }
- { name: Q, hosts: web, tasks: [{ name: D, command: ok }] }
`,
  trace: [
    'A: h1 changed',
    'end host: h1 ok',
    'A: h2 changed',
    'end host: h2 skipped',
    'B: h2 changed',
    'end play: h2 ok',
    'D: h1 h2 changed',
  ],
});

rule('meta: supports end_role, clear_facts and reset_connection', {
  seen: [
    'test/lab/execution-control.test.ts',
    'clear_facts discards the facts, and reset_connection opens a new connection',
  ],
});

rule('meta: an unknown action is reported', {
  text: '- { name: P, hosts: h1, tasks: [{ meta: clear_host_errors }] }',
  problem: 'clear_host_errors',
});
