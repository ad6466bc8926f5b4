import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../util/package.ts';

/** The shell functions that every session shell gets first, without comments. */
export function readRuntime(): string {
  return readFileSync(join(packageRoot(), 'src', 'transport', 'runtime.sh'), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n');
}
