import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseExtraVars } from '../../../src/cli/flags/extra-vars.ts';
import { Vault } from '../../../src/util/vault.ts';
import { Cli } from '../../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

const parse = (...words: string[]) =>
  parseExtraVars(words, new Vault({ keys: [], lenient: true, onSecret: () => undefined }));

describe('--extra-vars', () => {
  it.each([
    ['a=1', { a: '1' }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=two\nlines', { a: 'two\nlines' }],
    ['a:=1', { a: 1 }],
    ['a:=[true, null]', { a: [true, null] }],
    ['{"a": {"b": 1}}', { a: { b: 1 } }],
    [' {"a": 1}', { a: 1 }],
  ])('%j defines %j', (word, values) => {
    expect(parse(word)).toEqual(values);
  });

  it('overrides an earlier value with a later one', () => {
    expect(parse('a=1', '{"a": 2, "b": 3}', 'b=4')).toEqual({ a: 2, b: '4' });
  });

  it('reads a YAML file', () => {
    expect(parse(`@${cli.file('vars.yml', 'a: 1\nb: [x]\n')}`)).toEqual({ a: 1, b: ['x'] });
  });

  it.each(['a', '1a=x', 'a-b=x', '=x'])('refuses %j, which does not name a variable', (word) => {
    expect(() => parse(word)).toThrow(`not "${word}"`);
  });

  it.each(['a:=x', '{"a": }'])('refuses %j, which is not JSON', (word) => {
    expect(() => parse(word)).toThrow('is not JSON');
  });

  it('refuses a file that is not a map, and a missing file', () => {
    expect(() => parse(`@${cli.file('list.yml', '- a\n')}`)).toThrow('is not a map');
    expect(() => parse('@/nowhere.yml')).toThrow('Cannot read "/nowhere.yml"');
  });
});
