import { describe, expect, it } from 'vitest';
import { playReference, type ChangingStep } from '../../src/chaos/sweep.ts';
import { has } from '../helpers/programs.ts';
import { randomOf, seed, shuffled } from '../helpers/seed.ts';
import {
  allCases,
  changedFiles,
  clusterExamples,
  exampleNeeds,
  expectRestored,
  plainExamples,
  sampleCases,
  sweepOptions,
  type SweepCase,
} from '../helpers/sweeps.ts';

/** Only a test that hangs reaches this limit: a case takes 5 s, and took 30 s at a load of 20. */
const HANGS_MS = 900_000;

// A sample of the cases of test/all/sweep-*.test.ts, selected by the seed and the changed files. The upgrade is also tested on
// model hosts (test/sim/upgrade-sweep.test.ts).
describe(`a sample of the sweeps (seed ${String(seed)})`, () => {
  const changed = changedFiles();
  const random = randomOf('sweeps');
  const examples = [...Object.keys(clusterExamples), ...plainExamples].filter((name) =>
    (exampleNeeds[name] ?? []).every(has),
  );
  const touched = examples.filter((name) =>
    changed.some((file) => file.startsWith(`examples/${name}/`)),
  );
  const [example = ''] = shuffled(touched.length > 0 ? touched : examples, random);

  it.each([
    ['upgrade', 3],
    [example, 4],
  ])(
    'rolls %s back completely from a fault at any step (%i cases)',
    async (name, count) => {
      const options = sweepOptions(name, 2);
      const reference = await playReference(options, { twice: false });
      const cases = sampleCases(allCases(reference), count, { changed, random });
      expect(cases).toHaveLength(count);
      await expectRestored(options, reference, cases);
    },
    HANGS_MS,
  );
});

describe('sampleCases', () => {
  const step = (file: string, module: string): ChangingStep => ({
    id: file,
    name: file,
    module,
    file,
    hosts: ['h1'],
    segment: 0,
    forwardOnly: false,
    irreversible: false,
  });
  const cases: SweepCase[] = Array.from({ length: 50 }, (_, index) => ({
    step: step(`step-${String(index)}`, index < 20 ? 'copy' : 'file'),
    fault: 'fail',
  }));

  it('takes two thirds from steps whose module changed, and the rest from all others', () => {
    const sample = sampleCases(cases, 12, {
      changed: ['src/modules/copy.ts'],
      random: Math.random,
    });
    expect(new Set(sample).size).toBe(12);
    expect(sample.slice(0, 8).map(({ step: { module } }) => module)).toEqual(Array(8).fill('copy'));
  });

  it('repeats the choice for the same seed and name', () => {
    const take = (name: string) =>
      sampleCases(cases, 12, { changed: [], random: randomOf(name) }).map(({ step: { id } }) => id);
    expect(take('a')).toEqual(take('a'));
    expect(take('a')).not.toEqual(take('b'));
  });
});
