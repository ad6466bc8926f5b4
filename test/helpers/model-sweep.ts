import type { Fault } from '../../src/core/fault.ts';
import { tryFault, type SweepStep, type UpgradeReference } from '../../src/sim/mke/sweep.ts';

/** Cases with problems, each with the command that repeats it. */
export async function brokenCases(
  reference: UpgradeReference,
  cases: readonly { step: SweepStep; fault: Fault }[],
): Promise<unknown[]> {
  const broken: unknown[] = [];
  for (const { step, fault } of cases) {
    const { story, problems } = await tryFault(reference, step, fault);
    const repeat = `npm run simulate -- --step ${step.id} --fault ${fault}`;
    if (problems.length > 0) broken.push({ repeat, story, problems });
  }
  return broken;
}
