import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import { packages } from '../helpers/programs.ts';

it('CI installs the package of every program that a test needs', () => {
  const script = readFileSync(join(packageRoot(), '.ci', 'run'), 'utf8');
  const list = /for pair in ([^;]+);/.exec(script)?.[1] ?? '';
  const installed = Object.fromEntries(
    list
      .split(/[\s\\]+/)
      .filter((pair) => pair !== '')
      .map((pair) => pair.split(':') as [string, string]),
  );
  expect(installed).toEqual(packages);
});
