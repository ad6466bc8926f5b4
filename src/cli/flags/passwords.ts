import { readFileSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import { expandHome } from '../../util/paths.ts';
import { askSecret, canAsk } from '../operator.ts';
import type { World } from '../world.ts';

/** A password from a file, or from the operator where the command line says so. The screen never shows it. */
export async function passwordFrom(
  world: World,
  { file, flag, ask }: { file: string | undefined; flag: string; ask: string | undefined },
): Promise<string | undefined> {
  let value = file === undefined ? undefined : firstLine(file, flag);
  if (value === undefined && ask !== undefined) {
    if (!canAsk(world))
      throw new UsageError(`There is no terminal to ask for a password.`, { hint: `Use ${flag}.` });
    value = await askSecret(world, ask);
    if (value === undefined) throw new UsageError('No password was given.');
  }
  if (value !== undefined) world.redactor.hide(flag, value);
  return value;
}

/** @throws UsageError when it cannot be read or is empty */
export function firstLine(file: string, flag: string): string {
  let line: string | undefined;
  try {
    line = readFileSync(expandHome(file), 'utf8').split(/\r?\n/)[0];
  } catch (error) {
    throw new UsageError(`${flag}: cannot read "${file}".`, { cause: error });
  }
  if (line === undefined || line === '')
    throw new UsageError(`${flag}: the first line of "${file}" is empty.`);
  return line;
}
