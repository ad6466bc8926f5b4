import { expect, it } from 'vitest';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { kdd, specOf } from '../helpers/mke3-config.ts';

it('names the line and column of invalid TOML', () => {
  expect(() => parseMke3Config('a = 1\nb = = 2\n', 'mke3.toml')).toThrow(
    expect.objectContaining({ at: { file: 'mke3.toml', line: 2, column: 5 } }) as Error,
  );
});

it('reads both spellings of a key', () => {
  const issuer = 'issuer = "https://i"\n';
  for (const key of ['clientID', 'clientId']) {
    expect(
      specOf(`${kdd}[auth.external_identity_provider]\n${issuer}${key} = "me"\n`)[
        'authentication'
      ]?.['oidc'],
    ).toMatchObject({ clientID: 'me' });
  }
});
