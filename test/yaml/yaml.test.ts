import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/core/errors.ts';
import { isSourceObject, type Source, type SourceObject } from '../../src/core/value.ts';
import type { Files } from '../../src/core/ports.ts';
import { formatSource } from '../../src/core/source.ts';
import { MapReader } from '../../src/yaml/map-reader.ts';
import { SourceMap } from '../../src/yaml/source-map.ts';
import { parseYaml, readYaml, readYamlDocuments } from '../../src/yaml/yaml.ts';

function parse(text: string) {
  const reading = { problems: [] as Problem[], map: new SourceMap() };
  return { value: parseYaml(text, 'a.yml', reading), ...reading };
}

function parseMap(text: string): { value: SourceObject; map: SourceMap; problems: Problem[] } {
  const { value, ...reading } = parse(text);
  if (!isSourceObject(value)) throw new Error('expected a map');
  return { value, ...reading };
}

const shown = (problems: Problem[]) =>
  problems.map(({ message, at }) => `${at ? formatSource(at) : ''} ${message}`);

describe('a text that was parsed before', () => {
  const parseIn = (file: string, text: string) => {
    const reading = { problems: [] as Problem[], map: new SourceMap() };
    return { value: parseYaml(text, file, reading), ...reading };
  };

  it('gives values and positions of its own', () => {
    const text = 'a: { b: 1 }\nc: [x]\n';
    const [first, second] = ['a.yml', 'b.yml'].map((file) => parseIn(file, text));
    if (!isSourceObject(first?.value) || !isSourceObject(second?.value))
      throw new Error('expected two maps');
    expect(second.value).toEqual(first.value);
    expect(second.value['a']).not.toBe(first.value['a']);
    expect(first.map.value(first.value, 'c')).toEqual({ file: 'a.yml', line: 2, column: 4 });
    expect(second.map.value(second.value, 'c')).toEqual({ file: 'b.yml', line: 2, column: 4 });
  });

  it('has the same problems', () => {
    const text = 'a: 1\na: 2\n';
    const [first, second] = ['a.yml', 'b.yml'].map((file) => shown(parseIn(file, text).problems));
    expect(first).toHaveLength(1);
    expect(second).toEqual(first?.map((one) => one.replace('a.yml', 'b.yml')));
  });

  it('is parsed again if other texts came between', () => {
    const texts = Array.from(
      { length: 40 },
      (_, index) => `n: ${String(index)} ${'x'.repeat(10_000)}\n`,
    );
    for (const text of [...texts, ...texts])
      expect(parseIn('a.yml', text).value).toEqual({ n: text.slice(3).trim() });
  });
});

describe('a file with several documents', () => {
  const read = (text: string) => {
    const files: Files = { text: () => text, look: () => undefined, names: () => [] };
    const reading = { files, problems: [] as Problem[], map: new SourceMap() };
    return { documents: readYamlDocuments('a.yml', reading), problems: reading.problems };
  };

  it('returns each document with its position, except empty ones', () => {
    const { documents } = read('---\na: 1\n---\n# nothing\n---\n- b\n...\n');
    expect(documents.map(({ value, at }) => [value, at.line])).toEqual([
      [{ a: 1 }, 2],
      [['b'], 6],
    ]);
    expect(read('').documents).toEqual([]);
  });

  it('reports the problems of each document', () => {
    expect(shown(read('a: 1\n---\nb: [\n').problems)).toHaveLength(1);
  });
});

