import { describe, expect, it } from 'vitest';
import { Template } from '../../src/core/value.ts';
import { iniValue, iniWords } from '../../src/inventory/ini-values.ts';

/** Expected values as printed by `ansible-inventory --list` of Ansible 2.19. */
describe('a value in an INI inventory', () => {
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
  ])('%j is converted to %j', (text, expected) => {
    expect(iniValue(text)).toEqual(expected);
  });

  it('can be a template', () => {
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
  ])('is split into words like a shell command: %s', (line, expected) => {
    expect(iniWords(line)).toEqual(expected);
  });

  it('is rejected with an unquoted "#" inside a value or an unclosed quote', () => {
    expect(iniWords('h p=a#b')).toMatch(/^"p=a#": in Ansible, "#" starts a comment/);
    expect(iniWords('h p="a')).toBe('A quote is not closed.');
  });
});
