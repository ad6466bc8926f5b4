import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('mistakes');

rule('a task must have exactly one known module with known arguments', {
  text: '- { name: A, command: ok, debug: { msg: x } }',
  problem: 'one module',
  also: [
    { text: '- { name: A, comand: ok }', problem: 'command' },
    { text: '- { name: A, command: { cmd: ok, chdri: / } }', problem: 'chdir' },
  ],
});

rule('args: are added to the arguments of the module', {
  seen: ['test/lab/language.test.ts', 'accepts arguments in "args"'],
});

rule('unsupported arguments of Ansible are rejected with the alternative', {
  text: '- { name: A, copy: { content: x, dest: /x, backup: true } }',
  problem: 'every step saves the previous state',
  also: [
    {
      text: '- { name: A, template: { src: a.hbs, dest: /x, trim_blocks: true } }',
      problem: 'templates are Handlebars',
    },
  ],
});

rule('mode: a number is rejected', {
  text: '- { name: A, file: { path: /x, state: touch, mode: 644 } }',
  problem: 'mode',
  also: [{ text: '- { name: A, file: { path: /x, state: touch, mode: 0644 } }', problem: 'mode' }],
});

rule('unknown keys are reported before the run', {
  text: '- { name: A, command: ok, regster: r }',
  problem: 'register',
  also: [
    {
      text: '- { name: P, hosts: h1, serail: 1, tasks: [{ name: A, command: ok }] }',
      problem: 'serial',
    },
  ],
});

rule('key=value arguments are rejected with the equivalent map', {
  text: '- { name: A, copy: src=a dest=/b }',
  problem: 'copy',
});
