import { describe, expect } from 'vitest';
import { playReference } from '../../src/chaos/sweep.ts';
import type { Fault } from '../../src/core/fault.ts';
import { itWith } from '../helpers/programs.ts';
import {
  allCases,
  clusterExamples,
  exampleNeeds,
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
  for (const [name, faults] of rows) {
    const title = `rolls ${name} back completely from ${faults.join(', ')} at every changing step`;
    itWith(...(exampleNeeds[name] ?? []))(title, async () => {
      const options = sweepOptions(name, 2);
      const reference = await playReference(options, { twice: false });
      const cases = allCases(reference, faults);
      expect(cases.length).toBeGreaterThan(0);
      await expectRestored(options, reference, cases);
    });
  }
});
