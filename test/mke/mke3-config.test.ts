import { expect, it } from 'vitest';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { kdd, specOf } from '../helpers/mke3-config.ts';

it('names the line and column of invalid TOML', () => {
  expect(() => parseMke3Config('a = 1\nb = = 2\n', 'mke3.toml')).toThrow(
    expect.objectContaining({ at: { file: 'mke3.toml', line: 2, column: 5 } }) as Error,
  );
});

it.each([
  ['[a]\nb = 1 // on\n', 'comments begin with "#", not "//"', 2, 7],
  ['// mine\n[a]\n', 'comments begin with "#", not "//"', 1, 1],
  ['[a]\nb = [ 1, // x\n2 ]\n', 'comments begin with "#", not "//"', 2, 10],
  ['[a]\n--feature-gates=A=true\n', '"--feature-gates=A=true" is a flag of a component', 2, 1],
  ['[a]\nb = 1\n  b = 2\n', '"a.b" is defined twice, first in line 2', 3, 3],
  ['[a]\nb = 1\n[c]\n[a]\n', 'the table [a] is defined twice, first in line 1', 4, 1],
])('explains the mistake in %j', (text, message, line, column) => {
  expect(() => parseMke3Config(text, 'x')).toThrow(
    expect.objectContaining({
      message: `Not valid TOML: ${message}.`,
      at: { file: 'x', line, column },
    }) as Error,
  );
});

it.each([
  ['9007199254740992', 'The number 9007199254740992 is too large'],
  ['-9_007_199_254_740_993', 'The number -9_007_199_254_740_993 is too large'],
  ['0x20000000000001', 'The number 0x20000000000001 is too large'],
  ['inf', '"inf" is not a valid number for a setting'],
])('refuses the number %s instead of rounding it', (number, message) => {
  expect(() => parseMke3Config(`[a]\nc = "9007199254740993"\nb = [1, ${number}]\n`, 'x')).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(message) as string,
      at: { file: 'x', line: 3, column: 9 },
    }) as Error,
  );
});

it('accepts the largest safe integer', () => {
  const config = parseMke3Config('a = 9007199254740991\n', 'x');
  expect(config.number('a')).toBe(9007199254740991);
});

it('reads the documented and the downloaded spelling of a key', () => {
  const issuer = 'issuer = "https://i"\n';
  for (const key of ['clientID', 'clientId']) {
    expect(
      specOf(`${kdd}[auth.external_identity_provider]\n${issuer}${key} = "me"\n`)[
        'authentication'
      ]?.['oidc'],
    ).toMatchObject({ clientID: 'me' });
  }
});
