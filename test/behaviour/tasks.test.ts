import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('tasks');

const one = { limit: 'h1' };
const say = (name: string, text: string) => `- { name: ${name}, debug: { msg: '${text}' } }`;

rule('2 vars: those of a task go over those of the block, and are seen inside only', {
  text: `
- vars: { a: block, b: block }
  block:
    - { name: In, debug: { msg: '{{a}} {{b}}' }, vars: { b: task } }
    ${say('After task', '{{a}} {{b}}')}
${say('After block', '{{default a "gone"}}')}
`,
  settings: one,
  messages: { In: 'block task', 'After task': 'block block', 'After block': 'gone' },
});

rule('2 when: conditions of all around must hold, asked again for each task', {
  text: `
- when: go
  block:
    - { name: A, command: ok, when: inventory_hostname == "h1" }
    - { name: Stop, set_fact: { go: false }, when: inventory_hostname == "h1" }
    - { name: B, command: ok }
`,
  settings: { variables: {} },
  inventory: 'all: { vars: { go: true }, hosts: { h1: {}, h2: {} } }',
  trace: ['A: h1 changed, h2 skipped', 'Stop: h1 ok, h2 skipped', 'B: h1 skipped, h2 changed'],
});
rule('2 when: a condition is true or false, nothing else', {
  text: '- { name: A, command: ok, when: x }',
  settings: { ...one, variables: { x: 'yes' } },
  trace: ['A: h1 failed'],
  messages: { A: /Condition "x" is a string, not true or false/ },
  failed: true,
});
rule('2 when: words of Ansible are answered with those of here', {
  text: '- { name: A, command: ok, when: x is defined and y }',
  problem: 'In CEL: has(vars.x) && y',
});

rule('2 ignore_errors: of failures, which stay failures in the result', {
  text: `
- { name: A, command: fail, ignore_errors: true, register: a }
${say('Say', '{{a.failed}}')}
`,
  settings: one,
  trace: ['A: h1 failed ignored', 'Say: h1 ok'],
  messages: { Say: 'true' },
});
rule('2 ignore_errors: not of hosts that cannot be reached', {
  text: '- { name: A, command: away-on h1, ignore_errors: true }\n- { name: B, command: ok }',
  trace: ['A: h1 unreachable, h2 h3 changed'],
  failed: true,
});
rule('2 ignore_errors: not of what a template names and is not there', {
  text: `- { name: A, debug: { msg: '{{get x "missing" "deeper"}}' }, ignore_errors: true }\n- { name: B, command: ok }`,
  settings: { ...one, variables: { x: {} } },
  failed: true,
});
rule('2 ignore_unreachable: the host goes on, the result tells', {
  text: `
- { name: A, command: ok, ignore_unreachable: true, register: a }
- { name: Say, debug: { msg: '{{a.unreachable}}' } }
`,
  away: ['h1'],
  settings: one,
  trace: ['A: h1 unreachable ignored', 'Say: h1 ok'],
  messages: { Say: 'true' },
});
rule('2 remote_user, port, connection: the inventory goes over them, they over --user', {
  seen: ['test/lab/keywords.test.ts', 'are overridden by the inventory'],
});
rule('2 become_user: a template, as each of these', {
  seen: [
    'test/lab/keywords.test.ts',
    'apply where the inventory sets nothing, in the play and in its rollback',
  ],
});
rule('2 check_mode: true simulates in a real run; false is refused', {
  text: '- { name: A, command: ok, check_mode: true }',
  settings: one,
  trace: ['A: h1 ok'],
  also: [{ text: '- { name: A, command: ok, check_mode: false }', problem: 'read_only' }],
});
rule('2 timeout: a limit for each attempt', {
  seen: ['test/openssh/shell.test.ts', 'ends a command that exceeds its time limit'],
});

