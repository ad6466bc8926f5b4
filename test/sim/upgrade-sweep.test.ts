import { beforeAll, describe, expect, it } from 'vitest';
import { faults, type Fault } from '../../src/core/fault.ts';
import { upgradeReference, type UpgradeReference } from '../../src/sim/mke/sweep.ts';
import { brokenCases } from '../helpers/model-sweep.ts';
import { modelSetup } from '../helpers/model-upgrade.ts';

/** Only a test that hangs reaches this limit: a case takes a fifth of a second, and ten times as long at a load of 25. */
const HANGS_MS = 900_000;

describe('the upgrade on model hosts', () => {
  let reference: UpgradeReference;
  beforeAll(async () => {
    // One worker has all steps of workers; test/all plays the same with two.
    reference = await upgradeReference(modelSetup({ managers: 3, workers: 1 }));
  });

  it('has all steps of the playbook that change something', () => {
    expect(reference.steps.length).toBeGreaterThan(80);
  });

  it.each(Object.keys(faults) as Fault[])(
    'is rolled back or completed after the fault "%s" at every step',
    async (fault) => {
      const cases = reference.steps.map((step) => ({ step, fault }));
      expect(await brokenCases(reference, cases)).toEqual([]);
    },
    HANGS_MS,
  );
});
