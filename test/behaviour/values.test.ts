import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('values');

const one = { limit: 'h1' };
const say = (name: string, text: string) => `- { name: ${name}, debug: { msg: '${text}' } }`;

rule('11 check: what would change is told and not done; what only looks is done', {
  text: `
- { name: A, command: fail }
- { name: Look, command: { cmd: say there, read_only: true }, register: looked }
${say('Say', '{{looked.stdout}}')}
- { name: Write, copy: { content: x, dest: /etc/x } }
`,
  settings: { ...one, check: true },
  trace: ['A: h1 changed', 'Look: h1 ok', 'Say: h1 ok', 'Write: h1 changed'],
  messages: { Say: 'there' },
});
rule('11 check: what depends on a result that is not there is unknown, not ok', {
  text: `
- { name: A, command: ok, register: r }
- { name: Depends, command: ok, when: r.stdout == "x" }
- { name: Uses, debug: { msg: '{{r.stdout}}' } }
- { name: Not, debug: { msg: plain } }
`,
  settings: { ...one, check: true },
  trace: ['A: h1 changed', 'Depends: h1 unknown', 'Uses: h1 unknown', 'Not: h1 ok'],
});
rule('11 check: handlers that would be told are simulated, too', {
  text: `
- name: P
  hosts: h1
  tasks: [{ name: A, copy: { content: x, dest: /etc/x }, notify: Tell }]
  handlers: [{ name: Tell, command: fail }]
`,
  settings: { check: true },
  trace: ['A: h1 changed', 'Tell: h1 changed'],
});
rule('11 check: run.check and ansible_check_mode tell it', {
  text: say('Say', '{{run.check}} {{ansible_check_mode}}'),
  settings: { ...one, check: true },
  messages: { Say: 'true true' },
});
rule('11 diff: before and after; not of a task that says diff: false', {
  seen: ['test/lab/keywords.test.ts', 'hides the diff of a task with "diff: false"'],
});

