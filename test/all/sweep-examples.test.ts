import { describe, expect, it } from 'vitest';
import { playReference, type Fault } from '../../src/chaos/sweep.ts';
import {
  allCases,
  clusterExamples,
  expectRestored,
  plainExamples,
  sweepOptions,
} from '../helpers/sweeps.ts';

const rows: [name: string, faults: Fault[]][] = [
  ...Object.keys(clusterExamples).map((name): [string, Fault[]] => [name, ['fail', 'kill-effect']]),
  ...plainExamples.map((name): [string, Fault[]] => [
    name,
    ['fail', 'kill-effect', 'kill-undo', 'undo-only'],
  ]),
];

describe('the sweep of an example', () => {
  it.each(rows)('rolls %s back completely from %s at every changing step', async (name, faults) => {
    const options = sweepOptions(name, 2);
    const reference = await playReference(options, { twice: false });
    const cases = allCases(reference, faults);
    expect(cases.length).toBeGreaterThan(0);
    await expectRestored(options, reference, cases);
  });
});
