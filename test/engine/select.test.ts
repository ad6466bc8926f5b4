import { describe, expect, it } from 'vitest';
import { Selection } from '../../src/engine/select.ts';
import { documentOf } from '../helpers/walk.ts';

const { plays } = documentOf(`
- name: P
  hosts: all
  tasks:
    - { name: None, command: ok }
    - { name: X, command: ok, tags: [x] }
    - { name: Xy, command: ok, tags: [x, y] }
    - { name: Always, command: ok, tags: [always] }
    - { name: Never, command: ok, tags: [never, z] }
    - { name: Block, block: [{ name: Inside, command: ok, tags: [x] }] }
    - { name: More, include_tasks: '{{file}}', tags: [y] }
    - { name: End, meta: end_host, tags: [x] }
    - { commit: Commit, tags: [x] }
`);
const nodes = plays[0]?.sections.flatMap((section) => section.nodes) ?? [];

function chosen(tags: string[], skipTags: string[] = [], leftOut: string[] = [], brought = false) {
  const selection = new Selection({ tags, skipTags, leftOut });
  return nodes
    .filter((node) => selection.has(node, brought))
    .map((node) => {
      if (node.kind === 'flush') return 'flush';
      return node.kind === 'include' || node.kind === 'meta' ? node.task.name : node.name;
    });
}

describe('--tags and --skip-tags', () => {
  const all = ['None', 'X', 'Xy', 'Always', 'Block', 'More', 'End', 'Commit'];

  it.each([
    [[], [], all],
    [['all'], [], all],
    [['x'], [], ['X', 'Xy', 'Always', 'Block', 'End', 'Commit']],
    [['x'], ['y'], ['X', 'Always', 'Block', 'End', 'Commit']],
    [['y'], [], ['Xy', 'Always', 'Block', 'More']],
    [['z'], [], ['Always', 'Never', 'Block']],
    [['tagged'], [], ['X', 'Xy', 'Always', 'Block', 'More', 'End', 'Commit']],
    [['untagged'], [], ['None', 'Always', 'Block']],
    [[], ['always'], all.filter((name) => name !== 'Always')],
    [[], ['untagged'], ['X', 'Xy', 'Block', 'More', 'End', 'Commit']],
  ])('select the steps for %j without %j', (tags, skipTags, expected) => {
    expect(chosen(tags, skipTags)).toEqual(expected);
  });

  it('keep the rescue and always steps of a selected block, except skipped and "never" ones', () => {
    expect(chosen(['q'], ['y'], [], true)).toEqual([
      ...['None', 'X', 'Always', 'Block', 'End', 'Commit'],
    ]);
  });
});

it('--from leaves out steps by id, independent of their tags', () => {
  expect(chosen(['x'], [], ['p/x', 'p/always', 'p/end'])).toEqual(['Xy', 'Block', 'Commit']);
});

it('finds a selected task of a block at any depth', () => {
  const selection = new Selection({ tags: ['x'], skipTags: [], leftOut: [] });
  const [block] = nodes.filter(({ kind }) => kind === 'block');
  expect(selection.hasSome(block ? [block] : [])).toBe(true);
  expect(selection.hasSome(nodes.slice(0, 1))).toBe(false);
});
