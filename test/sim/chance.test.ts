import { expect, it } from 'vitest';
import { Chance } from '../../src/sim/chance.ts';

it('generates the same bytes for the same seed', () => {
  const bytes = (seed: number) => new Chance(seed).bytes(16).toString('hex');
  expect(bytes(1)).toBe(bytes(1));
  expect(bytes(1)).not.toBe(bytes(2));
  expect(new Chance(1).bytes(3)).toHaveLength(3);
});
