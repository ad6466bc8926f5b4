import { onH1, rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('includes');

rule('import_playbook: takes vars, tags, and a condition that is copied to each task', {
  text: `
- import_playbook: other.yml
  vars: { who: h1 }
  when: inventory_hostname == who
`,
  files: {
    'other.yml': `
- name: Other
  hosts: web
  tasks:
    - { name: Change it, set_fact: { who: h2 } }
    - { name: Late, command: ok }
`,
  },
  trace: ['Change it: h1 ok, h2 skipped', 'Late: h1 h2 skipped'],
});

rule('include_tasks: in a loop runs once for each item, also for equal items', {
  text: '- { name: Each, include_tasks: more.yml, loop: [a, a] }',
  files: { 'more.yml': '- { name: In, command: "say {{item}}" }' },
  settings: onH1,
  trace: ['Each: h1[a] h1[a] ok', 'In: h1 changed', 'In: h1 changed'],
});

rule('include_tasks: files with a literal path are checked before the run', {
  text: '- { name: Include, include_tasks: more.yml }',
  files: { 'more.yml': '- { name: A, comand: ok }' },
  problem: 'command',
});

rule('include_role: in a loop, a handler has the item of its own host, in every batch', {
  text: `
- name: Play
  hosts: all
  serial: 1
  tasks:
    - { name: Disks, include_role: { name: disk }, loop: '{{disks}}' }
`,
  files: {
    'roles/disk/tasks/main.yml': '- { name: Format, command: ok, notify: Mount }',
    'roles/disk/handlers/main.yml': "- { name: Mount, command: 'say {{item.size}}' }",
  },
  inventory: `all:
  hosts:
    h1: { disks: [{ name: sda, size: 1 }] }
    h2: { disks: [{ name: sda, size: 2 }] }
`,
  messages: { Mount: ['1', '2'] },
});
