import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('roles');

rule('pre_tasks, roles, tasks, post_tasks: run in this order, with handlers after each section', {
  text: `
- name: P
  hosts: h1
  post_tasks: [{ name: Post, command: ok, notify: Handler }]
  tasks: [{ name: Task, command: ok, notify: Handler }]
  roles: [r]
  pre_tasks: [{ name: Pre, command: ok, notify: Handler }]
  handlers: [{ name: Handler, command: ok }]
`,
  files: { 'roles/r/tasks/main.yml': '- { name: Role, command: ok }' },
  trace: [
    'Pre: h1 changed',
    'Handler: h1 changed',
    'Role: h1 changed',
    'Task: h1 changed',
    'Handler: h1 changed',
    'Post: h1 changed',
    'Handler: h1 changed',
  ],
});

const role = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`roles/r/${name}`, text]));

rule('roles: inputs have types, and invalid or unknown ones are reported before the run', {
  text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { port: high } }] }',
  files: role({
    'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
    'tasks/main.yml': say('Print', '{{port}}'),
  }),
  problem: 'port',
  also: [
    {
      text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { prot: 5 } }] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, default: 80 } }',
        'tasks/main.yml': say('Print', '{{port}}'),
      }),
      problem: 'port',
    },
    {
      text: '- { name: P, hosts: h1, roles: [r] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
        'tasks/main.yml': say('Print', '{{port}}'),
      }),
      problem: 'port',
    },
  ],
});

rule('roles: their variables are not visible outside', {
  text: `- { name: P, hosts: h1, roles: [r], tasks: [{ name: Print, debug: { msg: '{{default own "none"}} {{default constant "none"}}' } }] }`,
  files: role({
    'defaults/main.yml': 'own: default',
    'vars/main.yml': 'constant: value',
    'tasks/main.yml': say('Inside', '{{own}} {{constant}}'),
  }),
  messages: { Inside: 'default value', Print: 'none none' },
});

rule('roles: dependencies run first, and once', {
  seen: ['test/lab/execution-control.test.ts', 'run before the role, once for each set of inputs'],
});

rule('roles: a handler name refers to the own role first; ROLE : NAME selects a role', {
  text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: 'r : Handler' }]
  handlers: [{ name: Handler, debug: { msg: play } }]
`,
  files: role({
    'tasks/main.yml': '- { name: B, command: ok, notify: Handler }',
    'handlers/main.yml': '- { name: Handler, debug: { msg: role } }',
  }),
  messages: { Handler: 'role' },
  also: [
    {
      text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: Handler }]
  handlers: [{ name: Handler, debug: { msg: play } }]
`,
      files: role({
        'tasks/main.yml': '- { name: B, command: ok }',
        'handlers/main.yml': '- { name: Handler, debug: { msg: role } }',
      }),
      messages: { Handler: 'play' },
    },
  ],
});