describe('parsed YAML', () => {
  it('has a position for each key, value and item', () => {
    const { value, map } = parseMap('a: 1\nb:\n  - x\n  - { c: }\n');
    const list = value['b'] as Source[];
    const inner = list[1] as SourceObject;
    const at = (place: ReturnType<SourceMap['of']>) => place && formatSource(place);
    expect([at(map.of(value)), at(map.key(value, 'b')), at(map.value(value, 'a'))]).toEqual([
      'a.yml:1:1',
      'a.yml:2:1',
      'a.yml:1:4',
    ]);
    expect([at(map.value(list, 1)), at(map.key(inner, 'c'))]).toEqual(['a.yml:4:5', 'a.yml:4:7']);
    // A missing key has the position of its map.
    expect([at(map.key(value, 'z')), at(map.value(list, 9))]).toEqual(['a.yml:1:1', 'a.yml:3:3']);
  });

  it('merges maps with "<<": own keys take precedence, then earlier maps of a list', () => {
    const { value, map, problems } = parseMap(
      'one: &one { a: 1, b: 1 }\ntwo: &two { b: 2, c: 2 }\nall: { <<: [*one, *two], c: 3 }\nlast: { a: 4, <<: *one }\n"<<": text\n',
    );
    expect([value['all'], value['last'], value['<<']]).toEqual([
      { a: 1, b: 1, c: 3 },
      { a: 4, b: 1 },
      'text',
    ]);
    const all = value['all'] as SourceObject;
    const at = map.value(all, 'b');
    expect(at && formatSource(at)).toBe('a.yml:1:22');
    expect(problems).toEqual([]);
    expect(shown(parse('a: { <<: 1 }').problems)).toEqual([
      'a.yml:1:10 "<<" requires a map or a list of maps.',
    ]);
  });

  it('resolves aliases', () => {
    expect(parse('- &one { a: 1 }\n- *one\n').value).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it('reports the first error with its position, and a hint if braces are not quoted', () => {
    const { value, problems } = parse('a: b: c\n');
    expect(value).toBeNull();
    expect(shown(problems)).toEqual([
      'a.yml:1:4 Nested mappings are not allowed in compact mappings',
    ]);
    expect(problems[0]?.hint).toContain('must be quoted');
  });
});

describe('a file', () => {
  const files = (texts: Record<string, string>): Files => ({
    text: (path) => {
      const text = texts[path];
      if (text === undefined) throw Object.assign(new Error('no'), { errno: -2 });
      return text;
    },
    look: () => undefined,
    names: () => [],
  });

  it('is read from the given files', () => {
    const problems: Problem[] = [];
    const reading = { files: files({ 'a.yml': '[1]' }), problems, map: new SourceMap() };
    expect(readYaml('a.yml', reading)).toEqual([1]);
    expect(readYaml('b.yml', reading)).toBeNull();
    expect(problems).toEqual([
      { rule: 'missing-file', message: 'Cannot read "b.yml": no such file or directory.' },
    ]);
  });
});

describe('a map that is read key by key', () => {
  const reader = (text: string) => {
    const { value, map, problems } = parseMap(text);
    return { reader: new MapReader(value, map, problems), problems };
  };

  it('reports values of the wrong type with their position', () => {
    const { reader: map, problems } = reader(
      'text: [x]\nflag: yes\nnumber: x\nlimit: -1\nword: b\nmap: 1\nlist: 1\ntexts: [1]\nconditions: [1, a ==]\n',
    );
    expect([
      map.string('text'),
      map.boolean('flag'),
      map.number('number'),
      map.limit('limit'),
      map.oneOf('word', ['a', 'c']),
      map.object('map'),
      map.list('list'),
      map.strings('texts'),
      map.conditions('conditions'),
    ]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      [],
      [],
    ]);
    expect(shown(problems).map((one) => one.slice(0, 54))).toMatchInlineSnapshot(`
      [
        "a.yml:1:7 "text" must be text.",
        "a.yml:2:7 "flag" must be true or false.",
        "a.yml:3:9 "number" must be a number.",
        "a.yml:4:8 "limit" must be a number of at least 0.",
        "a.yml:5:7 "word" must be one of a, c, not "b".",
        "a.yml:6:6 "map" must be a map.",
        "a.yml:7:7 "list" must be a list.",
        "a.yml:8:8 "texts" must be text or a list of text.",
        "a.yml:9:13 "conditions" must be a condition.",
        "a.yml:9:17 Condition "a ==" does not parse: Unexpected",
      ]
    `);
    map.close('a map');
    expect(problems).toHaveLength(10);
  });

  it('reports keys that were not read, with the most similar key', () => {
    const { reader: map, problems } = reader('name: x\nnmae: y\n');
    map.string('name');
    map.close('a thing', (key) => (key === 'other' ? 'Use "name".' : undefined));
    expect(shown(problems)).toEqual(['a.yml:2:1 Unknown key "nmae" in a thing.']);
    expect(problems[0]?.hint).toBe('Did you mean "name"?');
  });
});
