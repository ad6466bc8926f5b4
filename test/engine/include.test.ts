import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/json.ts';
import { Template } from '../../src/core/value.ts';
import { expandPart, includedParts, loopVariables, partName } from '../../src/engine/include.ts';
import type { Included } from '../../src/journal/records.ts';
import type { IncludeNode, TaskNode } from '../../src/language/document.ts';
import type { Keys } from '../../src/engine/hidden-intent.ts';
import { systemRandom } from '../../src/util/random.ts';
import { Redactor } from '../../src/util/redact.ts';
import { Sealer } from '../../src/util/seal.ts';
import { playOf, taskOf } from '../helpers/tasks.ts';

const noKeys: Keys = { redactor: new Redactor(), sealer: undefined };

const node = (
  task: Partial<TaskNode> = {},
  found: TaskNode[] = [],
  handlers: TaskNode[] = [],
): IncludeNode => ({
  ...{ kind: 'include', task: taskOf(task), mayDefine: undefined },
  preview: { nodes: [], handlers: [], files: [] },
  locate: (name) => name,
  expand: () => ({ nodes: found, handlers, files: ['/p/more.yml'] }),
});
const byTemplate = { args: { name: new Template('{{which}}') } };
const parts = (task: Partial<TaskNode>, included: Record<string, Included[]>) =>
  includedParts(node(task), new Map(Object.entries(included)));

describe('the parts of an include', () => {
  it('group the hosts that include the same, in the order of the loop', () => {
    const item = (index: number, of: string): Included => ({
      ...{ source: '/p/more.yml', index, length: 2, item: of, part: `${String(index + 1)}-${of}` },
    });
    const found = parts(
      {},
      { h1: [item(0, 'a'), item(1, 'b')], h2: [item(1, 'b')], h3: [item(0, 'c')] },
    );
    expect(found.map(({ name, hosts }) => `${name}: ${hosts.join(' ')}`)).toEqual([
      ...['1-a: h1', '1-c: h3', '2-b: h1 h2'],
    ]);
    expect(found[2]?.loopValues).toMatchObject({ item: 'b', loop: { index: 2, last: true } });
  });

  it('have no loop variables without a loop', () => {
    expect(parts({}, { h1: [{ source: '/p/web.yml', part: '' }] })).toEqual([
      { source: '/p/web.yml', name: '', loopValues: {}, hosts: ['h1'] },
    ]);
  });
});

