import { describe, expect, it } from 'vitest';
import { faults, type Fault } from '../../src/core/fault.ts';
import { upgradeReference } from '../../src/sim/mke/sweep.ts';
import { brokenCases } from '../helpers/model-sweep.ts';
import { modelSetup } from '../helpers/model-upgrade.ts';
import { seed } from '../helpers/seed.ts';

/** Only a test that hangs reaches this limit: a case takes half a second, and ten times as long at a load of 25. */
const HANGS_MS = 900_000;
const all = Object.keys(faults) as Fault[];

describe('the upgrade on model hosts', () => {
  it(
    `is rolled back or finished after a fault at any step (one fault per step, seed ${String(seed)})`,
    async () => {
      const reference = await upgradeReference(modelSetup());
      expect(reference.steps.length).toBeGreaterThan(80);
      const cases = reference.steps.map((step, index) => {
        const fault = all[(index + seed) % all.length] ?? 'fail';
        return { step, fault };
      });
      expect(await brokenCases(reference, cases)).toEqual([]);
    },
    HANGS_MS,
  );
});
