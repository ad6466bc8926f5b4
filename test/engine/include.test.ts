import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { expandPart, includedParts, loopVariables } from '../../src/engine/include.ts';
import type { Included } from '../../src/journal/records.ts';
import type { IncludeNode, TaskNode } from '../../src/language/document.ts';
import { playOf, taskOf } from '../helpers/tasks.ts';

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
  it('have the hosts that include the same, in the order of the loop', () => {
    const item = (index: number, of: string): Included => ({
      ...{ source: '/p/more.yml', index, length: 2, item: of, label: of },
    });
    const found = parts(
      {},
      { h1: [item(0, 'a'), item(1, 'b')], h2: [item(1, 'b')], h3: [item(0, 'c')] },
    );
    expect(found.map(({ name, hosts }) => `${name}: ${hosts.join(' ')}`)).toEqual([
      ...['a: h1', 'c: h3', 'b: h1 h2'],
    ]);
    expect(found[2]?.loopValues).toMatchObject({ item: 'b', loop: { index: 2, last: true } });
  });

  it('are named by what they include, so that a resumed run finds their steps again', () => {
    const sources = { h1: [{ source: '/p/web.yml' }], h2: [{ source: '/p/Data Base.yml' }] };
    expect(parts(byTemplate, sources).map(({ name }) => name)).toEqual(['web', 'data-base']);
    expect(parts({}, { h1: [{ source: '/p/web.yml' }] })).toEqual([
      { source: '/p/web.yml', name: '', loopValues: {}, hosts: ['h1'] },
    ]);
  });

  it('have a name of their own where two would have the same', () => {
    const equal = [0, 1, 2].map((index): Included => ({
      source: '/p/a.yml',
      index,
      length: 3,
      item: 'a',
      label: 'a',
    }));
    expect(parts({}, { h1: equal }).map(({ name }) => name)).toEqual(['a', 'a-2', 'a-3']);
    const nameless = [0, 1].map((index): Included => ({
      source: '/p/a.yml',
      index,
      length: 2,
      item: '',
      label: '…',
    }));
    expect(parts(byTemplate, { h1: nameless }).map(({ name }) => name)).toEqual(['a-1', 'a-2']);
  });
});

describe('what is included', () => {
  it('brings its handlers into the play, each once', () => {
    const handler = taskOf({ id: 'p/r/restart', name: 'Restart' });
    const play = playOf();
    const include = node({}, [taskOf({ notify: ['Restart'] })], [handler]);
    const part = { source: '', name: '', loopValues: {} };
    expect(expandPart(include, part, play)).toMatchObject({ files: ['/p/more.yml'] });
    expandPart(include, part, play);
    expect(play.handlers).toEqual([handler]);
  });

  it('is refused where it notifies a handler that the play does not have', () => {
    const include = node({}, [taskOf({ notify: ['Restart'] })]);
    expect(() => expandPart(include, { source: '', name: '', loopValues: {} }, playOf())).toThrow(
      'p.yml:1:1: Task "Copy" notifies "Restart", which is no handler of this play.',
    );
  });
});

it('a loop defines the item, its place and, where asked for, its index', () => {
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