rule('3 one module in a task', {
  text: '- { name: A, command: ok, debug: { msg: x } }',
  problem: 'one module',
  also: [
    { text: '- { name: A, comand: ok }', problem: 'command' },
    { text: '- { name: A, command: { cmd: ok, chdri: / } }', problem: 'chdir' },
  ],
});
rule('3 register: for every outcome, also a skipped one over an older one', {
  text: `
- { name: A, command: say first, register: r }
${say('Ok', '{{r.stdout}} {{r.changed}} {{r.failed}} {{r.rc}}')}
- { name: Fails, command: fail, register: r, ignore_errors: true }
${say('Failed', '{{r.failed}} {{r.rc}}')}
- { name: Skips, command: ok, when: false, register: r }
${say('Skipped', '{{r.skipped}} {{default r.stdout "nothing"}}')}
`,
  settings: one,
  messages: { Ok: 'first true false 0', Failed: 'true 1', Skipped: 'true nothing' },
});
rule('3 changed_when, failed_when: all of a list must hold', {
  text: `
- { name: A, command: rc 3, failed_when: [result.rc > 2, result.rc > 5], changed_when: [true, false] }
- { name: B, command: rc 9, failed_when: [result.rc > 2, result.rc > 5], ignore_errors: true }
`,
  settings: one,
  trace: ['A: h1 ok', 'B: h1 failed ignored'],
});
rule('3 failed_when: false turns any code into ok; the registered name is that of this attempt', {
  text: '- { name: A, command: rc 7, failed_when: false, register: r, changed_when: r.rc == 7 }',
  settings: one,
  trace: ['A: h1 changed'],
});
rule('3 failed_when: an error in it fails the task and keeps what it said', {
  text: `
- { name: A, command: say kept, failed_when: result.none == 1, register: r, ignore_errors: true }
${say('Say', '{{r.stdout}}')}
`,
  settings: one,
  trace: ['A: h1 failed ignored', 'Say: h1 ok'],
  messages: { Say: 'kept' },
});
rule('3 until, retries: attempts are counted as they were', {
  text: `
- { name: A, command: flaky 2, until: result.rc == 0, retries: 5, delay: 0, register: r }
${say('Say', '{{r.attempts}}')}
- { name: B, command: flaky 9, until: result.rc == 0, retries: 2, delay: 0, register: r, ignore_errors: true }
${say('Said', '{{r.attempts}}')}
`,
  settings: one,
  trace: ['A: h1 changed', 'Say: h1 ok', 'B: h1 failed ignored', 'Said: h1 ok'],
  messages: { Say: '3', Said: '3' },
});
rule('3 retries: without until as long as it fails', {
  text: '- { name: A, command: flaky 1, retries: 1, delay: 0 }',
  settings: one,
  trace: ['A: h1 changed'],
});
rule('3 args: put to those of the module', {
  seen: ['test/lab/language.test.ts', 'accepts arguments in "args"'],
});

const block = (inside: string, rescue = '', always = '') => `
- name: Block
  block:
${inside.trim().replaceAll(/^/gm, '    ')}
${rescue === '' ? '' : `  rescue:\n${rescue.trim().replaceAll(/^/gm, '    ')}`}
${always === '' ? '' : `  always:\n${always.trim().replaceAll(/^/gm, '    ')}`}
- { name: Later, command: ok }
`;
rule('4 rescue: hosts that failed, which go on behind the block; always: all', {
  text: block(
    '- { name: A, command: fail-on h1 }',
    '- { name: R, command: ok }',
    '- { name: Z, command: ok }',
  ),
  trace: [
    'A: h1 failed, h2 h3 changed',
    'R: h1 changed',
    'Z: h1 h2 h3 changed',
    'Later: h1 h2 h3 changed',
  ],
});
rule('4 rescue: hosts that cannot be reached, too', {
  text: block('- { name: A, command: away-on h1 }', '- { name: R, debug: { msg: x } }'),
  trace: ['A: h1 unreachable, h2 h3 changed', 'R: h1 ok', 'Later: h1 unreachable, h2 h3 changed'],
  failed: true,
});
rule('4 rescue fails: always still runs, then the rescue around', {
  text: `
- block:
    - block: [{ name: A, command: fail }]
      rescue: [{ name: Inner, command: fail }]
      always: [{ name: Z, command: ok }]
  rescue: [{ name: Outer, debug: { msg: '{{failed.task}}' } }]
`,
  settings: one,
  trace: ['A: h1 failed', 'Inner: h1 failed', 'Z: h1 changed', 'Outer: h1 ok'],
  messages: { Outer: 'Inner' },
});
rule('4 always: a failure in it is one of the host, although the rescue ended well', {
  text: block(
    '- { name: A, command: fail }',
    '- { name: R, command: ok }',
    '- { name: Z, command: fail }',
  ),
  settings: one,
  trace: ['A: h1 failed', 'R: h1 changed', 'Z: h1 failed'],
  failed: true,
});
rule('4 when: of a block is that of its rescue, too', {
  text: `
- when: inventory_hostname == "h1"
  block: [{ name: A, command: fail-on h1 }]
  rescue: [{ name: R, command: ok }]
`,
  trace: ['A: h1 failed, h2 h3 skipped', 'R: h1 changed'],
});
rule('4 loop: on a block, item by item', {
  text: `
- { name: Each, loop: [a, b], block: [{ name: A, command: 'say {{item}}' }, { name: B, command: ok }] }
`,
  settings: one,
  trace: [
    'Each: h1[a] h1[b] ok',
    'A: h1 changed',
    'B: h1 changed',
    'A: h1 changed',
    'B: h1 changed',
  ],
});
rule('4 any_errors_fatal: a failure is one of all hosts, each with its own rescue', {
  seen: [
    'test/lab/keywords.test.ts',
    'runs the rescue of a block on every host when one host fails',
  ],
  text: `
- any_errors_fatal: true
  block: [{ name: A, command: fail-on h1 }, { name: B, command: ok }]
`,
  trace: ['A: h1 failed, h2 h3 changed'],
  failed: true,
});

