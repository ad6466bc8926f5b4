import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('strategies');

rule('linear: all hosts end a step before the next begins', {
  text: `
- { name: A, command: '{{ternary (eq inventory_hostname "h3") "signal done" "wait done"}}' }
- { name: B, command: ok }
`,
  trace: ['A: h1 h2 h3 changed', 'B: h1 h2 h3 changed'],
});

rule('free: a host goes on while another is not done', {
  text: `
- name: P
  hosts: web
  strategy: free
  tasks:
    - { name: A, command: '{{ternary (eq inventory_hostname "h1") "wait ahead" "ok"}}' }
    - { name: B, when: inventory_hostname == "h2", command: signal ahead }
`,
  trace: [/^A: .*/, /^A: .*/, /^B: h. (changed|skipped)/, /^B: h. (changed|skipped)/],
});

rule('throttle: so many hosts at a time; forks: so many in all', {
  text: '- { name: A, command: ok, throttle: 1 }',
  trace: ['A: h1 h2 h3 changed'],
  most: 1,
  also: [
    {
      text: '- { name: A, command: ok }',
      settings: { forks: 2 },
      trace: ['A: h1 h2 h3 changed'],
      most: 2,
    },
    { text: '- { name: A, command: ok }', trace: ['A: h1 h2 h3 changed'], most: 3 },
  ],
});
