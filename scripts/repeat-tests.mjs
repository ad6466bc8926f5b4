// `npm run test:repeat -- RUNS [--busy N] [--all] [-- ARGUMENTS]`: runs the suite several times and keeps the count.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';

const root = new URL('../', import.meta.url).pathname;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    busy: { type: 'string', default: '0' },
    log: { type: 'string', default: 'test-runs.log' },
  },
});
const [count = '', ...more] = positionals;
const busy = Number(values.busy);
if (!/^[1-9]\d*$/.test(count) || !Number.isInteger(busy) || busy < 0) {
  process.stderr.write(
    'Usage: npm run test:repeat -- RUNS [--busy LOOPS] [--all] [--log FILE] [-- ARGUMENTS OF npm test]\n',
  );
  process.exit(1);
}

prepare({ quiet: true });
/** CPU load, like other builds on the machine: busy loops that end with this process, even if it is killed. */
const loops = Array.from({ length: busy }, () =>
  spawn(process.execPath, ['-e', 'for (const parent = process.ppid; process.ppid === parent; );'], {
    stdio: 'ignore',
  }),
);
process.on('exit', () => {
  for (const loop of loops) loop.kill('SIGKILL');
});
const total = { runs: 0, passed: 0, failed: 0, bad: 0 };
for (let run = 1; run <= Number(count); run++) {
  const began = Date.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'test.mjs'), ...(values.all ? ['--all'] : []), ...more],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 256 * 1024 * 1024 },
  );
  const [, passed, failed, skipped] =
    /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(stdout) ?? [];
  const seed = /^Seed (\d+)/m.exec(stdout)?.[1] ?? '?';
  total.runs++;
  total.passed += Number(passed ?? 0);
  total.failed += Number(failed ?? 1);
  if (status !== 0) total.bad++;
  const seconds = Math.round((Date.now() - began) / 1000);
  const line = `${new Date().toISOString()} run ${run}/${count}, seed ${seed}, ${busy} busy loops, ${seconds} s: ${passed ?? '?'} passed, ${failed ?? '?'} failed, ${skipped ?? '?'} skipped`;
  console.log(line);
  appendFileSync(values.log, `${line}\n`);
  if (status !== 0) {
    const failures = stderr.split('\n').filter((text) => /FAIL|Error:|❯ test\//.test(text));
    console.log(failures.join('\n'));
    appendFileSync(values.log, `${stdout}\n${stderr}\n`);
  }
}
console.log(`${total.runs} runs, ${total.bad} with failures.`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.bad === 0 ? 0 : 1;
