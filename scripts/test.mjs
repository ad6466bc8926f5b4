// `npm test` and `npm run test:all`: installs missing packages, builds, runs the tests, and ends with one line of counts.
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, sh } from './prepare.mjs';

const usage = `Usage: npm test [-- [PATTERN…] [-t TITLE] [--seed N]]
       npm run test:all [-- …]

  PATTERN     only files whose path contains it
  -t TITLE    only tests whose full title matches this regular expression
  --seed N    repeat the choices and random inputs of an earlier run
`;

/** Projects of vitest.config.ts: tests that need only Node.js and Linux, and all others. */
const projects = { main: ['main'], all: ['main', 'openssh', 'long'] };

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        all: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        title: { type: 'string', short: 't' },
        seed: { type: 'string' },
        watch: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(1);
  }
}

const { values, positionals } = readArguments();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed)) {
  process.stderr.write(`--seed takes a whole number below 1000000000, not "${values.seed}".\n`);
  process.exit(1);
}

/** Bytes that must be free for temporary files in memory. The tests use up to 30 MB. */
const SCRATCH_BYTES = 1024 ** 3;

/**
 * The directory for temporary files: in memory if the machine has plenty, because each run syncs thousands of small files. TMPDIR
 * chooses another one. `test:all` uses the disk.
 */
function scratchParent() {
  if (values.all || process.env.TMPDIR) return tmpdir();
  const memory = '/dev/shm';
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    // The last mount hides the others. Hosts of the lab run programs from there.
    const [, , type, options = ''] =
      mounts.findLast((line) => line.split(' ')[1] === memory)?.split(' ') ?? [];
    const { bavail, bsize } = statfsSync(memory);
    const free = Math.min(bavail * bsize, freemem());
    if (type === 'tmpfs' && !options.split(',').includes('noexec') && free >= SCRATCH_BYTES)
      return memory;
  } catch {
    // Not on this machine.
  }
  return tmpdir();
}

prepare();
const began = Date.now();
const seed = values.seed ?? String(randomInt(1_000_000_000));
// All temporary files are below one directory, so that files of failed tests and killed workers are removed, too.
const scratch = mkdtempSync(join(scratchParent(), 'runner-suite-'));
// Ctrl-C ends the test runner, too. This process then still removes the files.
process.on('SIGINT', () => {});
const countsFile = join(scratch, 'counts.json');
const wanted = values.all ? projects.all : projects.main;
console.log(`Seed ${seed}: repeat this run with --seed ${seed}.`);
const status = sh(
  'npx',
  [
    'vitest',
    values.watch ? 'watch' : 'run',
    ...wanted.map((project) => `--project=${project}`),
    '--reporter=default',
    '--reporter=./test/helpers/reporter.ts',
    // A pattern can match a file of another project.
    ...(positionals.length > 0 ? ['--passWithNoTests'] : []),
    ...(values.title === undefined ? [] : ['-t', values.title]),
    ...positionals,
  ],
  {
    env: {
      ...process.env,
      TMPDIR: scratch,
      TEST_SEED: seed,
      TEST_COUNTS: countsFile,
      ...(values.title === undefined ? {} : { TEST_TITLE: values.title }),
    },
  },
);
let counts = { passed: 0, failed: 1, skipped: 0 };
try {
  counts = JSON.parse(readFileSync(countsFile, 'utf8'));
} catch {
  console.error('The test runner ended before it could count its tests.');
}
rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
const { passed, failed, skipped } = counts;
if (passed + failed + skipped === 0 && !values.all)
  console.log(
    'No test matches. For tests that need root or more packages, run: npm run test:all -- PATTERN',
  );
const seconds = Math.round((Date.now() - began) / 1000);
console.log(`Seed ${seed}, ${seconds} s on ${availableParallelism()} cores`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = status || (failed > 0 || passed === 0 ? 1 : 0);
