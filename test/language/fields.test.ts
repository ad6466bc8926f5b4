import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/core/errors.ts';
import { Condition, isSourceObject } from '../../src/core/value.ts';
import { complete, fallbacks, fieldsFor, inherit, pick, read } from '../../src/language/fields.ts';
import { sharedKeywords, taskDefaults, taskKeywords } from '../../src/language/keywords.ts';
import { group, keyword, keywordsOf, optionalGroup } from '../../src/language/table.ts';
import { as, flag, oneOf, text, texts, wholeNumber } from '../../src/language/types.ts';
import { MapReader } from '../../src/yaml/map-reader.ts';
import { SourceMap } from '../../src/yaml/source-map.ts';
import { parseYaml } from '../../src/yaml/yaml.ts';

const on = ['task'] as const;
const table = {
  maxHosts: keyword({ on, type: wholeNumber(1, 'a count'), inherit: 'own', doc: 'Hosts.' }),
  stops: keyword({
    yaml: 'on_error',
    on,
    type: as(oneOf('continue', 'stop'), (word) => word === 'stop'),
    fallback: false,
    doc: 'Whether it stops.',
  }),
  names: keyword({
    on,
    type: texts,
    inherit: (outer, own) => [...outer, ...own],
    fallback: [],
    alsoFor: ['include'],
    doc: 'Names.',
  }),
  access: group<{ on: boolean; login?: { user?: string } | undefined }>({
    on: keyword({ yaml: 'access', on, type: flag, inherit: 'own', fallback: false, doc: 'On.' }),
    login: optionalGroup<{ user?: string }>({
      user: keyword({ yaml: 'login', on, type: text, inherit: 'own', doc: 'Who.' }),
    }),
  }),
};

function reader(yaml: string) {
  const reading = { problems: [] as Problem[], map: new SourceMap() };
  const value = parseYaml(yaml, 'a.yml', reading);
  if (!isSourceObject(value)) throw new Error('expected a map');
  return new MapReader(value, reading.map, reading.problems);
}

describe('the fields of a keyword table', () => {
  it('are read by keyword; an absent keyword is undefined', () => {
    const from = reader('{ max_hosts: 2, on_error: stop, login: joe, more: 1 }');
    expect(read(table, from)).toEqual({
      maxHosts: 2,
      stops: true,
      names: undefined,
      access: { on: undefined, login: { user: 'joe' } },
    });
    expect(from.rest()).toEqual(['more']);
  });

  it('are undefined if a value is wrong, which is reported', () => {
    const from = reader('{ max_hosts: 0, on_error: x }');
    const said = read(table, from);
    expect([said.maxHosts, said.stops]).toEqual([undefined, undefined]);
    expect(from.problems.map(({ message }) => message)).toEqual([
      '"max_hosts" must be a count.',
      '"on_error" must be one of continue, stop, not "x".',
    ]);
  });

  it('have fallbacks; an optional group without keywords is undefined', () => {
    expect(fallbacks(table)).toEqual({
      maxHosts: undefined,
      stops: false,
      names: [],
      access: { on: false, login: undefined },
    });
  });

  it('are inherited by the rule of their row', () => {
    const outer = complete(table, {
      maxHosts: 5,
      stops: true,
      names: ['a'],
      access: { on: true, login: { user: 'joe' } },
    });
    expect(inherit(table, outer, { names: ['b'] })).toEqual({
      maxHosts: 5,
      // This row has no rule for inheritance.
      stops: false,
      names: ['a', 'b'],
      access: { on: true, login: { user: 'joe' } },
    });
    expect(inherit(table, outer, { access: { on: false } }).access).toEqual({
      on: false,
      login: { user: 'joe' },
    });
  });

  it('apply to includes if their row allows it; groups always apply', () => {
    const fields = complete(table, { maxHosts: 5, names: ['a'], access: { on: true } });
    expect(fieldsFor(table, 'include', fields)).toEqual({
      maxHosts: undefined,
      stops: false,
      names: ['a'],
      access: { on: true, login: undefined },
    });
    expect(fieldsFor(table, 'meta', fields).names).toEqual([]);
    expect(Object.keys(pick(table, { ...fields, more: 1 } as never))).toEqual(Object.keys(table));
  });

  it('can have a default that depends on other fields', () => {
    const condition = new Condition('x');
    expect(complete(taskKeywords, {}, taskDefaults).retries).toBe(0);
    expect(complete(taskKeywords, { until: [condition] }, taskDefaults).retries).toBe(3);
    expect(complete(taskKeywords, { until: [condition], retries: 1 }, taskDefaults).retries).toBe(
      1,
    );
  });
});

describe('the keywords of a table', () => {
  it('have the names used in YAML, also inside groups', () => {
    expect(keywordsOf(table).map(({ name }) => name)).toEqual([
      'max_hosts',
      'on_error',
      'names',
      'access',
      'login',
    ]);
  });

  it('have the schema of their type', () => {
    const schema = keywordsOf(table).find(({ name }) => name === 'on_error')?.schema;
    expect(schema).toEqual({ enum: ['continue', 'stop'] });
  });
});

it('a node without keywords inherits all fields', () => {
  const outer = fallbacks(sharedKeywords);
  expect(inherit(sharedKeywords, outer, read(sharedKeywords, reader('{ x: 1 }')))).toEqual(outer);
});
