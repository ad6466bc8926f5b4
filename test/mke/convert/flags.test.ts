import { expect, it } from 'vitest';
import { flagsToMap } from '../../../src/mke/convert/flags.ts';

it('converts flags to a map and reports those that a map cannot hold', () => {
  const { map, problems } = flagsToMap([
    '--a=b=c',
    '--bare',
    'x y',
    '--a=2',
    '--tls-cert-file=/etc/docker/x',
  ]);
  expect(map).toEqual({ a: 'b=c', bare: 'true' });
  expect(problems.map(({ flag }) => flag)).toEqual([
    'x y',
    '--a=2',
    '--tls-cert-file=/etc/docker/x',
  ]);
});
