import { describe, expect, it } from 'vitest';
import { fuzz, fuzzTargets } from '../helpers/fuzz.ts';
import { seed } from '../helpers/seed.ts';

// Few random inputs on each run; test/all/fuzz.test.ts tries many.
describe(`a command that reads a damaged file (seed ${String(seed)})`, () => {
  it.each(fuzzTargets)(
    'understands or refuses $name, without an internal error',
    async (target) => {
      expect(await fuzz(target, 25)).toEqual([]);
    },
  );
});
