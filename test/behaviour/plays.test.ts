import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('plays');

const show = (name: string, text: string) => `- { name: ${name}, debug: { msg: '${text}' } }`;

rule('1 hosts: union, intersection, exclusion, wildcard, regular expression, slice', {
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

rule('1 hosts: a play without hosts is an error, unless it may be', {
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

rule(
  '1 gather_facts: asked for where something mentions them; failing to answer is a failure of the host',
  {
    seen: [
      'test/lab/facts.test.ts',
      'are gathered once in a run, before the first play that uses them',
    ],
    text: '- { name: P, hosts: all, gather_facts: true, tasks: [{ name: A, command: ok }] }',
    away: ['h2'],
    trace: [/^Gather facts: .*h2 unreachable/],
    failed: true,
  },
);

rule('1 vars, vars_files: the first of several that is there; one that is not is an error', {
  text: `
- name: P
  hosts: h1
  vars: { here: play }
  vars_files: [[none.yml, second.yml]]
  tasks:
    ${show('Say', '{{here}} {{there}}')}
`,
  files: { 'second.yml': 'there: file' },
  messages: { Say: 'play file' },
  also: [
    {
      text: '- { name: P, hosts: h1, vars_files: [none.yml], tasks: [{ name: A, command: ok }] }',
      problem: 'none.yml',
    },
  ],
});

rule('1 roles, pre_tasks, tasks, post_tasks: in this order, handlers behind each part', {
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

const batches = (serial: string) => `
- name: P
  hosts: all
  serial: ${serial}
  tasks: [{ name: Task, command: ok, notify: Tell }]
  handlers: [{ name: Tell, command: ok }]
`;
rule('1 serial: each batch runs the whole play, handlers too, before the next', {
  text: batches('2'),
  trace: ['Task: h1 h2 changed', 'Tell: h1 h2 changed', 'Task: h3 changed', 'Tell: h3 changed'],
});
rule('1 serial: a share is never less than one host', {
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
rule('1 serial: of a list the last entry goes on', {
  text: batches('[1, 2]'),
  trace: ['Task: h1 changed', 'Tell: h1 changed', 'Task: h2 h3 changed', 'Tell: h2 h3 changed'],
});

rule('1 max_failures: 0 by default, also from batch to batch', {
  text: '- { name: P, hosts: all, serial: 1, tasks: [{ name: A, command: fail-on h1 }] }',
  trace: ['A: h1 failed'],
  failed: true,
});
rule('1 max_failures: a count lets that many fail, and those that cannot be reached count', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks: [{ name: A, command: away-on h1 }, { name: B, command: fail-on h2 }, { name: C, command: ok }]
`,
  trace: ['A: h1 unreachable, h2 h3 changed', 'B: h2 failed, h3 changed'],
  failed: true,
});
rule('1 max_failures: a share', {
  text: "- { name: P, hosts: all, max_failures: '34%', tasks: [{ name: A, command: fail-on h1 }, { name: B, command: ok }] }",
  trace: ['A: h1 failed, h2 h3 changed', 'B: h2 h3 changed'],
});

rule('1 order: before batches are made', {
  text: '- { name: P, hosts: all, order: reverse_sorted, serial: 1, tasks: [{ name: A, command: ok }] }',
  trace: ['A: h3 changed', 'A: h2 changed', 'A: h1 changed'],
});

rule('1 import_playbook: vars, tags, and a condition that is copied to each task', {
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

rule('1 environment: merged from outside to inside', {
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

rule('1 module_defaults: from outside to inside, behind what the task says', {
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

rule('1 no_log: inherited, hides what is said', {
  text: '- { name: P, hosts: h1, no_log: true, tasks: [{ name: A, command: say secret-thing }] }',
  trace: ['A: h1 changed'],
  never: 'secret-thing',
});

rule('1 become: inherited keyword by keyword', {
  seen: [
    'test/lab/language.test.ts',
    'runs the tasks of a user in one sudo shell, with the variables of "environment"',
  ],
});

rule('8 linear: all hosts end a step before the next begins', {
  text: `
- { name: A, command: '{{ternary (eq inventory_hostname "h3") "signal done" "wait done"}}' }
- { name: B, command: ok }
`,
  trace: ['A: h1 h2 h3 changed', 'B: h1 h2 h3 changed'],
});

rule('8 free: a host goes on while another is not done', {
  text: `
- name: P
  hosts: web
  strategy: free
  tasks:
    - { name: A, command: '{{ternary (eq inventory_hostname "h1") "wait ahead" "ok"}}' }
    - { name: B, when: inventory_hostname == "h2", command: signal ahead }
`,
  trace: [/^A: .*/, /^A: .*/, /^B: h. (changed|skipped)/, /^B: h. (changed|skipped)/],
});

rule('8 throttle: so many hosts at a time; forks: so many in all', {
  text: '- { name: A, command: ok, throttle: 1 }',
  trace: ['A: h1 h2 h3 changed'],
  most: 1,
  also: [
    {
      text: '- { name: A, command: ok }',
      settings: { forks: 2 },
      trace: ['A: h1 h2 h3 changed'],
      most: 2,
    },
    { text: '- { name: A, command: ok }', trace: ['A: h1 h2 h3 changed'], most: 3 },
  ],
});

rule('8 run_once: on the first host of each batch, for all of them', {
  text: `
- name: P
  hosts: all
  serial: 2
  tasks:
    - { name: Once, run_once: true, command: 'say {{inventory_hostname}}', register: said }
    ${show('Say', '{{said.stdout}}')}
`,
  trace: ['Once: h1 changed', 'Say: h1 h2 ok', 'Once: h3 changed', 'Say: h3 ok'],
  messages: { Say: ['h1', 'h1', 'h3'] },
});
rule('8 run_once: play is once for all batches', {
  text: `
- name: P
  hosts: all
  serial: 1
  tasks:
    - { name: Once, run_once: play, command: 'say {{inventory_hostname}}', register: said }
    ${show('Say', '{{said.stdout}}')}
`,
  messages: { Say: ['h1', 'h1', 'h1'] },
});
rule('8 run_once: its condition is that of the host it runs on', {
  text: '- { name: Once, run_once: true, command: ok, when: inventory_hostname == "h2" }',
  trace: ['Once: h1 skipped'],
});
rule('8 run_once: a failure is one of all hosts', {
  text: '- { name: Once, run_once: true, command: fail }\n- { name: Later, command: ok }',
  trace: ['Once: h1 failed'],
  failed: true,
});

rule('9 delegate_to: runs there with the variables of the host it is for, whose the result is', {
  text: `
- { name: Ask, command: 'say {{inventory_hostname}} {{own}}', delegate_to: h3, register: said, vars: { own: 'own {{inventory_hostname}}' } }
${show('Say', '{{said.stdout}}')}
`,
  messages: { Say: ['h1 own h1', 'h2 own h2', 'h3 own h3'] },
});
rule('9 delegate_to: what it is delegated to may differ from item to item', {
  text: '- { name: Ask, loop: [h2, h3], command: fail-on h3, delegate_to: "{{item}}", run_once: true }',
  trace: ['Ask: h1[h2] changed, h1[h3] failed'],
  failed: true,
});
rule('9 delegate_to: of a failure the host it was for has the blame, and the delegate is named', {
  text: '- { name: Ask, command: ok, delegate_to: h3, when: inventory_hostname == "h1" }',
  away: ['h3'],
  trace: ['Ask: h1 unreachable, h2 h3 skipped'],
  messages: { Ask: /"h3" does not answer/ },
  failed: true,
});
rule('9 delegate_to: a host that has failed is not asked', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks:
    - { name: Fails, command: fail-on h3 }
    - { name: All the same, command: ok, delegate_to: h3, allow_failed_delegate: true }
    - { name: Ask, command: ok, delegate_to: h3 }
`,
  trace: ['Fails: h1 h2 changed, h3 failed', 'All the same: h1 h2 changed', 'Ask: h1 h2 failed'],
  failed: true,
  messages: { Ask: /"h3", which this is delegated to, has failed in this run/ },
});
rule(
  '9 delegate_to: facts go to the host that asked, or with delegate_facts to the one that was asked',
  {
    text: `
- { name: Own, set_fact: { fact: own }, delegate_to: h3, run_once: true }
- { name: There, set_fact: { other: there }, delegate_to: h3, delegate_facts: true, run_once: true }
- { name: Say, debug: { msg: '{{default fact "none"}} {{default other "none"}}' } }
`,
    messages: { Say: ['own none', 'own none', 'own there'] },
  },
);
rule('9 delegate_to: on a block, for all in it', {
  text: '- { delegate_to: h2, run_once: true, block: [{ name: A, command: fail-on h1 }, { name: B, command: fail-on h2, ignore_errors: true }] }',
  trace: ['A: h1 changed', 'B: h1 failed ignored'],
});

rule('20 meta: flush_handlers runs what is due now', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { name: A, command: ok, notify: Tell }
    - meta: flush_handlers
    - { name: B, command: ok }
  handlers: [{ name: Tell, command: ok }]
`,
  trace: ['A: h1 changed', 'Tell: h1 changed', 'B: h1 changed'],
});
rule('20 meta: end_host, end_play, end_batch', {
  seen: [
    'test/lab/execution-control.test.ts',
    'end_batch ends one batch of hosts, end_play also skips the remaining batches',
  ],
  text: `
- name: P
  hosts: web
  serial: 1
  tasks:
    - { name: A, command: ok }
    - { meta: end_host, when: inventory_hostname == "h1" }
    - { name: B, command: ok }
    - { meta: end_play, when: inventory_hostname == "h2" }
    - { name: C, command: ok }
- { name: Q, hosts: web, tasks: [{ name: D, command: ok }] }
`,
  trace: [
    'A: h1 changed',
    'end host: h1 ok',
    'A: h2 changed',
    'end host: h2 skipped',
    'B: h2 changed',
    'end play: h2 ok',
    'D: h1 h2 changed',
  ],
});
rule('20 meta: end_role, clear_facts, reset_connection', {
  seen: [
    'test/lab/execution-control.test.ts',
    'clear_facts discards the facts, and reset_connection opens a new connection',
  ],
});
rule('20 meta: what is not there is told', {
  text: '- { name: P, hosts: h1, tasks: [{ meta: clear_host_errors }] }',
  problem: 'clear_host_errors',
});

rule('10 tags: a union, and what is skipped wins', {
  text: `
- { name: A, command: ok, tags: a }
- { name: B, command: ok, tags: [a, b] }
- { name: C, command: ok, tags: c }
- { name: D, command: ok }
`,
  settings: { tags: ['a', 'c'], skipTags: ['b'], limit: 'h1' },
  trace: ['A: h1 changed', 'C: h1 changed'],
});
rule('10 tags: always runs unless skipped by name, never only when asked for', {
  text: '- { name: A, command: ok, tags: always }\n- { name: N, command: ok, tags: [never, n] }\n- { name: B, command: ok, tags: b }',
  settings: { tags: ['b'], limit: 'h1' },
  trace: ['A: h1 changed', 'B: h1 changed'],
  also: [
    {
      text: '- { name: A, command: ok, tags: always }\n- { name: N, command: ok, tags: [never, n] }',
      settings: { tags: ['n'], skipTags: ['always'], limit: 'h1' },
      trace: ['N: h1 changed'],
    },
  ],
});
rule('10 tags: inherited by everything inside, includes too', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { tags: t, block: [{ name: Block, command: ok }] }
    - { name: Include, include_tasks: more.yml, tags: t }
    - { name: Role, include_role: { name: r }, tags: t }
    - { name: Other, command: ok }
`,
  files: {
    'more.yml': '- { name: Included, command: ok }',
    'roles/r/tasks/main.yml': '- { name: In role, command: ok }',
  },
  settings: { tags: ['t'] },
  trace: ['Block: h1 changed', 'Included: h1 changed', 'In role: h1 changed'],
});
rule('10 tags: handlers ignore them', {
  text: `
- name: P
  hosts: h1
  tasks: [{ name: A, command: ok, notify: Tell, tags: a }]
  handlers: [{ name: Tell, command: ok, tags: other }]
`,
  settings: { tags: ['a'] },
  trace: ['A: h1 changed', 'Tell: h1 changed'],
});
rule('10 tags: a selected block brings its rescue and always', {
  text: `
- block:
    - { name: A, command: fail-on h1, tags: a }
    - { name: B, command: ok, tags: b }
  rescue: [{ name: Rescue, command: ok }]
  always: [{ name: Always, command: ok }]
`,
  settings: { tags: ['a'], limit: 'web' },
  trace: ['A: h1 failed, h2 changed', 'Rescue: h1 changed', 'Always: h1 h2 changed'],
});
rule('10 tags: unknown ones are an error; all, tagged, untagged', {
  seen: [
    'test/lab/execution-control.test.ts',
    '`--tags` selects by name, `all`, `tagged` and `untagged`, and respects `always` and `never`',
  ],
});
