import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('run-once');

rule('run_once: on the first host of each batch, for all of them', {
  text: `
- name: P
  hosts: all
  serial: 2
  tasks:
    - { name: Once, run_once: true, command: 'say {{inventory_hostname}}', register: said }
    ${say('Say', '{{said.stdout}}')}
`,
  trace: ['Once: h1 changed', 'Say: h1 h2 ok', 'Once: h3 changed', 'Say: h3 ok'],
  messages: { Say: ['h1', 'h1', 'h3'] },
});

rule('run_once: play is once for all batches', {
  text: `
- name: P
  hosts: all
  serial: 1
  tasks:
    - { name: Once, run_once: play, command: 'say {{inventory_hostname}}', register: said }
    ${say('Say', '{{said.stdout}}')}
`,
  messages: { Say: ['h1', 'h1', 'h1'] },
});

rule('run_once: its condition is that of the host it runs on', {
  text: '- { name: Once, run_once: true, command: ok, when: inventory_hostname == "h2" }',
  trace: ['Once: h1 skipped'],
});

rule('run_once: a failure is one of all hosts', {
  text: '- { name: Once, run_once: true, command: fail }\n- { name: Later, command: ok }',
  trace: ['Once: h1 failed'],
  failed: true,
});
