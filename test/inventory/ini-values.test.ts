import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { iniValue, iniWords } from '../../src/inventory/ini-values.ts';

/** As `ansible-inventory --list` of Ansible 2.19 prints it. */
describe('a value of an INI inventory', () => {
  it.each([
    ['True', true],
    ['False', false],
    ['None', null],
    ['0x1F', 31],
    ['0o17', 15],
    ['1_000', 1000],
    ['-1.5e-3', -0.0015],
    ['007', '007'],
    ['0644', '0644'],
    ['yes', 'yes'],
    ['~', '~'],
    ['"dq"', 'dq'],
    [`'a \\'b\\''`, `a 'b'`],
    ["{'a': True, 'b': None}", { a: true, b: null }],
    ['["a", 1]', ['a', 1]],
    ['[unquoted, list]', '[unquoted, list]'],
    ['12 # comment', 12],
    ["'a # b' # comment", 'a # b'],
    ['abc #def', 'abc #def'],
    [' lead', ' lead'],
    ['12345678901234567890', '12345678901234567890'],
    ['', ''],
  ])('%j is %j', (text, expected) => {
    expect(iniValue(text)).toEqual(expected);
  });

  it('may be a template as a whole', () => {
    expect(iniValue('{{ login }}')).toBeInstanceOf(Template);
    expect(iniValue('"{{ login }}"')).toBeInstanceOf(Template);
  });
});

describe('the line of a host in an INI inventory', () => {
  it.each([
    ['h a=b\\ c d="x y"z', ['h', 'a=b c', 'd=x yz']],
    [`h s='it'"'"'s' t="a\\"b" u=a\\\\b`, ['h', "s=it's", 't=a"b', 'u=a\\b']],
    ['h a=1 # b=2', ['h', 'a=1']],
    ['h a="#x" b=\'# y\'', ['h', 'a=#x', 'b=# y']],
    ["h a= b='' c=' x'", ['h', 'a=', 'b=', 'c= x']],
  ])('%s', (line, expected) => {
    expect(iniWords(line)).toEqual(expected);
  });

  it('is refused where Ansible would cut a value off, and for an open quote', () => {
    expect(iniWords('h p=a#b')).toMatch(/^"p=a#": for Ansible, a comment begins at "#"/);
    expect(iniWords('h p="a')).toBe('A quote is not closed.');
  });
});
