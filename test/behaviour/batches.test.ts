import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('batches');

const batches = (serial: string) => `
- name: P
  hosts: all
  serial: ${serial}
  tasks: [{ name: Task, command: ok, notify: Handler }]
  handlers: [{ name: Handler, command: ok }]
`;

rule('serial: each batch runs the whole play with its handlers before the next batch', {
  text: batches('2'),
  trace: [
    'Task: h1 h2 changed',
    'Handler: h1 h2 changed',
    'Task: h3 changed',
    'Handler: h3 changed',
  ],
});

rule('serial: a percentage is at least one host', {
  text: batches("'10%'"),
  trace: [
    /^Task: h1 changed/,
    /^Handler: h1/,
    /^Task: h2 changed/,
    /^Handler: h2/,
    /^Task: h3 changed/,
    /^Handler/,
  ],
});

rule('serial: the last entry of a list is repeated', {
  text: batches('[1, 2]'),
  trace: [
    'Task: h1 changed',
    'Handler: h1 changed',
    'Task: h2 h3 changed',
    'Handler: h2 h3 changed',
  ],
});

rule('max_failures: is 0 by default, also across batches', {
  text: '- { name: P, hosts: all, serial: 1, tasks: [{ name: A, command: fail-on h1 }] }',
  trace: ['A: h1 failed'],
  failed: true,
});

rule('max_failures: a number of hosts may fail, including unreachable ones', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks: [{ name: A, command: away-on h1 }, { name: B, command: fail-on h2 }, { name: C, command: ok }]
`,
  trace: ['A: h1 unreachable, h2 h3 changed', 'B: h2 failed, h3 changed'],
  failed: true,
});

rule('max_failures: can be a percentage', {
  text: "- { name: P, hosts: all, max_failures: '34%', tasks: [{ name: A, command: fail-on h1 }, { name: B, command: ok }] }",
  trace: ['A: h1 failed, h2 h3 changed', 'B: h2 h3 changed'],
});

rule('a batch in which all hosts fail stops later batches and plays', {
  text: `
- { name: P, hosts: all, serial: 1, max_failures: 3, tasks: [{ name: A, command: fail-on h1 }] }
- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }
`,
  trace: [/^A: h1 failed/],
  failed: true,
});
