import { describe, expect, it } from 'vitest';
import { splitWords } from '../../../src/modules/lib/run.ts';

describe('splitWords', () => {
  it('keeps quoted spaces, empty words and escaped characters', () => {
    expect(splitWords(String.raw`a "b c" '' d\ e 'f"g'`)).toEqual(['a', 'b c', '', 'd e', 'f"g']);
  });
});
