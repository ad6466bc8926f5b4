import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('loops');

rule('loop: runs each item, with all of loop_control', {
  text: `
- name: A
  loop: [x, y, z]
  loop_control: { loop_var: one, index_var: at, label: 'label {{one}}' }
  debug: { msg: '{{one}} {{at}} {{loop.index}} {{loop.index0}} {{loop.first}} {{loop.last}} {{loop.length}}' }
`,
  settings: onH1,
  trace: ['A: h1[label x] ok, h1[label y] ok, h1[label z] ok'],
  messages: { A: ['x 0 1 0 true false 3', 'y 1 2 1 false false 3', 'z 2 3 2 false true 3'] },
});

rule('loop: items after a failed one run, unless "on_error: stop" is set', {
  text: '- { name: A, loop: [1, 3, 0], command: "rc {{item}}" }',
  settings: onH1,
  trace: ['A: h1[0] changed, h1[1] h1[3] failed'],
  failed: true,
  also: [
    {
      text: '- { name: A, loop: [0, 3, 0], loop_control: { on_error: stop }, command: "rc {{item}}" }',
      settings: onH1,
      trace: ['A: h1[0] changed, h1[3] failed'],
      failed: true,
    },
  ],
});

rule('loop: break_when ends it after an item', {
  text: '- { name: A, loop: [a, b, c], loop_control: { break_when: result.stdout == "b" }, command: "say {{item}}" }',
  settings: onH1,
  trace: ['A: h1[a] h1[b] changed'],
});

rule('loop: a task with an empty list is skipped and has no results', {
  text: `- { name: A, loop: [], command: ok, register: r }\n${say('Print', '{{r.skipped}} {{length r.results}}')}`,
  settings: onH1,
  trace: ['A: h1 skipped', 'Print: h1 ok'],
  messages: { Print: 'true 0' },
});

rule('loop: a value that is not a list is an error', {
  text: '- { name: A, loop: "{{x}}", command: ok }',
  settings: { ...onH1, variables: { x: 'text' } },
  trace: ['A: h1 failed'],
  failed: true,
});

rule('parallel: runs items at the same time, with results in order', {
  text: `
- name: A
  loop: [slow, fast]
  loop_control: { parallel: 2 }
  command: '{{ternary (eq item "slow") "wait fast" "signal fast"}}'
  register: r
${say('Print', '{{join (pluck r.results "item") "-"}}')}
`,
  settings: onH1,
  messages: { Print: 'slow-fast' },
  most: 2,
});

rule('loop_var: the same name in nested loops is an error', {
  text: `- { name: Each, loop: [a], block: [{ name: A, loop: [b], command: ok }] }`,
  problem: 'loop_var',
});

rule('with_items: flattens one level of lists; with_dict: has key and value', {
  text: `
- { name: A, with_items: ['{{many}}', c, [[d]]], command: 'say {{json item}}', vars: { many: [a, b] } }
- { name: B, with_items: '{{many}}', command: ok, vars: { many: one } }
- { name: C, with_dict: { x: 1, y: 2 }, command: 'say {{item.key}}{{item.value}}', loop_control: { label: '{{item.key}}' } }
- { name: Each, with_items: [[a], b], include_tasks: more.yml }
- { name: Group, with_dict: { k: v }, block: [{ name: In, command: 'say {{item.key}}{{item.value}}' }] }
`,
  files: { 'more.yml': '- { name: More, command: "say {{item}}" }' },
  settings: onH1,
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
      problem: 'cannot be combined',
    },
    { text: '- { name: A, with_fileglob: [a], command: ok }', problem: 'loop' },
    {
      text: '- { name: A, with_dict: [a], command: ok }',
      settings: onH1,
      trace: ['A: h1 failed'],
      failed: true,
    },
  ],
});
