import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { keywordsUsed } from '../../src/cli/keyword-use.ts';

const used = (text: string, kind: 'playbook' | 'tasks' | 'meta' = 'playbook'): string[] =>
  keywordsUsed(parse(text), kind).map(([place, keyword]) => `${place}: ${keyword}`);

it.each([
  [
    'a play',
    '[{ hosts: all, roles: [{ role: r }, plain] }]',
    ['play: hosts', 'play: roles', 'role entry: role'],
  ],
  ['a playbook', 'plays: [{ hosts: all }]', ['playbook: plays', 'play: hosts']],
  ['an overlay', 'extends: a', ['overlay: extends']],
  [
    'changes of an overlay',
    'extends: a\nchanges: [{ before: x, tasks: [{ command: ok }] }]',
    ['overlay: extends', 'overlay: changes', 'change: before', 'change: tasks', 'task: command'],
  ],
  [
    'inputs',
    'inputs: { a: { items: { type: string }, properties: { b: { enum: [] } } } }',
    ['playbook: inputs', 'input: items', 'input: type', 'input: properties', 'input: enum'],
  ],
  [
    'tasks around a rollback',
    'rollback: { after: [{ command: ok }] }\nfingerprint: [{ command: ok }]',
    [
      'playbook: rollback',
      'rollback: after',
      'task: command',
      'playbook: fingerprint',
      'task: command',
    ],
  ],
  ['something else', 'text', []],
])('lists the keywords of %s, with their places', (_, text, keywords) => {
  expect(used(text)).toEqual(keywords);
});

it.each([
  [
    'a task',
    '- { command: ok, loop_control: { label: x } }',
    ['task: command', 'task: loop_control', 'loop_control: label'],
  ],
  [
    'a block',
    '- { block: [{ meta: noop }], rescue: [{ include_role: {} }] }',
    ['block: block', 'meta: meta', 'block: rescue', 'include: include_role'],
  ],
  [
    'a commit point',
    '- { commit: x, gate: [{ command: ok }] }',
    ['commit point: commit', 'commit point: gate', 'task: command'],
  ],
  [
    'an undo',
    '- { command: ok, undo: { tasks: [{ ping: }] }, probe: { stat: } }',
    ['task: command', 'task: undo', 'task: ping', 'task: probe', 'task: stat'],
  ],
  [
    'an undo that is a list',
    '- { command: ok, undo: [{ ping: }], capture: [{ stat: }] }',
    ['task: command', 'task: undo', 'task: ping', 'task: capture', 'task: stat'],
  ],
])('lists the keywords of %s in a task file', (_, text, keywords) => {
  expect(used(text, 'tasks')).toEqual(keywords);
});

it('lists the keywords of the meta file of a role', () => {
  expect(used('{ dependencies: [], inputs: { a: { type: string } } }', 'meta')).toEqual([
    ...['role meta: dependencies', 'role meta: inputs', 'input: type'],
  ]);
});
