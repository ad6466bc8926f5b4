import { readFileSync } from 'node:fs';
import { UsageError } from '../../core/errors.ts';
import { expandHome } from '../../util/paths.ts';
import { askSecret, canAsk } from '../operator.ts';
import type { World } from '../world.ts';

/** Reads a password from a file or, if requested, from a prompt. Output masks the password. */
export async function passwordFrom(
  world: World,
  { file, flag, ask }: { file: string | undefined; flag: string; ask: string | undefined },
): Promise<string | undefined> {
  let value = file === undefined ? undefined : firstLine(file, flag);
  if (value === undefined && ask !== undefined) {
    if (!canAsk(world))
      throw new UsageError('Cannot prompt for a password without a terminal.', {
        hint: `Use ${flag}.`,
      });
    value = await askSecret(world, ask);
    if (value === undefined) throw new UsageError('No password was given.');
  }
  if (value !== undefined) world.redactor.hide(flag, value);
  return value;
}

/** @throws UsageError if the file cannot be read or its first line is empty */
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
