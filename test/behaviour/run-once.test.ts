import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('run-once');

rule('run_once: runs on the first host of each batch, for all hosts of the batch', {
  text: `
- name: P
  hosts: all
  serial: 2
  tasks:
    - { name: Once, run_once: true, command: 'say {{inventory_hostname}}', register: said }
    ${say('Print', '{{said.stdout}}')}
`,
  trace: ['Once: h1 changed', 'Print: h1 h2 ok', 'Once: h3 changed', 'Print: h3 ok'],
  messages: { Print: ['h1', 'h1', 'h3'] },
});

rule('run_once: with "play", runs once for all batches', {
  text: `
- name: P
  hosts: all
  serial: 1
  tasks:
    - { name: Once, run_once: play, command: 'say {{inventory_hostname}}', register: said }
    ${say('Print', '{{said.stdout}}')}
`,
  messages: { Print: ['h1', 'h1', 'h1'] },
});

rule('run_once: its condition is evaluated on the host it runs on', {
  text: '- { name: Once, run_once: true, command: ok, when: inventory_hostname == "h2" }',
  trace: ['Once: h1 skipped'],
});

rule('run_once: a failure fails all hosts', {
  text: '- { name: Once, run_once: true, command: fail }\n- { name: Later, command: ok }',
  trace: ['Once: h1 failed'],
  failed: true,
});
