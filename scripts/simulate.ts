import { parseArgs } from 'node:util';
import { simulate } from '../src/sim/simulate.ts';

/** Simulates cases, prints those that break a rule, and how to replay each: npm run simulate -- --seed S --runs N */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
});
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
