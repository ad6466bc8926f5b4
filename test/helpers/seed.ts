/**
 * Seed of all random choices and inputs of the suite; `npm test` prints it and `--seed` sets it.
 */
export const seed = Number(process.env['TEST_SEED'] ?? '1');

/**
 * Random numbers in [0, 1) from the seed and a name, so that tests do not affect each other
 * (mulberry32).
 */
export function randomOf(name: string): () => number {
  let state = seed;
  for (const char of name) state = Math.imul(state ^ char.charCodeAt(0), 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const rest = [...list];
  const result: T[] = [];
  while (rest.length > 0) result.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return result;
}
