import { exampleController } from '../../src/template/helper-docs.ts';
import { describe, expect, it } from 'vitest';
import { UnknownValueError } from '../../src/core/errors.ts';
import { holds, parseCondition } from '../../src/template/conditions.ts';
import { Condition, type SourceObject } from '../../src/core/value.ts';
import { readText, readTexts } from '../../src/template/read-text.ts';
import { Scope, unknownValue } from '../../src/template/scope.ts';
import { parseTemplate } from '../../src/template/templates.ts';

const values = { a: { b: 1 }, list: [1, 2], items: [1, 2], s: 'x', empty: '', yes: true };
const render = (text: string): unknown => parseTemplate(text).render(values);

describe('rendering a template', () => {
  it.each([
    ['{{a.b}}', 1],
    ['{{list}}', [1, 2]],
    ['n={{a.b}}', 'n=1'],
    ['{{a}}!', '{"b":1}!'],
    ['<{{s}}>&', '<x>&'],
    ['{{default missing "d"}}', 'd'],
    ['{{default a.missing 5}}', 5],
    ['{{default empty "d"}}', 'd'],
    ['{{join list "-"}}', '1-2'],
    ['{{ternary (eq s "x") (upper s) "no"}}', 'X'],
    ['{{#each list}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', '1,2'],
    ['{{#each list}}{{../s}}{{/each}}', 'xx'],
    ['{{get (get a "b")}}', 1],
  ])('%s gives %j', (text, wanted) => {
    expect(render(text)).toEqual(wanted);
  });

  it.each([
    ['{{missing}}', '"missing" is not defined'],
    ['{{a.missing}}', '"a.missing" is not defined'],
    ['{{#if missing}}x{{/if}}', '"missing" is not defined'],
    ['{{#each missing}}x{{/each}}', '"missing" is not defined'],
    ['{{upper missing}}', '"missing" is not defined'],
    ['{{required empty "it is needed"}}', 'it is needed'],
    ['{{nohelper s}}', 'Unknown helper "nohelper"'],
    ['{{ s | upper }}', 'does not parse'],
    ['{{a.constructor}}', 'not defined'],
    ['{{> partial}}', 'Partials'],
  ])('%s fails with: %s', (text, message) => {
    expect(() => render(text)).toThrow(message);
  });

  it('reports required and optional variables', () => {
    const { roots, optionalRoots } = parseTemplate(
      '{{a.b}} {{default c 1}} {{#each d}}{{x}}{{../e}}{{/each}}',
    );
    expect([...roots].sort()).toEqual(['a', 'd', 'e']);
    expect([...optionalRoots]).toEqual(['c']);
  });
});

describe('conditions', () => {
  it.each([
    ['a.b == 1', true],
    ['a.b + 1 == 2', true],
    ['size(items) % 2 == 0', true],
    ['items.exists(e, e == 2)', true],
    ['has(vars.nothing)', false],
    ['version("3.7.16", ">=", "3.7.12")', true],
    ['from_json("{\\"members\\":{\\"a\\":1,\\"b\\":2}}").members.b == 2', true],
    ['size(from_json("[1,2]")) == 2', true],
    ['version("3.10.0", "<", "3.9.9")', false],
    ['s.matches("^x$")', true],
  ])('%s is %s', (source, wanted) => {
    expect(holds(new Condition(source), { variables: { ...values, vars: values } })).toBe(wanted);
  });

  it.each([
    ['a and b', 'Write it in CEL: a && b'],
    ['a.b and not c', '"&&"'],
    ['x is defined', 'Write it in CEL: has(vars.x)'],
    ['{{a}}', 'Remove the braces'],
    ['x | length', 'Write it in CEL: size(x)'],
    ['x | upper', 'instead of filters'],
  ])('%s fails with the hint: %s', (source, hint) => {
    expect(() => parseCondition(new Condition(source))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(hint) as string }) as Error,
    );
  });

  it('fail if the result is not true or false, or a variable is unknown', () => {
    expect(() => holds(new Condition('s'), { variables: values })).toThrow('not true or false');
    expect(() => holds(new Condition('nothing == 1'), { variables: values })).toThrow(
      'Unknown variable: nothing',
    );
  });

  it('report the variables that they read', () => {
    expect(
      [...parseCondition(new Condition('a.b && list.all(e, e > c) || f')).roots].sort(),
    ).toEqual(['a', 'c', 'f', 'list']);
  });
});

const written = (values: SourceObject) => readTexts(values) as SourceObject;

describe('a scope', () => {
  it('uses the layer with the highest precedence and renders values in the whole scope', () => {
    const scope = new Scope([
      { name: 'strong', values: { name: 'strong' } },
      { name: 'weak', values: written({ name: 'weak', greeting: 'hi {{name}}' }) },
    ]);
    expect(scope.get('greeting')).toBe('hi strong');
  });

  it('never renders data from hosts', () => {
    const scope = new Scope([{ name: 'data', values: { out: '{{evil}}' }, data: true }]);
    expect(scope.render(readText('{{out}}'))).toBe('{{evil}}');
  });

  it('does not change text that is not a template', () => {
    expect(new Scope([]).render('{{.Names}}')).toBe('{{.Names}}');
  });

  it('rejects variables that refer to each other, and names them', () => {
    const scope = new Scope([{ name: 'play', values: written({ a: '{{b}}', b: '{{a}}' }) }]);
    expect(() => scope.get('a')).toThrow('a → b → a');
  });

  it('renders inputs of a role in the scope of the caller', () => {
    const play = { name: 'play', values: { port: 80 } };
    const scope = new Scope([
      {
        name: 'role inputs',
        values: written({ port: '{{port}}' }),
        outer: () => new Scope([play]),
      },
      play,
    ]);
    expect(scope.get('port')).toBe(80);
  });

  it('fails in check mode for values that are known only in a real run', () => {
    const scope = new Scope([{ name: 'runtime', values: { r: unknownValue }, data: true }]);
    expect(() => scope.render(readText('{{r.rc}}'))).toThrow(UnknownValueError);
    expect(() => holds(new Condition('r.rc == 0'), scope)).toThrow(UnknownValueError);
  });
});

describe('helpers that read the controller', () => {
  const render = (text: string) => new Scope([], exampleController).render(readText(text));

  it('return the value, or the fallback', () => {
    expect(render('{{env "HOME"}}')).toBe('/root');
    expect(render('{{env "MISSING" "none"}}')).toBe('none');
    expect(render('{{date "%s|%j|%u|%T%%" 86399}}')).toBe('86399|001|4|23:59:59%');
  });

  it.each([
    ['{{env "MISSING"}}', 'The environment variable "MISSING" is not set.'],
    ['{{env 5}}', 'Helper "env" expects a text that is not empty.'],
    ['{{date "%Q"}}', 'Helper "date" does not support "%Q".'],
    ['{{date "%Y" "x"}}', 'expects a number of seconds since 1970'],
    ['{{date "%Y" 99999999999999}}', 'that is not a valid time'],
    ['{{lookup "env" "HOME"}}', '"lookup" reads a value of a map or list'],
  ])('reject %s with: %s', (text, message) => {
    expect(() => render(text)).toThrow(message);
  });

  it('are rejected in an undo', () => {
    expect(() => new Scope([]).render(readText('{{env "HOME"}}'))).toThrow(
      'Helper "env" reads the controller and cannot be used here.',
    );
  });
});
