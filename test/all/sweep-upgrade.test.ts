import { expect, it } from 'vitest';
import { playReference } from '../../src/chaos/sweep.ts';
import type { Fault } from '../../src/core/fault.ts';
import { seed } from '../helpers/seed.ts';
import { allCases, expectRestored, sweepOptions } from '../helpers/sweeps.ts';

const EVERY = 8;
const first = seed % EVERY;
const atSomeSteps: Fault[] = ['kill-before', 'kill-after', 'cut', 'kill-undo', 'undo-only'];

it(`the upgrade is rolled back completely after two faults at every step, and five faults at every eighth step from step ${String(first + 1)}`, async () => {
  const options = sweepOptions('upgrade', 2);
  const reference = await playReference(options, { twice: false });
  expect(reference.steps.length).toBeGreaterThan(60);
  const some = reference.steps.filter((_, index) => index % EVERY === first);
  await expectRestored(options, reference, [
    ...allCases(reference, ['fail', 'kill-effect']),
    ...allCases({ ...reference, steps: some }, atSomeSteps),
  ]);
});