const role = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`roles/r/${name}`, text]));
rule('5 roles: inputs have types, and one that is wrong or unknown is found before the run', {
  text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { port: high } }] }',
  files: role({
    'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
    'tasks/main.yml': say('Say', '{{port}}'),
  }),
  problem: 'port',
  also: [
    {
      text: '- { name: P, hosts: h1, roles: [{ role: r, inputs: { prot: 5 } }] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, default: 80 } }',
        'tasks/main.yml': say('Say', '{{port}}'),
      }),
      problem: 'port',
    },
    {
      text: '- { name: P, hosts: h1, roles: [r] }',
      files: role({
        'meta/main.yml': 'inputs: { port: { type: integer, required: true } }',
        'tasks/main.yml': say('Say', '{{port}}'),
      }),
      problem: 'port',
    },
  ],
});
rule('5 roles: nothing of one is seen outside of it', {
  text: `- { name: P, hosts: h1, roles: [r], tasks: [{ name: Say, debug: { msg: '{{default own "none"}} {{default constant "none"}}' } }] }`,
  files: role({
    'defaults/main.yml': 'own: default',
    'vars/main.yml': 'constant: value',
    'tasks/main.yml': say('Inside', '{{own}} {{constant}}'),
  }),
  messages: { Inside: 'default value', Say: 'none none' },
});
rule('5 roles: dependencies first, and once', {
  seen: ['test/lab/execution-control.test.ts', 'run before the role, once for each set of inputs'],
});
rule('5 roles: of handlers with one name that of the own role; ROLE : NAME says which', {
  text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: 'r : Tell' }]
  handlers: [{ name: Tell, debug: { msg: play } }]
`,
  files: role({
    'tasks/main.yml': '- { name: B, command: ok, notify: Tell }',
    'handlers/main.yml': '- { name: Tell, debug: { msg: role } }',
  }),
  messages: { Tell: 'role' },
  also: [
    {
      text: `
- name: P
  hosts: h1
  roles: [r]
  tasks: [{ name: A, command: ok, notify: Tell }]
  handlers: [{ name: Tell, debug: { msg: play } }]
`,
      files: role({
        'tasks/main.yml': '- { name: B, command: ok }',
        'handlers/main.yml': '- { name: Tell, debug: { msg: role } }',
      }),
      messages: { Tell: 'play' },
    },
  ],
});

rule('6 loop: each item, with all of loop_control', {
  text: `
- name: A
  loop: [x, y, z]
  loop_control: { loop_var: one, index_var: at, label: 'label {{one}}' }
  debug: { msg: '{{one}} {{at}} {{loop.index}} {{loop.index0}} {{loop.first}} {{loop.last}} {{loop.length}}' }
`,
  settings: one,
  trace: ['A: h1[label x] ok, h1[label y] ok, h1[label z] ok'],
  messages: { A: ['x 0 1 0 true false 3', 'y 1 2 1 false false 3', 'z 2 3 2 false true 3'] },
});
rule('6 loop: items behind one that failed are done, unless on_error says stop', {
  text: '- { name: A, loop: [1, 3, 0], command: "rc {{item}}" }',
  settings: one,
  trace: ['A: h1[0] changed, h1[1] h1[3] failed'],
  failed: true,
  also: [
    {
      text: '- { name: A, loop: [0, 3, 0], loop_control: { on_error: stop }, command: "rc {{item}}" }',
      settings: one,
      trace: ['A: h1[0] changed, h1[3] failed'],
      failed: true,
    },
  ],
});
rule('6 loop: break_when ends it behind an item', {
  text: '- { name: A, loop: [a, b, c], loop_control: { break_when: result.stdout == "b" }, command: "say {{item}}" }',
  settings: one,
  trace: ['A: h1[a] h1[b] changed'],
});
rule('6 loop: an empty list is a skipped task with no results', {
  text: `- { name: A, loop: [], command: ok, register: r }\n${say('Say', '{{r.skipped}} {{length r.results}}')}`,
  settings: one,
  trace: ['A: h1 skipped', 'Say: h1 ok'],
  messages: { Say: 'true 0' },
});
rule('6 loop: what is no list is an error', {
  text: '- { name: A, loop: "{{x}}", command: ok }',
  settings: { ...one, variables: { x: 'text' } },
  trace: ['A: h1 failed'],
  failed: true,
});
rule('6 register: results of all items, each with its item; while it loops that of the item', {
  text: `
