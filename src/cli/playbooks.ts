import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Playbook } from '../core/playbook.ts';
import { loadPlaybook, type LoadOptions } from '../playbook/load.ts';
import { packageRoot } from '../util/package.ts';
import type { World } from './world.ts';

/** A path, or the name of a shipped playbook. @throws UsageError when it is neither */
export function findPlaybook(name: string): string {
  const shipped = join(packageRoot(), 'playbooks');
  const candidates = [name, join(shipped, name), join(shipped, `${name}.yml`)];
  const path = candidates.find((one) => existsSync(one) && statSync(one).isFile());
  if (path !== undefined) return path;
  throw new UsageError(`There is no playbook "${name}".`, {
    hint: `Looked here and among the shipped ones in ${shipped}. Flags of a playbook come after its name.`,
  });
}

export function openPlaybook(
  world: World,
  name: string,
  { become }: Pick<LoadOptions, 'become'> = {},
): Playbook {
  return loadPlaybook(findPlaybook(name), {
    modules: world.modules,
    rolePaths: [join(packageRoot(), 'roles')],
    playbookPaths: [join(packageRoot(), 'playbooks')],
    vault: world.vault,
    become,
  });
}
