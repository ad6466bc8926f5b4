// `npm run lab:real [-- COMMAND…]`: starts an MKE 3 cluster on real hosts (Linux, root) and runs a command or the shipped upgrade on it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';

prepare({ quiet: true });
const root = new URL('../', import.meta.url).pathname;
const { status } = spawnSync(
  process.execPath,
  [join(root, 'dist', 'real-lab.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;
