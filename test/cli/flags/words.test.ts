import { describe, expect, it } from 'vitest';
import { splitList, wholeNumber } from '../../../src/cli/flags/words.ts';

describe('a number on the command line', () => {
  it.each(['0', '-1', '1.5', 'x', '', '1e400'])('"%s" is refused, with the flag', (text) => {
    expect(() => wholeNumber(text, '--forks')).toThrow(
      `--forks must be a whole number above 0, not "${text}".`,
    );
  });

  it('is read', () => {
    expect(wholeNumber('12', '--forks')).toBe(12);
  });
});

describe('a list with commas', () => {
  it.each([
    [undefined, []],
    ['', []],
    ['a', ['a']],
    [' a , b,,c ', ['a', 'b', 'c']],
  ])('%j has the parts %j', (text, parts) => {
    expect(splitList(text)).toEqual(parts);
  });
});
