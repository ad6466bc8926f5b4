// Lists the flags, admission plugins and feature gates of the Kubernetes programs in a directory, in the format of
// src/mke/kubernetes-flags: node scripts/kubernetes-flags.mjs DIRECTORY > 1.33.json
// k0s keeps its programs in /var/lib/k0s/bin. A missing program is skipped (k0s runs kube-proxy from an image).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const programs = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
];

/** @param {string} help */
function readHelp(help) {
  const names = (/** @type {RegExp} */ pattern) =>
    [...new Set([...help.matchAll(pattern)].map((one) => one[1] ?? ''))].sort();
  const plugins = /Comma-delimited list of admission plugins: ([^.]*)\./.exec(help)?.[1];
  return {
    flags: names(/^ {2,}(?:-\w, )?--([a-z0-9][a-zA-Z0-9.-]*)/gm),
    plugins: plugins?.split(', ').sort() ?? [],
    gates: names(/^ +(?:kube:|--feature-gates.*:|.*Options are:)?(\w+)=true\|false \(/gm),
  };
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('Usage: node scripts/kubernetes-flags.mjs DIRECTORY\n');
  process.exit(2);
}
/** @type {Record<string, string[]>} */
const table = {};
const gates = new Set();
for (const program of programs) {
  const file = join(resolve(directory), program);
  if (!existsSync(file)) {
    process.stderr.write(`${file} does not exist and is skipped.\n`);
    continue;
  }
  const { stdout, status, error } = spawnSync(file, ['--help'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`"${file} --help" failed.`, { cause: error });
  const { flags, plugins, gates: some } = readHelp(stdout);
  table[program] = flags;
  if (plugins.length > 0) table['admission-plugins'] = plugins;
  for (const gate of some) gates.add(gate);
}
table['feature-gates'] = [...gates].sort();
process.stdout.write(`${JSON.stringify(table, undefined, 2)}\n`);
