import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('inherited-keywords');

rule('environment: is merged, and inner values win', {
  text: `
- name: P
  hosts: h1
  environment: { A: play, B: play }
  tasks:
    - environment: { B: block, C: block }
      block:
        - { name: Env, command: env A B C D, environment: { C: task, D: '{{inventory_hostname}}' } }
`,
  messages: { Env: 'A=play B=block C=task D=h1' },
});

rule('module_defaults: inner values win, and arguments of the task win over them', {
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

rule('become: each keyword is inherited separately', {
  seen: [
    'test/lab/language.test.ts',
    'runs the tasks of a user in one sudo shell, with the variables of "environment"',
  ],
});

rule('remote_user, port, connection: override --user, and the inventory overrides them', {
  seen: ['test/lab/keywords.test.ts', 'are overridden by the inventory'],
});

rule('become_user, remote_user, port: can be templates', {
  seen: [
    'test/lab/keywords.test.ts',
    'apply where the inventory sets nothing, in the play and in its rollback',
  ],
});
