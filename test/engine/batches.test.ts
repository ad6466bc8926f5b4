import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { batchesOf, inOrder, leftOf, mostFailures, playHosts } from '../../src/engine/batches.ts';
import { initialKnowledge } from '../../src/engine/knowledge.ts';
import type { Play } from '../../src/language/document.ts';

const at = { file: 'p.yml', line: 3, column: 5 };
const ten = Array.from({ length: 10 }, (_, index) => `h${String(index)}`);
const sizes = (serial: Play['serial'], hosts = ten) =>
  batchesOf({ serial, at }, hosts, ({ text }) => (text === '{{two}}' ? 2 : text)).map(
    ({ length }) => length,
  );

describe('batches', () => {
  it.each([
    [[], [10]],
    [[3], [3, 3, 3, 1]],
    [['30%'], [3, 3, 3, 1]],
    [
      [1, 4],
      [1, 4, 4, 1],
    ],
    [[0], Array<number>(10).fill(1)],
    [['5%'], Array<number>(10).fill(1)],
    [
      [new Template('{{two}}'), '100%'],
      [2, 8],
    ],
    [[20], [10]],
  ] as [Play['serial'], number[]][])('have the sizes of "serial" %j', (serial, expected) => {
    expect(sizes(serial)).toEqual(expected);
  });

  it('are empty without hosts', () => {
    expect(sizes([2], [])).toEqual([]);
  });

  it.each(['many', '-1', '1.5'])('reject "serial" %s', (serial) => {
    expect(() => sizes([serial])).toThrow(
      `p.yml:3:5: "serial" must be a number of hosts or a percentage, not ${serial}`,
    );
  });

  it.each([
    [0, 10, 0],
    [2, 10, 2],
    ['30%', 10, 3],
    ['30%', 2, 0],
    ['100%', 10, 9],
    [5, 3, 2],
  ] as [Play['maxFailures'], number, number][])(
    'with max_failures %s and %d hosts tolerate %d failures',
    (maxFailures, hosts, expected) => {
      expect(mostFailures({ maxFailures }, hosts)).toBe(expected);
    },
  );
});

it.each([
  ['inventory', ['b', 'a', 'c']],
  ['reverse_inventory', ['c', 'a', 'b']],
  ['sorted', ['a', 'b', 'c']],
  ['reverse_sorted', ['c', 'b', 'a']],
] as const)('sorts hosts in the order %s', (order, expected) => {
  expect(inOrder(['b', 'a', 'c'], order)).toEqual(expected);
});

describe('the hosts of a play', () => {
  const host = (name: string) => ({
    ...{ name, vars: {} },
    address: {
      ...{ name, transport: 'ssh' as const, address: name, port: 22, user: 'root' },
      keyPath: undefined,
    },
  });
  const inventory = {
    file: '',
    hosts: new Map(['h1', 'h2', 'h3'].map((name) => [name, host(name)])),
    groups: new Map([
      ['all', ['h1', 'h2', 'h3']],
      ['web', ['h1', 'h2']],
      ['empty', []],
    ]),
  };
  const play = { hosts: 'all', order: 'reverse_inventory', allowEmpty: false, at } as const;
  const found = (
    more: Partial<Play>,
    { limit, check = false, tolerated = [] as string[] } = {} as {
      limit?: string;
      check?: boolean;
      tolerated?: string[];
    },
  ) =>
    playHosts({ ...play, ...more }, initialKnowledge(inventory, { tolerated }), { limit, check });

  it('match its pattern and --limit, in its order', () => {
    expect(found({})).toEqual(['h3', 'h2', 'h1']);
    expect(found({}, { limit: 'web' })).toEqual(['h2', 'h1']);
  });

  it('do not include tolerated hosts, even if none is left', () => {
    expect(found({}, { tolerated: ['h2'] })).toEqual(['h3', 'h1']);
    expect(found({ hosts: 'web' }, { tolerated: ['h1', 'h2'] })).toEqual([]);
    const knowledge = initialKnowledge(inventory, { tolerated: ['h2', 'h3'] });
    expect(leftOf({ hosts: 'web' }, knowledge, undefined)).toEqual(['h2']);
  });

  it('must not be empty, unless the play has allow_empty or --limit excludes all', () => {
    expect(() => found({ hosts: 'empty' })).toThrow('p.yml:3:5: No host matches "empty".');
    expect(found({ hosts: 'empty', allowEmpty: true })).toEqual([]);
    expect(found({ hosts: 'web' }, { limit: 'h3' })).toEqual([]);
  });

  it('may be in an unknown group in check mode, where no step creates it', () => {
    expect(() => found({ hosts: 'new' })).toThrow('p.yml:3:5');
    expect(found({ hosts: 'new' }, { check: true })).toEqual([]);
    expect(found({ hosts: 'new', allowEmpty: true })).toEqual([]);
  });
});
