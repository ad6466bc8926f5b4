import { describe, expect, it } from 'vitest';
import { simulate } from '../../src/sim/simulate.ts';

describe('a simulated run', () => {
  it('has the same journal and the same story each time its seed is played', async () => {
    for (const number of [3, 11, 65]) {
      const [one, other] = [await simulate(number), await simulate(number)];
      expect(other.journal).toBe(one.journal);
      expect(other.story).toEqual(one.story);
      expect(one.journal).not.toBe('');
    }
  });

  it('takes another course with another seed', async () => {
    expect((await simulate(1)).journal).not.toBe((await simulate(2)).journal);
  });
});
