import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('strategies');

rule('linear: all hosts finish a step before the next one starts', {
  text: `
- { name: A, command: '{{ternary (eq inventory_hostname "h3") "signal done" "wait done"}}' }
- { name: B, command: ok }
`,
  trace: ['A: h1 h2 h3 changed', 'B: h1 h2 h3 changed'],
});

rule('free: a host continues while another is still running a step', {
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

rule('throttle: limits the parallel hosts of a task; forks: limits those of the run', {
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
