import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('roles');

rule('roles, pre_tasks, tasks, post_tasks: in this order, handlers behind each part', {
  text: `
- name: P
  hosts: h1
  post_tasks: [{ name: Post, command: ok, notify: Tell }]
  tasks: [{ name: Task, command: ok, notify: Tell }]
  roles: [r]
  pre_tasks: [{ name: Pre, command: ok, notify: Tell }]
  handlers: [{ name: Tell, command: ok }]
`,
  files: { 'roles/r/tasks/main.yml': '- { name: Role, command: ok }' },
  trace: [
    'Pre: h1 changed',
    'Tell: h1 changed',
    'Role: h1 changed',
    'Task: h1 changed',
    'Tell: h1 changed',
    'Post: h1 changed',
    'Tell: h1 changed',
  ],
});

const role = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`roles/r/${name}`, text]));

rule('roles: inputs have types, and one that is wrong or unknown is found before the run', {
  text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { port: high } }] }',
  files: role({
    'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
    'tasks/main.yml': say('Say', '{{port}}'),
  }),
  problem: 'port',
  also: [
    {
      text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { prot: 5 } }] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, default: 80 } }',
        'tasks/main.yml': say('Say', '{{port}}'),
      }),
      problem: 'port',
    },
    {
      text: '- { name: P, hosts: h1, roles: [r] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
        'tasks/main.yml': say('Say', '{{port}}'),
      }),
      problem: 'port',
    },
  ],
});

rule('roles: nothing of one is seen outside of it', {
  text: `- { name: P, hosts: h1, roles: [r], tasks: [{ name: Say, debug: { msg: '{{default own "none"}} {{default constant "none"}}' } }] }`,
  files: role({
    'defaults/main.yml': 'own: default',
    'vars/main.yml': 'constant: value',
    'tasks/main.yml': say('Inside', '{{own}} {{constant}}'),
  }),
  messages: { Inside: 'default value', Say: 'none none' },
});

rule('roles: dependencies first, and once', {
  seen: ['test/lab/execution-control.test.ts', 'run before the role, once for each set of inputs'],
});

rule('roles: of handlers with one name that of the own role; ROLE : NAME says which', {
  text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: 'r : Tell' }]
  handlers: [{ name: Tell, debug: { msg: play } }]
`,
  files: role({
    'tasks/main.yml': '- { name: B, command: ok, notify: Tell }',
    'handlers/main.yml': '- { name: Tell, debug: { msg: role } }',
  }),
  messages: { Tell: 'role' },
  also: [
    {
      text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: Tell }]
  handlers: [{ name: Tell, debug: { msg: play } }]
`,
      files: role({
        'tasks/main.yml': '- { name: B, command: ok }',
        'handlers/main.yml': '- { name: Tell, debug: { msg: role } }',
      }),
      messages: { Tell: 'play' },
    },
  ],
});