const inventory = `all:
  children: { web: { hosts: { h1: { level: host } } } }
`;
const levels = (more: { inputs?: string; task?: string; play?: string; fact?: string } = {}) => `
- name: P
  hosts: h1
  ${more.play === undefined ? '' : `vars: { level: ${more.play} }`}
  tasks:
    ${more.fact === undefined ? '' : `- { name: Fact, set_fact: { level: ${more.fact} } }`}
    - name: Role
      include_role: { name: r }
      ${more.inputs === undefined ? '' : `inputs: { level: ${more.inputs} }`}
      ${more.task === undefined ? '' : `vars: { level: ${more.task} }`}
`;
const inRole = {
  'roles/r/meta/main.yml': 'inputs: { level: { type: string, default: default } }',
  'roles/r/tasks/main.yml': say('Say', '{{level}}'),
};
const plain = 'all: { hosts: { h1: {} } }';
rule(
  '12 levels: default < inventory < play < input of a role < block or task < runtime < command line',
  {
    text: levels(),
    files: inRole,
    inventory: plain,
    messages: { Say: 'default' },
    also: [
      { text: levels(), files: inRole, inventory, messages: { Say: 'host' } },
      { text: levels({ play: 'play' }), files: inRole, inventory, messages: { Say: 'play' } },
      {
        text: levels({ play: 'play', inputs: 'input' }),
        files: inRole,
        inventory,
        messages: { Say: 'input' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task' }),
        files: inRole,
        inventory,
        messages: { Say: 'task' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task', fact: 'fact' }),
        files: inRole,
        inventory,
        messages: { Say: 'fact' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task', fact: 'fact' }),
        files: inRole,
        inventory,
        settings: { variables: { level: 'line' } },
        messages: { Say: 'line' },
      },
    ],
  },
);
rule('12 groups: deeper ones go over others, hosts over groups; files beside the playbook count', {
  text: '- { name: P, hosts: h1, tasks: [{ name: Say, debug: { msg: "{{a}} {{b}} {{c}}" } }] }',
  inventory: `all:
  vars: { a: all, b: all, c: all }
  children:
    web: { vars: { b: web }, children: { front: { hosts: { h1: {} } } } }
`,
  files: { 'host_vars/h1.yml': 'c: host' },
  messages: { Say: 'all web host' },
});
rule('12 groups: two of one depth that disagree are an error, with both places', {
  text: '- { name: A, command: ok }',
  inventory: `all:
  children:
    one: { vars: { x: 1 }, hosts: { h1: {} } }
    two: { vars: { x: 2 }, hosts: { h1: {} } }
`,
  problem: 'one',
});
rule('12 vars/ of a role: constants, over which only the command line goes', {
  text: '- { name: P, hosts: h1, vars: { c: play }, tasks: [{ name: Role, include_role: { name: r }, vars: { c: task } }] }',
  files: { 'roles/r/vars/main.yml': 'c: constant', 'roles/r/tasks/main.yml': say('Say', '{{c}}') },
  messages: { Say: 'constant' },
  also: [
    {
      text: '- { name: P, hosts: h1, roles: [r] }',
      files: {
        'roles/r/vars/main.yml': 'c: constant',
        'roles/r/tasks/main.yml': say('Say', '{{c}}'),
      },
      settings: { variables: { c: 'line' } },
      messages: { Say: 'line' },
    },
  ],
});
rule('12 maps: the stronger one stands alone, "merge" puts them together', {
  text: `
- name: P
  hosts: h1
  vars: { m: { b: 2 } }
  tasks:
    ${say('Alone', '{{json m}}')}
    - { name: Merged, debug: { msg: '{{json (merge other m)}}' }, vars: { other: { a: 1 } } }
`,
  inventory: 'all: { hosts: { h1: { m: { a: 1 } } } }',
  messages: { Alone: '{"b":2}', Merged: '{"a":1,"b":2}' },
});
rule('12 undefined: known before the run where it can be, an error where it is used', {
  text: say('Say', '{{nothing}}'),
  problem: 'Nothing defines "nothing"',
  also: [
    {
      text: `- { name: Include, include_vars: some.yml }\n${say('Say', '{{late}}')}`,
      files: { 'vars/some.yml': 'other: 1' },
      settings: one,
      messages: { Say: /"late" is not defined/ },
      failed: true,
    },
  ],
});
rule('12 omit: the argument is not given', {
  text: '- { name: A, copy: { content: x, dest: /etc/x, mode: "{{default mode omit}}" } }',
  settings: one,
  trace: ['A: h1 changed'],
});
rule('12 magic names cannot be taken', {
  text: '- { name: P, hosts: h1, vars: { groups: [] }, tasks: [{ name: A, command: ok }] }',
  problem: '"groups" means something else already',
  also: [{ text: '- { name: A, command: ok, register: run }', problem: '"run"' }],
});
rule('12 resolved once: a value that stands for another follows it, in circles it is an error', {
  text: `
- name: P
  hosts: h1
  vars: { a: '{{b}}', b: '{{c}}', c: deep }
  tasks: [{ name: Say, debug: { msg: '{{a}}' } }]
`,
  messages: { Say: 'deep' },
  also: [
    {
      text: "- { name: P, hosts: h1, vars: { a: '{{b}}', b: '{{a}}' }, tasks: [{ name: Say, debug: { msg: '{{a}}' } }] }",
      messages: { Say: /refers to itself/ },
      failed: true,
    },
  ],
});
rule('12 why: every definition and the one that counts', {
  seen: [
    'test/lab/adhoc.test.ts',
    'lists every place that sets a variable, weakest first, and marks the one that counts',
  ],
});

rule('13 magic: hosts, groups, play, run, and the variables of other hosts', {
  text: `
- name: P
  hosts: web
  tasks:
    - name: Say
      debug:
        msg: '{{inventory_hostname}} {{join group_names ","}} {{join groups.db ","}} {{join play.hosts_all ","}} {{get hostvars "h3" "own"}} {{run.id}}'
`,
  inventory: `all:
  children:
    web: { hosts: { h1: {}, h2: {} } }
    db: { hosts: { h3: { own: three } } }
`,
  messages: {
    Say: ['h1 all,web h3 h1,h2 three scripted', 'h2 all,web h3 h1,h2 three scripted'],
  },
});
rule('13 magic: of a play those that are alive, those that failed, and those of the batch', {
  text: `
- name: P
  hosts: all
  serial: 2
  max_failures: 1
  tasks:
    - { name: A, command: fail-on h2 }
    - { name: Say, debug: { msg: '{{join play.hosts ","}}|{{join play.failed_hosts ","}}|{{join play.batch ","}}' } }
`,
  messages: { Say: ['h1|h2|h1,h2', 'h3||h3'] },
});
rule('13 templates: a text that is one expression keeps its type', {
  text: `
- { name: Set, set_fact: { n: '{{5}}', both: '{{x}}', text: 'a{{x}}' } }
- { name: Check, assert: { that: ['n == 5', 'size(both) == 2', 'text == "a[1,2]"'] } }
`,
  settings: { ...one, variables: { x: [1, 2] } },
  trace: ['Set: h1 ok', 'Check: h1 ok'],
});
rule('13 templates: names that are missing in the arguments of blocks are errors, too', {
  text: `- { name: Include, include_vars: some.yml }\n- { name: Say, debug: { msg: '{{#if late}}x{{/if}}' } }`,
  files: { 'vars/some.yml': 'other: 1' },
  settings: one,
  messages: { Say: /"late" is not defined/ },
  failed: true,
});
rule('13 templates: data from hosts is never rendered', {
  text: `- { name: A, command: { argv: [say, '{{quoted}}'] }, register: r }\n${say('Say', '{{r.stdout}}')}`,
  settings: { ...one, variables: { quoted: '{{evil}}' } },
  messages: { Say: '{{evil}}' },
});
rule('13 conditions: functions for results and versions', {
  text: `
- { name: A, command: fail, ignore_errors: true, register: a }
- { name: B, command: ok, register: b }
- { name: C, command: ok, when: false, register: c }
- name: Check
  assert:
    that:
      - failed(a) && !failed(b) && succeeded(b) && changed(b) && skipped(c) && !succeeded(c)
      - version("3.7.16", ">=", "3.7.2") && "h1" in groups.web
      - '!has(vars.nothing) && has(vars.a)'
`,
  settings: one,
  trace: ['A: h1 failed ignored', 'B: h1 changed', 'C: h1 skipped', 'Check: h1 ok'],
});
rule('13 helpers: each does what its page shows', {
  seen: ['test/contract/reference.test.ts', 'helperDocs'],
});
rule('13 reading: environment and files of the controller', {
  text: `- name: P\n  hosts: h1\n  vars: { home: '{{env "PLACE"}}', motd: '{{file "motd"}}' }\n  tasks:\n    ${say('Say', '{{home}} {{motd}} {{date "%Y"}}')}`,
  files: { 'files/motd': 'hello\n' },
  env: { PLACE: '/here' },
  messages: { Say: '/here hello 1970' },
  also: [
    { text: say('Say', '{{file "none"}}'), problem: 'There is no file "none"' },
    {
      text: '- { name: A, command: ok, undo: [{ name: U, command: "say {{env `X`}}" }] }'.replaceAll(
        '`',
        "'",
      ),
      problem: 'reads the controller',
    },
    {
      text: `
rollback: { verify: [{ name: V, command: { cmd: 'say {{env "X"}}', read_only: true } }] }
fingerprint: [{ name: F, command: { cmd: 'say {{env "X"}}', read_only: true } }]
plays:
  - name: P
    hosts: h1
    tasks:
      - undo: [{ name: B, command: 'say {{file "a"}}' }]
        block: [{ name: A, command: ok }]
`,
      problem: /task "F" cannot.*\n.*task "V" cannot.*\n.*task "B" cannot/,
    },
  ],
});

rule(
  '14 looking at a host has a limit: a minute, or the timeout of the task where that is longer',
  {
    text: '- { name: A, copy: { content: x, dest: /etc/x } }',
    settings: one,
    patience: 60_000,
    also: [
      {
        text: '- { name: A, copy: { content: x, dest: /etc/x }, timeout: 600 }',
        settings: one,
        patience: 600_000,
      },
      {
        text: '- { name: A, copy: { content: x, dest: /etc/x }, timeout: 5 }',
        settings: one,
        patience: 60_000,
      },
    ],
  },
);

rule('14 facts: in one round trip, with a limit for each probe', {
  seen: ['test/facts/host.test.ts', 'late_probes'],
});

const handlers = (tasks: string, more: string, play = '') => `
- name: P
  hosts: all
${play}
  tasks:
${tasks.trim().replaceAll(/^/gm, '    ')}
  handlers:
${more.trim().replaceAll(/^/gm, '    ')}
`;
rule('15 handlers: where something changed, once, in the order of their definition', {
  text: handlers(
    '- { name: A, command: ok, changed_when: inventory_hostname == "h1", notify: [Second, First] }\n- { name: B, command: ok, changed_when: inventory_hostname == "h1", notify: Second }',
    '- { name: First, command: ok }\n- { name: Second, command: ok }\n- { name: Never, command: ok }',
  ),
  trace: [
    'A: h1 changed, h2 h3 ok',
    'B: h1 changed, h2 h3 ok',
    'First: h1 changed',
    'Second: h1 changed',
  ],
});
rule('15 handlers: told again after a flush, they run again', {
  text: handlers(
    '- { name: A, command: ok, notify: T }\n- meta: flush_handlers\n- { name: B, command: ok, notify: T }',
    '- { name: T, command: ok }',
  ),
  settings: one,
  trace: ['A: h1 changed', 'T: h1 changed', 'B: h1 changed', 'T: h1 changed'],
});
rule('15 handlers: one that tells an earlier one, in the same flush', {
  text: handlers(
    '- { name: A, command: ok, notify: Late }',
    '- { name: Early, command: ok }\n- { name: Late, command: ok, notify: Early }',
  ),
  settings: one,
  trace: ['A: h1 changed', 'Late: h1 changed', 'Early: h1 changed'],
});
rule('15 handlers: all that listen to a topic, in the order of their definition', {
  text: handlers(
    '- { name: A, command: ok, notify: topic }',
    '- { name: One, command: ok, listen: topic }\n- { name: Two, command: ok, listen: [other, topic] }',
  ),
  settings: one,
  trace: ['A: h1 changed', 'One: h1 changed', 'Two: h1 changed'],
});
rule('15 handlers: obey when; step by step with the other hosts', {
  text: handlers(
    '- { name: A, command: ok, notify: T }',
    '- { name: T, command: ok, when: inventory_hostname != "h2" }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 h3 changed, h2 skipped'],
});
rule('15 handlers: one that fails on a host ends the run like any step', {
  text: handlers(
    '- { name: A, command: ok, notify: [T, U] }',
    '- { name: T, command: fail-on h1 }\n- { name: U, command: ok }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 failed, h2 h3 changed'],
  failed: true,
});
rule('15 handlers: a flush inside a block can be rescued', {
  text: handlers(
    `- block:
    - { name: A, command: ok, notify: T }
    - meta: flush_handlers
  rescue: [{ name: R, command: ok }]`,
    '- { name: T, command: fail-on h1 }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 failed, h2 h3 changed', 'R: h1 changed'],
});
rule('15 handlers: a name that nobody has is found before the run', {
  text: handlers('- { name: A, command: ok, notify: Tel }', '- { name: Tell, command: ok }'),
  problem: 'Tell',
});
rule('15 handlers: notify of a block is that of its tasks', {
  text: handlers(
    '- { notify: T, block: [{ name: A, command: ok }] }',
    '- { name: T, command: ok }',
  ),
  settings: one,
  trace: ['A: h1 changed', 'T: h1 changed'],
});
rule('15 handlers: those that are due survive a failed run', {
  seen: [
    'test/lab/language.test.ts',
    'keeps inventory variables, groups, registered results and pending handlers',
  ],
});

rule('16 vault: files and values, read and written as ansible-vault does', {
  seen: ['test/lab/vault.test.ts', 'encrypts, views, edits, rekeys and decrypts a file'],
});
rule('16 secrets: masked by value wherever they come up', {
  seen: [
    'test/lab/vault.test.ts',
    'are decrypted on the host and masked in the output and in the recorded run',
  ],
});
rule('17 async: a step that goes on without its connection; one that nobody waits for is refused', {
  seen: ['test/lab/execution-control.test.ts', 'waits for the result of the task'],
  text: '- { name: A, command: ok, async: 60, poll: 0 }',
  problem: 'poll',
});
rule('18 output: events, one a line, for programs', {
  seen: ['test/lab/language.test.ts', 'unit-end'],
});
rule('19 inventories: of Ansible, mkectl, k0sctl, launchpad, MKE 4, programs and lists', {
  seen: ['test/inventory/inventory.test.ts', 'is asked with --list'],
});

rule('19 add_host, group_by: hosts and groups for the plays behind', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { name: Add, add_host: { name: '{{item}}', groups: [fresh, db], own: 'of {{item}}' }, loop: [n1, h2] }
    - { name: Group, group_by: picked }
- { name: Q, hosts: 'fresh:picked', tasks: [{ name: Say, debug: { msg: '{{inventory_hostname}} {{default own "-"}} {{join groups.db ","}}' } }] }
- { name: R, hosts: all, tasks: [{ name: All, command: ok }] }
`,
  messages: { Say: ['h1 - h2,h3,n1', 'h2 of h2 h2,h3,n1', 'n1 of n1 h2,h3,n1'] },
  trace: ['Add: h1[h2] h1[n1] ok', 'Group: h1 ok', 'Say: h1 h2 n1 ok', 'All: h1 h2 h3 n1 changed'],
});

rule('19 group_by: a host leaves groups before it joins one', {
  text: `
- name: P
  hosts: all
  tasks:
    - { name: Group, group_by: { key: '{{ternary (eq inventory_hostname "h1") "db" "picked"}}', leave: [db, picked] } }
- { name: Q, hosts: 'db:picked', tasks: [{ name: Say, debug: { msg: '{{join group_names ","}} {{join groups.db ","}}' } }] }
`,
  messages: { Say: ['all,web,db h1', 'all,web,picked h1', 'all,picked h1'] },
  trace: ['Group: h1 h2 h3 ok', 'Say: h1 h2 h3 ok'],
});

rule('22 debug: a message, or the value of a variable', {
  text: `
- { name: Text, debug: { var: x.inner } }
- { name: Both, debug: { msg: '{{x.inner}}' } }
`,
  settings: { ...one, variables: { x: { inner: [1, 2] } } },
  messages: { Text: '[\n  1,\n  2\n]', Both: '[\n  1,\n  2\n]' },
  also: [
    { text: '- { name: A, debug: { var: nothing } }', problem: 'Nothing defines "nothing"' },
    { text: '- { name: A, debug: { var: x, msg: x } }', problem: 'debug' },
    {
      text: '- { name: Braces, debug: { var: "{{x}}" } }',
      settings: { ...one, variables: { x: 'value' } },
      messages: { Braces: 'value' },
    },
  ],
});
rule('22 arguments that are not here are answered with what is', {
  text: '- { name: A, copy: { content: x, dest: /x, backup: true } }',
  problem: 'every step keeps what it changes',
  also: [
    {
      text: '- { name: A, template: { src: a.hbs, dest: /x, trim_blocks: true } }',
      problem: 'Templates are Handlebars',
    },
  ],
});
rule('22 assert: quiet says nothing', {
  text: '- { name: A, assert: { that: ["1 == 1"], quiet: true } }',
  settings: one,
  messages: { A: '' },
});

rule('23 booleans and times of YAML 1.1 are texts here', {
  text: `
- { name: Set, set_fact: { a: no, b: on, c: 08:30, d: 0o17 } }
- { name: Check, assert: { that: ['a == "no"', 'b == "on"', 'c == "08:30"', 'd == 15'] } }
`,
  settings: one,
  trace: ['Set: h1 ok', 'Check: h1 ok'],
});
rule('23 a mode that is a number is refused', {
  text: '- { name: A, file: { path: /x, state: touch, mode: 644 } }',
  problem: 'mode',
  also: [{ text: '- { name: A, file: { path: /x, state: touch, mode: 0644 } }', problem: 'mode' }],
});
rule('23 an unknown key anywhere is found before the run', {
  text: '- { name: A, command: ok, regster: r }',
  problem: 'register',
  also: [
    {
      text: '- { name: P, hosts: h1, serail: 1, tasks: [{ name: A, command: ok }] }',
      problem: 'serial',
    },
  ],
});
rule('23 include is one word: known before the run where its path is, and looked at then', {
  text: '- { name: Include, include_tasks: more.yml }',
  files: { 'more.yml': '- { name: A, comand: ok }' },
  problem: 'command',
});
rule('23 key=value arguments are refused with their form as a map', {
  text: '- { name: A, copy: src=a dest=/b }',
  problem: 'copy',
});
