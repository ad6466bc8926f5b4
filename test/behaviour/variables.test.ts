import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('variables');

rule('vars_files: the first existing file of a list is read; a missing file is an error', {
  text: `
- name: P
  hosts: h1
  vars: { here: play }
  vars_files: [[none.yml, second.yml]]
  tasks:
    ${say('Print', '{{here}} {{there}}')}
`,
  files: { 'second.yml': 'there: file' },
  messages: { Print: 'play file' },
  also: [
    {
      text: '- { name: P, hosts: h1, vars_files: [none.yml], tasks: [{ name: A, command: ok }] }',
      problem: 'none.yml',
    },
  ],
});

rule('vars: those of a task override those of its block, and are visible only inside', {
  text: `
- vars: { a: block, b: block }
  block:
    - { name: In, debug: { msg: '{{a}} {{b}}' }, vars: { b: task } }
    ${say('After task', '{{a}} {{b}}')}
${say('After block', '{{default a "gone"}}')}
`,
  settings: onH1,
  messages: { In: 'block task', 'After task': 'block block', 'After block': 'gone' },
});

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
  'roles/r/tasks/main.yml': say('Print', '{{level}}'),
};

const plain = 'all: { hosts: { h1: {} } }';

const inventory = `all:
  children: { web: { hosts: { h1: { level: host } } } }
`;

rule(
  'precedence: default < inventory < play < role input < block or task < runtime < command line',
  {
    text: levels(),
    files: inRole,
    inventory: plain,
    messages: { Print: 'default' },
    also: [
      { text: levels(), files: inRole, inventory, messages: { Print: 'host' } },
      { text: levels({ play: 'play' }), files: inRole, inventory, messages: { Print: 'play' } },
      {
        text: levels({ play: 'play', inputs: 'input' }),
        files: inRole,
        inventory,
        messages: { Print: 'input' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task' }),
        files: inRole,
        inventory,
        messages: { Print: 'task' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task', fact: 'fact' }),
        files: inRole,
        inventory,
        messages: { Print: 'fact' },
      },
      {
        text: levels({ play: 'play', inputs: 'input', task: 'task', fact: 'fact' }),
        files: inRole,
        inventory,
        settings: { variables: { level: 'line' } },
        messages: { Print: 'line' },
      },
    ],
  },
);

rule(
  'groups: child groups override parents, hosts override groups; also from files of the playbook',
  {
    text: '- { name: P, hosts: h1, tasks: [{ name: Print, debug: { msg: "{{a}} {{b}} {{c}}" } }] }',
    inventory: `all:
  vars: { a: all, b: all, c: all }
  children:
    web: { vars: { b: web }, children: { front: { hosts: { h1: {} } } } }
`,
    files: { 'host_vars/h1.yml': 'c: host' },
    messages: { Print: 'all web host' },
  },
);

rule('groups: different values in groups of the same depth are an error', {
  text: '- { name: A, command: ok }',
  inventory: `all:
  children:
    one: { vars: { x: 1 }, hosts: { h1: {} } }
    two: { vars: { x: 2 }, hosts: { h1: {} } }
`,
  problem: 'one',
});

rule('role vars/: are constants that only the command line overrides', {
  text: '- { name: P, hosts: h1, vars: { c: play }, tasks: [{ name: Role, include_role: { name: r }, vars: { c: task } }] }',
  files: {
    'roles/r/vars/main.yml': 'c: constant',
    'roles/r/tasks/main.yml': say('Print', '{{c}}'),
  },
  messages: { Print: 'constant' },
  also: [
    {
      text: '- { name: P, hosts: h1, roles: [r] }',
      files: {
        'roles/r/vars/main.yml': 'c: constant',
        'roles/r/tasks/main.yml': say('Print', '{{c}}'),
      },
      settings: { variables: { c: 'line' } },
      messages: { Print: 'line' },
    },
  ],
});

rule('maps: the one with higher precedence replaces the other; "merge" combines them', {
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

rule('undefined: is reported before the run if possible, otherwise it is an error when used', {
  text: say('Print', '{{nothing}}'),
  problem: 'Variable "nothing" is not defined',
  also: [
    {
      text: `- { name: Include, include_vars: some.yml }\n${say('Print', '{{late}}')}`,
      files: { 'vars/some.yml': 'other: 1' },
      settings: onH1,
      messages: { Print: /"late" is not defined/ },
      failed: true,
    },
  ],
});

rule('magic: their names cannot be used for other variables', {
  text: '- { name: P, hosts: h1, vars: { groups: [] }, tasks: [{ name: A, command: ok }] }',
  problem: '"groups" is a magic variable',
  also: [{ text: '- { name: A, command: ok, register: run }', problem: '"run"' }],
});

rule('references: a value that refers to another is resolved; a cycle is an error', {
  text: `
- name: P
  hosts: h1
  vars: { a: '{{b}}', b: '{{c}}', c: deep }
  tasks: [{ name: Print, debug: { msg: '{{a}}' } }]
`,
  messages: { Print: 'deep' },
  also: [
    {
      text: "- { name: P, hosts: h1, vars: { a: '{{b}}', b: '{{a}}' }, tasks: [{ name: Print, debug: { msg: '{{a}}' } }] }",
      messages: { Print: /refers to itself/ },
      failed: true,
    },
  ],
});

rule('runner why: lists every definition and the one that counts', {
  seen: [
    'test/lab/adhoc.test.ts',
    'lists every place that sets a variable, lowest precedence first, and marks the effective one',
  ],
});

rule('magic: contain hosts, groups, play, run, and the variables of other hosts', {
  text: `
- name: P
  hosts: web
  tasks:
    - name: Print
      debug:
        msg: '{{inventory_hostname}} {{join group_names ","}} {{join groups.db ","}} {{join play.hosts_all ","}} {{get hostvars "h3" "own"}} {{run.id}}'
`,
  inventory: `all:
  children:
    web: { hosts: { h1: {}, h2: {} } }
    db: { hosts: { h3: { own: three } } }
`,
  messages: {
    Print: ['h1 all,web h3 h1,h2 three scripted', 'h2 all,web h3 h1,h2 three scripted'],
  },
});

rule('magic: "play" contains the active hosts, the failed hosts and the batch', {
  text: `
- name: P
  hosts: all
  serial: 2
  max_failures: 1
  tasks:
    - { name: A, command: fail-on h2 }
    - { name: Print, debug: { msg: '{{join play.hosts ","}}|{{join play.failed_hosts ","}}|{{join play.batch ","}}' } }
`,
  messages: { Print: ['h1|h2|h1,h2', 'h3||h3'] },
});

rule('YAML: booleans and times of YAML 1.1 are strings', {
  text: `
- { name: Set, set_fact: { a: no, b: on, c: 08:30, d: 0o17 } }
- { name: Check, assert: { that: ['a == "no"', 'b == "on"', 'c == "08:30"', 'd == 15'] } }
`,
  settings: onH1,
  trace: ['Set: h1 ok', 'Check: h1 ok'],
});
