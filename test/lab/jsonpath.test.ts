import { describe, expect, it } from 'vitest';
import { renderJsonPath, sortKeys } from '../../src/lab/real/host/jsonpath.ts';

const list = {
  items: [
    {
      metadata: { name: 'a', labels: { 'k8s.io/x': '1', b: '2' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
      ports: [{ port: 1 }, { port: 2 }],
    },
    { metadata: { name: 'b' }, status: { conditions: [] }, ports: [] },
  ],
};

describe('renderJsonPath', () => {
  it.each([
    ['fields of all items', '{.items[*].metadata.name}', 'a b'],
    ['one item by its index', 'x{.items[1].metadata.name}y', 'xby'],
    ['a name with an escaped dot', String.raw`{.items[0].metadata.labels.k8s\.io/x}`, '1'],
    ['nothing for a missing field', '[{.items[1].metadata.labels}]', '[]'],
    ['a map as JSON', '{.items[0].ports[0]}', '{"port":1}'],
    [
      'a line for each item, with a filter',
      String.raw`{range .items[*]}{.metadata.name}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`,
      'a\tTrue\nb\t\n',
    ],
    [
      'a range in a range',
      '{range .items[*]}{.metadata.name}:{range .ports[*]} {.port}{end};{end}.',
      'a: 1 2;b:;.',
    ],
  ])('prints %s', (_, template, text) => {
    expect(renderJsonPath(template, list)).toBe(text);
  });

  it('rejects an unsupported path', () => {
    expect(() => renderJsonPath('{.items[?(@.a>1)]}', list)).toThrow('is not known here');
  });
});

describe('sortKeys', () => {
  it('sorts the fields of all objects, and keeps the order of lists', () => {
    expect(JSON.stringify(sortKeys({ b: [{ d: 1, c: 2 }, 1], a: null }))).toBe(
      '{"a":null,"b":[{"c":2,"d":1},1]}',
    );
  });
});
