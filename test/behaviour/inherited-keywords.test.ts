import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('inherited-keywords');

rule('environment: merged from outside to inside', {
  text: `
- name: P
  hosts: h1
  environment: { A: play, B: play }
  tasks:
    - environment: { B: block, C: block }
      block:
        - { name: Ask, command: env A B C D, environment: { C: task, D: '{{inventory_hostname}}' } }
`,
  messages: { Ask: 'A=play B=block C=task D=h1' },
});

rule('module_defaults: from outside to inside, behind what the task says', {
  text: `
- name: P
  hosts: h1
  module_defaults: { debug: { msg: play } }
  tasks:
    - { name: Play, debug: {} }
    - { name: Task, debug: { msg: task } }
    - { module_defaults: { debug: { msg: block } }, block: [{ name: Block, debug: {} }] }
`,
  messages: { Play: 'play', Task: 'task', Block: 'block' },
});

rule('become: inherited keyword by keyword', {
  seen: [
    'test/lab/language.test.ts',
    'runs the tasks of a user in one sudo shell, with the variables of "environment"',
  ],
});

rule('remote_user, port, connection: the inventory goes over them, they over --user', {
  seen: ['test/lab/keywords.test.ts', 'are overridden by the inventory'],
});

rule('become_user: a template, as each of these', {
  seen: [
    'test/lab/keywords.test.ts',
    'apply where the inventory sets nothing, in the play and in its rollback',
  ],
});
