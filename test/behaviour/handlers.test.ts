import { onH1, rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('handlers');

const handlers = (tasks: string, more: string, play = '') => `
- name: P
  hosts: all
${play}
  tasks:
${tasks.trim().replaceAll(/^/gm, '    ')}
  handlers:
${more.trim().replaceAll(/^/gm, '    ')}
`;

rule('handlers: run once on hosts with a change, in the order of their definition', {
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

rule('handlers: run again if they are notified after a flush', {
  text: handlers(
    '- { name: A, command: ok, notify: T }\n- meta: flush_handlers\n- { name: B, command: ok, notify: T }',
    '- { name: T, command: ok }',
  ),
  settings: onH1,
  trace: ['A: h1 changed', 'T: h1 changed', 'B: h1 changed', 'T: h1 changed'],
});

rule('handlers: can notify an earlier handler, which runs in the same flush', {
  text: handlers(
    '- { name: A, command: ok, notify: Late }',
    '- { name: Early, command: ok }\n- { name: Late, command: ok, notify: Early }',
  ),
  settings: onH1,
  trace: ['A: h1 changed', 'Late: h1 changed', 'Early: h1 changed'],
});

rule('handlers: all that listen to a topic run, in the order of their definition', {
  text: handlers(
    '- { name: A, command: ok, notify: topic }',
    '- { name: One, command: ok, listen: topic }\n- { name: Two, command: ok, listen: [other, topic] }',
  ),
  settings: onH1,
  trace: ['A: h1 changed', 'One: h1 changed', 'Two: h1 changed'],
});

rule('handlers: respect "when"', {
  text: handlers(
    '- { name: A, command: ok, notify: T }',
    '- { name: T, command: ok, when: inventory_hostname != "h2" }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 h3 changed, h2 skipped'],
});

rule('handlers: a failure ends the run like that of any task', {
  text: handlers(
    '- { name: A, command: ok, notify: [T, U] }',
    '- { name: T, command: fail-on h1 }\n- { name: U, command: ok }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 failed, h2 h3 changed'],
  failed: true,
});

rule('handlers: failures in a flush inside a block can be rescued', {
  text: handlers(
    `- block:
    - { name: A, command: ok, notify: T }
    - meta: flush_handlers
  rescue: [{ name: R, command: ok }]`,
    '- { name: T, command: fail-on h1 }',
  ),
  trace: ['A: h1 h2 h3 changed', 'T: h1 failed, h2 h3 changed', 'R: h1 changed'],
});

rule('handlers: an unknown name is reported before the run', {
  text: handlers(
    '- { name: A, command: ok, notify: Handlers }',
    '- { name: Handler, command: ok }',
  ),
  problem: 'Handler',
});

rule('handlers: "notify" of a block applies to its tasks', {
  text: handlers(
    '- { notify: T, block: [{ name: A, command: ok }] }',
    '- { name: T, command: ok }',
  ),
  settings: onH1,
  trace: ['A: h1 changed', 'T: h1 changed'],
});

rule('handlers: pending ones run in a resumed run', {
  seen: [
    'test/lab/language.test.ts',
    'keeps inventory variables, groups, registered results and pending handlers',
  ],
});
