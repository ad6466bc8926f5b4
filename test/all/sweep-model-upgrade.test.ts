import { expect, it } from 'vitest';
import { faults, type Fault } from '../../src/core/fault.ts';
import { upgradeReference } from '../../src/sim/mke/sweep.ts';
import { brokenCases } from '../helpers/model-sweep.ts';
import { modelSetup } from '../helpers/model-upgrade.ts';

it.each(Object.keys(faults) as Fault[])(
  'the upgrade on model hosts is rolled back or completed after the fault "%s" at every step',
  async (fault) => {
    const reference = await upgradeReference(modelSetup());
    const cases = reference.steps.map((step) => ({ step, fault }));
    expect(await brokenCases(reference, cases)).toEqual([]);
  },
);
