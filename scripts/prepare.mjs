// Installs missing packages and builds, so that one command works in a fresh clone.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../', import.meta.url).pathname;

function newest(directory) {
  let time = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}

export function sh(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  return status ?? 1;
}

export function prepare({ quiet = false } = {}) {
  const stdio = quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit';
  const stamp = join(root, 'node_modules', '.package-lock.json');
  const stale =
    !existsSync(stamp) ||
    statSync(stamp).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs - 60_000;
  if (stale && sh('npm', ['ci', '--no-audit', '--no-fund'], { stdio }) !== 0) process.exit(1);
  const bundle = join(root, 'dist', 'runner.js');
  const built = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  if (built < newest(join(root, 'src')) && sh('npm', ['run', '--silent', 'build'], { stdio }) !== 0)
    process.exit(1);
}
