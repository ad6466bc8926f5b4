// `npm run test:mutants [-- NAME…]`: breaks the product in one place at a time, in a copy, and expects `npm test` to fail.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { prepare } from './prepare.mjs';

/** The mutations, each with the test files that should fail. These run first; if they pass, all others run, too. */
const mutants = [
  {
    name: 'undo order',
    file: 'src/journal/recorded-run.ts',
    find: '.sort((a, b) => b.intent.unit - a.intent.unit)',
    replace: '.sort((a, b) => a.intent.unit - b.intent.unit)',
    tests: ['test/lab/rollback', 'test/lab/language'],
  },
  {
    name: 'quoting',
    file: 'src/util/shell.ts',
    find: ".replaceAll(\"'\", String.raw`'\\''`)",
    replace: ".replaceAll(\"'\", '')",
    tests: ['test/util', 'test/transport/session'],
  },
  {
    name: 'mask',
    file: 'src/util/redact.ts',
    find: 'masked = masked.replaceAll(form, MASK);',
    replace: 'masked = masked.replace(form, MASK);',
    tests: ['test/util', 'test/lab/vault', 'test/lab/language'],
  },
  {
    name: 'lock',
    file: 'src/engine/locks.ts',
    find: 'if (lock) {',
    replace: 'if (lock && lock.silentSeconds > lock.leaseSeconds) {',
    tests: ['test/lab/rollback'],
  },
  {
    name: 'merge of variables',
    file: 'src/engine/variables.ts',
    find: "{ name: 'play', values: play.vars },\n      { name: 'input defaults', values: this.#settings.inputDefaults },\n      { name: 'inventory', values: host.vars },",
    replace:
      "{ name: 'inventory', values: host.vars },\n      { name: 'play', values: play.vars },\n      { name: 'input defaults', values: this.#settings.inputDefaults },",
    tests: ['test/behaviour'],
  },
  {
    name: 'frame length',
    file: 'src/transport/frames.ts',
    find: 'const longest = Math.min(this.#marker.length - 1, this.#buffer.length);',
    replace: 'const longest = Math.min(this.#marker.length - 2, this.#buffer.length);',
    tests: ['test/transport/frames'],
  },
  {
    name: 'exit code',
    file: 'src/core/states.ts',
    find: 'left_in_place: 5,',
    replace: 'left_in_place: 4,',
    tests: ['test/lab/language'],
  },
  {
    name: 'retry count',
    file: 'src/engine/tries.ts',
    find: 'attempt <= tries.retries',
    replace: 'attempt < tries.retries',
    tests: ['test/engine/tries', 'test/behaviour'],
  },
  {
    name: 'captured mode',
    file: 'src/transport/runtime.sh',
    find: 'cp -a "$2" "$rn_copy.new" || return 1',
    replace: 'cp -r "$2" "$rn_copy.new" || return 1',
    tests: ['test/lab/language', 'test/lab/modules'],
  },
  {
    name: 'conversion row',
    file: 'src/mke/convert/kubelet-fields.ts',
    find: "'pod-max-pids': ['podPidsLimit', 'int'],",
    replace: "'pod-max-pids': ['podPidLimit', 'int'],",
    tests: ['test/mke'],
  },
];

const root = new URL('../', import.meta.url).pathname;
const wanted = process.argv.slice(2);
const chosen = wanted.length === 0 ? mutants : mutants.filter(({ name }) => wanted.includes(name));
if (chosen.length < Math.max(1, wanted.length)) {
  process.stderr.write(`There are: ${mutants.map(({ name }) => name).join(', ')}.\n`);
  process.exit(1);
}

prepare({ quiet: true });
const copy = join(mkdtempSync(join(tmpdir(), 'runner-mutants-')), 'runner');
process.on('exit', () => {
  rmSync(join(copy, '..'), { recursive: true, force: true, maxRetries: 10 });
});
cpSync(root, copy, {
  recursive: true,
  filter: (path) => !/\/(node_modules|dist|\.git|\.demo)(\/|$)/.test(path.slice(root.length - 1)),
});
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

function run(command, args) {
  const options = { cwd: copy, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  return { ok: status === 0, text: stdout + stderr };
}

function tests(...patterns) {
  const vitest = ['vitest', 'run', '--project=main', '--bail=1', '--reporter=default'];
  return run('npx', [...vitest, ...patterns]);
}

/** The title of the first test that failed, undefined if none did. */
function firstFailure({ ok, text }) {
  if (ok) return undefined;
  return /FAIL +(.+)/.exec(stripVTControlCharacters(text))?.[1] ?? 'the suite ended';
}

let survived = 0;
for (const { name, file, find, replace, tests: first } of chosen) {
  const path = join(copy, file);
  const before = readFileSync(path, 'utf8');
  if (before.split(find).length !== 2) {
    console.log(`${name}: "${find}" does not occur once in ${file}; correct this script.`);
    survived++;
    continue;
  }
  writeFileSync(
    path,
    before.replace(find, () => replace),
  );
  const built = run('npm', ['run', '--silent', 'build']);
  const noticed = built.ok ? (firstFailure(tests(...first)) ?? firstFailure(tests())) : 'the build';
  writeFileSync(path, before);
  if (noticed === undefined) survived++;
  console.log(
    `${name} (${file}): ${noticed === undefined ? 'NOT detected' : `detected by ${noticed}`}`,
  );
}
console.log(`${chosen.length - survived} passed, ${survived} failed`);
process.exitCode = survived === 0 ? 0 : 1;