- { name: A, loop: [a, b], command: 'say {{item}}', register: r, changed_when: r.stdout == "b" }
${say('Say', '{{join (pluck r.results "stdout") "-"}} {{join (pluck r.results "item") "-"}} {{r.changed}}')}
`,
  settings: one,
  messages: { Say: 'a-b a-b true' },
});
rule('6 when: asked for each item', {
  text: '- { name: A, loop: [1, 2, 3], command: ok, when: item > 1 }',
  settings: one,
  trace: ['A: h1 skipped, h1[2] h1[3] changed'],
});
rule('6 parallel: items side by side, with results in order', {
  text: `
- name: A
  loop: [slow, fast]
  loop_control: { parallel: 2 }
  command: '{{ternary (eq item "slow") "wait fast" "signal fast"}}'
  register: r
${say('Say', '{{join (pluck r.results "item") "-"}}')}
`,
  settings: one,
  messages: { Say: 'slow-fast' },
  most: 2,
});
rule('6 loop_var: one that hides another is an error', {
  text: `- { name: Each, loop: [a], block: [{ name: A, loop: [b], command: ok }] }`,
  problem: 'loop_var',
});
rule('6 until: for each item', {
  text: `- { name: A, loop: [1, 2], command: 'flaky {{item}}', until: result.rc == 0, retries: 3, delay: 0, register: r }
${say('Say', '{{join (pluck r.results "attempts") "-"}}')}`,
  settings: one,
  messages: { Say: '2-3' },
});
rule('6 include in a loop: each item is one, equal items too', {
  text: '- { name: Each, include_tasks: more.yml, loop: [a, a] }',
  files: { 'more.yml': '- { name: In, command: "say {{item}}" }' },
  settings: one,
  trace: ['Each: h1[a] h1[a] ok', 'In: h1 changed', 'In: h1 changed'],
});
rule('6 with_items: lists in the list are opened, one level; with_dict: key and value', {
  text: `
- { name: A, with_items: ['{{many}}', c, [[d]]], command: 'say {{json item}}', vars: { many: [a, b] } }
- { name: B, with_items: '{{many}}', command: ok, vars: { many: one } }
- { name: C, with_dict: { x: 1, y: 2 }, command: 'say {{item.key}}{{item.value}}', loop_control: { label: '{{item.key}}' } }
- { name: Each, with_items: [[a], b], include_tasks: more.yml }
- { name: Group, with_dict: { k: v }, block: [{ name: In, command: 'say {{item.key}}{{item.value}}' }] }
`,
  files: { 'more.yml': '- { name: More, command: "say {{item}}" }' },
  settings: one,
  trace: [
    'A: h1[["d"]] h1[a] h1[b] h1[c] changed',
    'B: h1[one] changed',
    'C: h1[x] h1[y] changed',
    'Each: h1[a] h1[b] ok',
    'More: h1 changed',
    'More: h1 changed',
    'Group: h1[{"key":"k","value":"v"}] ok',
    'In: h1 changed',
  ],
  also: [
    {
      text: '- { name: A, with_items: [a], loop: [a], command: ok }',
      problem: "each other's place",
    },
    { text: '- { name: A, with_fileglob: [a], command: ok }', problem: 'loop' },
    {
      text: '- { name: A, with_dict: [a], command: ok }',
      settings: one,
      trace: ['A: h1 failed'],
      failed: true,
    },
  ],
});

rule('7 failures: the table of docs/errors.md', {
  seen: ['test/lab/errors.test.ts', 'the table "When something fails" of docs/errors.md'],
});
rule('7 a host that failed takes no part in later plays, and the head of the play says so', {
  seen: ['test/lab/errors.test.ts', 'leaves out because they failed in an earlier play'],
  text: `
- { name: P, hosts: all, max_failures: 1, tasks: [{ name: A, command: fail-on h2 }] }
- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }
`,
  trace: ['A: h1 h3 changed, h2 failed', 'B: h1 h3 changed'],
});
rule('7 a whole batch that fails stops the batches behind it and later plays', {
  text: `
- { name: P, hosts: all, serial: 1, max_failures: 3, tasks: [{ name: A, command: fail-on h1 }] }
- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }
`,
  trace: [/^A: h1 failed/],
  failed: true,
});
