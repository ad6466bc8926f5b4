import { describe, expect, it } from 'vitest';
import { splitList, wholeNumber } from '../../../src/cli/flags/words.ts';

describe('a number on the command line', () => {
  it.each(['0', '-1', '1.5', 'x', '', '1e400'])(
    'refuses "%s" with a message that names the option',
    (text) => {
      expect(() => wholeNumber(text, '--forks')).toThrow(
        `--forks must be a whole number above 0, not "${text}".`,
      );
    },
  );

  it('accepts a whole number above 0', () => {
    expect(wholeNumber('12', '--forks')).toBe(12);
  });
});

describe('a comma-separated list', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['a', ['a']],
    [' a , b,,c ', ['a', 'b', 'c']],
  ])('is split and trimmed: %j gives %j', (text, parts) => {
    expect(splitList(text)).toEqual(parts);
  });
});
