import { parseArgs } from 'node:util';
import { faults, type Fault } from '../src/core/fault.ts';
import { tryFault, upgradeReference } from '../src/sim/mke/sweep.ts';
import { simulate } from '../src/sim/simulate.ts';
import { modelSetup } from '../test/helpers/model-upgrade.ts';

/**
 * Simulates cases, and prints each case that breaks a rule with the command that replays it: npm run simulate -- --seed S --runs N
 * One fault at a step of the upgrade: npm run simulate -- --step ID --fault NAME
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    verbose: { type: 'boolean', short: 'v', default: false },
    step: { type: 'string' },
    fault: { type: 'string', default: 'fail' },
  },
});
if (values.step !== undefined) process.exit(await oneStep(values.step, values.fault));
const first = Number(values.seed);
const runs = Number(values.runs);
if (!Number.isSafeInteger(first) || !(runs >= 1)) {
  process.stderr.write('--seed and --runs must be whole numbers.\n');
  process.exit(1);
}
const ends = new Map<string, number>();
let failures = 0;
for (let seed = first; seed < first + runs; seed++) {
  const { story, problems, journal, playbook } = await simulate(seed);
  const end = story.at(-1) ?? '';
  ends.set(end, (ends.get(end) ?? 0) + 1);
  if (values.verbose) process.stdout.write(`${playbook}\n${journal}`);
  if (values.verbose || problems.length > 0)
    process.stdout.write(`Seed ${String(seed)}: ${story.join(', then ')}\n`);
  if (problems.length === 0) continue;
  failures++;
  for (const problem of problems) process.stdout.write(`  ${problem}\n`);
  process.stdout.write(`  Replay it with: npm run simulate -- --seed ${String(seed)} --verbose\n`);
}
for (const [end, count] of [...ends].sort()) process.stdout.write(`${end}: ${String(count)}\n`);
process.stdout.write(`${String(runs)} runs, ${String(failures)} with a broken rule.\n`);
process.exitCode = failures > 0 ? 1 : 0;

/** Returns the exit code. */
async function oneStep(id: string, name: string): Promise<number> {
  const fault = (Object.keys(faults) as Fault[]).find((one) => one === name);
  const reference = await upgradeReference(modelSetup());
  const step = reference.steps.find((one) => one.id === id);
  if (!fault || !step) {
    const known = reference.steps.map((one) => `  ${one.id}\n`).join('');
    process.stderr.write(`Faults: ${Object.keys(faults).join(', ')}. Steps:\n${known}`);
    return 1;
  }
  const { story, problems } = await tryFault(reference, step, fault);
  process.stdout.write(`${story.join(', then ')}\n`);
  for (const problem of problems) process.stdout.write(`  ${problem}\n`);
  return problems.length > 0 ? 1 : 0;
}