describe('the name of a part', () => {
  const loop = (item: JsonValue, index = 0) => ({ item, index });
  const file = (text: string) => ({ args: { name: new Template(text) } });
  const digest = '-[0-9a-f]{8}$';

  it.each<[string, Partial<TaskNode>, string, ReturnType<typeof loop> | undefined, RegExp]>([
    ['nothing', {}, '', undefined, /^$/],
    ['position and item', {}, '', loop('node1.example.com'), /^1-node1\.example\.com$/],
    ['a number', {}, '', loop(8080, 2), /^3-8080$/],
    ['text that looks like a number', {}, '', loop('8080'), new RegExp(`^1-8080${digest}`)],
    ['text with other characters', {}, '', loop('Data Base'), new RegExp(`^1-data-base${digest}`)],
    ['no word for other text', {}, '', loop('…'), new RegExp(`^1${digest}`)],
    ['the name of a map', {}, '', loop({ name: 'a' }), new RegExp(`^1-a${digest}`)],
    ['the key of a map', {}, '', loop({ key: 'a', value: 1 }), new RegExp(`^1-a${digest}`)],
    ['no other value of a map', {}, '', loop({ path: 'a' }), new RegExp(`^1${digest}`)],
    ['no word for a list', {}, '', loop(['a']), new RegExp(`^1${digest}`)],
    ['a long text', {}, '', loop('x '.repeat(99)), new RegExp(`^1(-x){20}${digest}`)],
    ['no hidden item', { noLog: true }, '', loop('secret'), new RegExp(`^1${digest}`)],
    ['the file', file('os/{{os}}.yml'), 'os/red_hat-9.yml', undefined, /^red_hat-9$/],
    ['a directory', file('{{os}}/main.yml'), 'debian/main.yml', undefined, /^debian:main$/],
    ['another file', file('{{os}}'), 'debian.yaml', undefined, new RegExp(`^debian.yaml${digest}`)],
    ['a whole path', file('{{path}}'), '/x/main.yml', undefined, new RegExp(`^main${digest}`)],
    ['the role', { module: 'include_role', ...file('{{r}}') }, 'web', undefined, /^web$/],
    ['file and item', file('{{os}}.yml'), 'web.yml', loop('a-b'), /^1-web-a-b$/],
    [
      'a digest if file and item are ambiguous',
      file('{{os}}.yml'),
      'a-b.yml',
      loop('c'),
      new RegExp(`^1-a-b-c${digest}`),
    ],
  ])('contains %s', (_, task, name, item, wanted) => {
    expect(partName(taskOf(task), name, item, noKeys)).toMatch(wanted);
  });

  it('does not allow guessing a secret in the item', () => {
    const redactor = new Redactor();
    redactor.add('password', 'hunter22');
    const sealer = (salt: string) => new Sealer(['hunter22'], salt, systemRandom);
    const part = (item: JsonValue, keys: Keys, noLog = false) =>
      partName(taskOf({ noLog }), '', { item, index: 0 }, keys);
    const hidden = { user: 'a', password: 'hunter22' };
    const keyed = part(hidden, { redactor, sealer: sealer('1') });
    expect(keyed).toBe(part(hidden, { redactor, sealer: sealer('1') }));
    expect(keyed).not.toBe(part(hidden, { redactor, sealer: sealer('2') }));
    expect(keyed).not.toBe(part(hidden, noKeys));
    // Without a key it does not depend on the item.
    expect(part(['a'], noKeys, true)).toBe(part(['b'], noKeys, true));
    expect(part(['a'], noKeys)).not.toBe(part(['b'], noKeys));
  });

  it('differs from the names for any other item, position or file', () => {
    const words = ['a', 'b', 'a-b', 'b-a', 'a:b', 'a/b', '/a', '1', 'true', 'null', 'a b', ''];
    const items = [...words, 1, 11, true, null, { name: 'a' }, { name: 'a', size: 1 }, ['a']];
    const known = new Map<string, string>();
    for (const module of ['include_tasks', 'include_role'])
      for (const word of words)
        for (const ending of module === 'include_role' ? [''] : ['', '.yml', '.yaml'])
          for (const item of items)
            for (const index of [0, 1, 10]) {
              const name = `${word}${ending}`;
              const part = partName(
                taskOf({ module, ...byTemplate }),
                name,
                { item, index },
                noKeys,
              );
              const what = JSON.stringify([name, item, index]);
              const key = `${module} ${part}`;
              expect(known.get(key) ?? what, part).toBe(what);
              known.set(key, what);
            }
  });
});

describe('an included file', () => {
  it('adds its handlers to the play, each once', () => {
    const handler = taskOf({ id: 'p/r/restart', name: 'Restart' });
    const play = playOf();
    const include = node({}, [taskOf({ notify: ['Restart'] })], [handler]);
    const part = { source: '', name: '', loopValues: {} };
    expect(expandPart(include, part, play)).toMatchObject({ files: ['/p/more.yml'] });
    expandPart(include, part, play);
    expect(play.handlers).toEqual([handler]);
  });

  it('is rejected if it notifies a handler that the play does not have', () => {
    const include = node({}, [taskOf({ notify: ['Restart'] })]);
    expect(() => expandPart(include, { source: '', name: '', loopValues: {} }, playOf())).toThrow(
      'p.yml:1:1: Task "Copy" notifies "Restart", which is not a handler of this play.',
    );
  });
});

it('defines the loop variables: item, "loop" and, with index_var, the index', () => {
  const place = { index: 0, length: 2 };
  expect(loopVariables({ loopVar: 'item', indexVar: undefined }, 'a', place)).toEqual({
    item: 'a',
    loop: { index: 1, index0: 0, first: true, last: false, length: 2 },
  });
  expect(loopVariables({ loopVar: 'one', indexVar: 'at' }, 'b', { index: 1, length: 2 })).toEqual({
    ...{ one: 'b', at: 1 },
    loop: { index: 2, index0: 1, first: false, last: true, length: 2 },
  });
});
