import { describe, expect, it } from 'vitest';
import { fuzz, fuzzTargets } from '../helpers/fuzz.ts';
import { seed } from '../helpers/seed.ts';

describe(`a command that reads random damaged files (seed ${String(seed)})`, () => {
  it.each(fuzzTargets)('accepts or rejects $name without an internal error', async (target) => {
    expect(await fuzz(target, 600)).toEqual([]);
  });
});
