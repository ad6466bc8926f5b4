import { describe, expect, it } from 'vitest';
import { fuzz, fuzzTargets } from '../helpers/fuzz.ts';
import { seed } from '../helpers/seed.ts';

// A small random sample; test/all/fuzz.test.ts tests many more inputs.
describe(`a command that reads a damaged file (seed ${String(seed)})`, () => {
  it.each(fuzzTargets)('accepts or refuses $name without an internal error', async (target) => {
    expect(await fuzz(target, 25)).toEqual([]);
  });
});
