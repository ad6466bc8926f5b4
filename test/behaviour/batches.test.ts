import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('batches');

const batches = (serial: string) => `
- name: P
  hosts: all
  serial: ${serial}
  tasks: [{ name: Task, command: ok, notify: Tell }]
  handlers: [{ name: Tell, command: ok }]
`;

rule('serial: each batch runs the whole play, handlers too, before the next', {
  text: batches('2'),
  trace: ['Task: h1 h2 changed', 'Tell: h1 h2 changed', 'Task: h3 changed', 'Tell: h3 changed'],
});

rule('serial: a share is never less than one host', {
  text: batches("'10%'"),
  trace: [
    /^Task: h1 changed/,
    /^Tell: h1/,
    /^Task: h2 changed/,
    /^Tell: h2/,
    /^Task: h3 changed/,
    /^Tell/,
  ],
});

rule('serial: of a list the last entry goes on', {
  text: batches('[1, 2]'),
  trace: ['Task: h1 changed', 'Tell: h1 changed', 'Task: h2 h3 changed', 'Tell: h2 h3 changed'],
});

rule('max_failures: 0 by default, also from batch to batch', {
  text: '- { name: P, hosts: all, serial: 1, tasks: [{ name: A, command: fail-on h1 }] }',
  trace: ['A: h1 failed'],
  failed: true,
});

rule('max_failures: a count lets that many fail, and those that cannot be reached count', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks: [{ name: A, command: away-on h1 }, { name: B, command: fail-on h2 }, { name: C, command: ok }]
`,
  trace: ['A: h1 unreachable, h2 h3 changed', 'B: h2 failed, h3 changed'],
  failed: true,
});

rule('max_failures: a share', {
  text: "- { name: P, hosts: all, max_failures: '34%', tasks: [{ name: A, command: fail-on h1 }, { name: B, command: ok }] }",
  trace: ['A: h1 failed, h2 h3 changed', 'B: h2 h3 changed'],
});

rule('a whole batch that fails stops the batches behind it and later plays', {
  text: `
- { name: P, hosts: all, serial: 1, max_failures: 3, tasks: [{ name: A, command: fail-on h1 }] }
- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }
`,
  trace: [/^A: h1 failed/],
  failed: true,
});
