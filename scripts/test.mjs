// `npm test`: installs and builds what it needs, runs all tests, and closes with one line of counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, sh } from './prepare.mjs';

prepare();
const folder = mkdtempSync(join(tmpdir(), 'runner-test-'));
const report = join(folder, 'report.json');
const args = [
  'vitest',
  'run',
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
