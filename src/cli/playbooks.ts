import type { Command } from 'commander';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Playbook } from '../language/document.ts';
import { loadPlaybook, type LoadOptions } from '../playbook/load.ts';
import { readLayers } from '../playbook/overlay.ts';
import { roleFolders } from '../playbook/roles.ts';
import { localFiles } from '../util/local-files.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { packageRoot } from '../util/package.ts';
import { addUserModules, moduleFiles, readSources } from './user-modules.ts';
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

/** A playbook with the modules that lie beside it and in its roles. @throws PlaybookError */
export async function openPlaybook(
  world: World,
  name: string,
  options: Pick<LoadOptions, 'become'> = {},
): Promise<Playbook> {
  const path = findPlaybook(name);
  const files = moduleFiles(...placesOf(path));
  await addUserModules(world, readSources(files));
  const playbook = readPlaybook(world, path, options);
  return { ...playbook, files: [...playbook.files, ...files] };
}

/**
 * The playbook that a command line names: it must be known before its inputs can be flags. Undefined when there is none
 * because help was asked for, which is then shown.
 * @throws UsageError when there is none, or it cannot be found
 */
export async function playbookOf(
  world: World,
  command: Command,
  argv: string[],
  options: Pick<LoadOptions, 'become'> = {},
): Promise<Playbook | undefined> {
  const takesValue = (flag: string | undefined): boolean =>
    flag !== undefined &&
    command.options.some(({ short, long, required }) => required && [short, long].includes(flag));
  const name = argv.find((word, index) => !word.startsWith('-') && !takesValue(argv[index - 1]));
  if (name !== undefined) return openPlaybook(world, name, options);
  if (!argv.includes('--help') && !argv.includes('-h')) {
    throw new UsageError(`"${command.name()}" needs the name of a playbook.`, {
      hint: `For example: ${command.name()} upgrade.yml.`,
    });
  }
  command.outputHelp();
  return undefined;
}

/** A playbook without modules of its own. */
export function readPlaybook(
  world: World,
  name: string,
  { become }: Pick<LoadOptions, 'become'> = {},
): Playbook {
  return loadPlaybook(findPlaybook(name), {
    modules: world.modules,
    files: localFiles,
    rolePaths: [shipped('roles')],
    playbookPaths: [shipped('playbooks')],
    vault: world.vault,
    become,
  });
}

function shipped(folder: string): string {
  return join(packageRoot(), folder);
}

/** Folders of a playbook and those it extends, and where their roles are. What is wrong with them shows when they are loaded. */
function placesOf(path: string): [folders: string[], rolePaths: string[]] {
  const reading = { files: localFiles, problems: [], map: new SourceMap() };
  const { files } = readLayers(path, [shipped('playbooks')], reading);
  const folders = files.map((file) => dirname(file));
  return [folders, [...files.flatMap(roleFolders), shipped('roles')]];
}
