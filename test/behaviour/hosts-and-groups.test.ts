import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('hosts-and-groups');

rule('hosts: supports union, intersection, exclusion, wildcard, regular expression and slice', {
  text: `
- { name: Union, hosts: 'web:db', tasks: [{ name: Union, command: ok }] }
- { name: And, hosts: 'all:&web', tasks: [{ name: And, command: ok }] }
- { name: Not, hosts: 'all:!h1', tasks: [{ name: Not, command: ok }] }
- { name: Wild, hosts: 'h*', tasks: [{ name: Wild, command: ok }] }
- { name: Regex, hosts: '~h[13]', tasks: [{ name: Regex, command: ok }] }
- { name: Slice, hosts: 'all[1:2]', tasks: [{ name: Slice, command: ok }] }
`,
  trace: [
    'Union: h1 h2 h3 changed',
    'And: h1 h2 changed',
    'Not: h2 h3 changed',
    'Wild: h1 h2 h3 changed',
    'Regex: h1 h3 changed',
    'Slice: h2 h3 changed',
  ],
});

rule('hosts: a play without hosts is an error, unless it has allow_empty', {
  text: '- { name: P, hosts: empty, tasks: [{ name: A, command: ok }] }',
  inventory: 'all: { hosts: { h1: {} }, children: { empty: {} } }',
  problem: 'No host matches "empty"',
  also: [
    {
      text: '- { name: P, hosts: empty, allow_empty: true, tasks: [{ name: A, command: ok }] }\n- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }',
      inventory: 'all: { hosts: { h1: {} }, children: { empty: {} } }',
      trace: ['B: h1 changed'],
    },
  ],
});

rule('order: applies before "serial"', {
  text: '- { name: P, hosts: all, order: reverse_sorted, serial: 1, tasks: [{ name: A, command: ok }] }',
  trace: ['A: h3 changed', 'A: h2 changed', 'A: h1 changed'],
});

rule('inventories: supports Ansible, mkectl, k0sctl, launchpad, MKE 4, scripts and host lists', {
  seen: ['test/inventory/inventory.test.ts', 'is run with --list'],
});

rule('add_host, group_by: define hosts and groups for later plays', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { name: Add, add_host: { name: '{{item}}', groups: [fresh, db], own: 'of {{item}}' }, loop: [n1, h2] }
    - { name: Group, group_by: picked }
- { name: Q, hosts: 'fresh:picked', tasks: [{ name: Print, debug: { msg: '{{inventory_hostname}} {{default own "-"}} {{join groups.db ","}}' } }] }
- { name: R, hosts: all, tasks: [{ name: All, command: ok }] }
`,
  messages: { Print: ['h1 - h2,h3,n1', 'h2 of h2 h2,h3,n1', 'n1 of n1 h2,h3,n1'] },
  trace: [
    'Add: h1[h2] h1[n1] ok',
    'Group: h1 ok',
    'Print: h1 h2 n1 ok',
    'All: h1 h2 h3 n1 changed',
  ],
});

rule('group_by: a host leaves groups before it joins a group', {
  text: `
- name: P
  hosts: all
  tasks:
    - { name: Group, group_by: { key: '{{ternary (eq inventory_hostname "h1") "db" "picked"}}', leave: [db, picked] } }
- { name: Q, hosts: 'db:picked', tasks: [{ name: Print, debug: { msg: '{{join group_names ","}} {{join groups.db ","}}' } }] }
`,
  messages: { Print: ['all,web,db h1', 'all,web,picked h1', 'all,picked h1'] },
  trace: ['Group: h1 h2 h3 ok', 'Print: h1 h2 h3 ok'],
});
