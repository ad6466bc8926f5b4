// `npm test`: installs and builds what it needs, runs all tests, and closes with one line of counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, sh } from './prepare.mjs';

prepare();
const folder = mkdtempSync(join(tmpdir(), 'runner-test-'));
const report = join(folder, 'report.json');
const projects = ['unit', 'e2e'];
const probe = spawnSync(
  process.execPath,
  [new URL('../dist/real-lab.js', import.meta.url).pathname, '--obstacle'],
  { encoding: 'utf8' },
);
if (probe.status === 0) projects.push('real');
else
  console.log(`Left out: the tests on real hosts, since ${probe.stdout.trim() || probe.stderr}.`);
const args = [
  'vitest',
  'run',
  ...projects.map((project) => `--project=${project}`),
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
];
let status = sh('npx', [...args, ...process.argv.slice(2)]);
try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
  console.log(`${numPassedTests} passed, ${numFailedTests} failed${skipped}`);
  if (numPassedTests === 0) status ||= 1;
} catch {
  console.log('0 passed, 1 failed');
  status ||= 1;
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = status;
