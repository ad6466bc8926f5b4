import type { Command } from 'commander';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import type { Playbook } from '../language/document.ts';
import {
  loadParsed,
  loadPlaybook,
  parsePlaybook,
  type CheckOptions,
  type ParsedPlaybook,
  type ParseOptions,
} from '../playbook/load.ts';
import { roleDirectories } from '../playbook/roles.ts';
import { localFiles } from '../util/local-files.ts';
import { packageRoot } from '../util/package.ts';
import { addUserModules, moduleFiles, readSources } from './user-modules.ts';
import type { World } from './world.ts';

/**
 * The path of a playbook, which is given by its path or the name of a shipped playbook. @throws
 * UsageError
 */
export function findPlaybook(name: string): string {
  const shipped = join(packageRoot(), 'playbooks');
  const candidates = [name, join(shipped, name), join(shipped, `${name}.yml`)];
  const path = candidates.find((one) => existsSync(one) && statSync(one).isFile());
  if (path !== undefined) return path;
  throw new UsageError(`There is no playbook "${name}".`, {
    hint: `Use a path, or the name of a playbook in ${shipped}. Put options after the playbook.`,
  });
}

/** Loads a playbook, with the modules in its directory and in its roles. @throws PlaybookError */
export async function openPlaybook(
  world: World,
  name: string,
  options: Pick<CheckOptions, 'become'> = {},
): Promise<Playbook> {
  const parsed = parsePlaybook(findPlaybook(name), parseOptions(world));
  const files = moduleFiles(...placesOf(parsed));
  await addUserModules(world, readSources(files));
  const playbook = loadParsed(parsed, checkOptions(world, options));
  return { ...playbook, files: [...playbook.files, ...files] };
}

/**
 * Loads the playbook of a command line before its options are parsed, because its inputs are
 * options. With "--help" and without a playbook, prints the help and returns undefined.
 * @throws UsageError if no playbook is given, or it does not exist
 */
export async function playbookOf(
  world: World,
  command: Command,
  argv: string[],
  options: Pick<CheckOptions, 'become'> = {},
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

/** Loads a playbook with the modules that are already loaded. */
export function readPlaybook(world: World, name: string): Playbook {
  return loadPlaybook(findPlaybook(name), { ...parseOptions(world), ...checkOptions(world) });
}

function parseOptions({ vault }: World): ParseOptions {
  return { files: localFiles, playbookPaths: [shipped('playbooks')], vault };
}

function checkOptions(
  { modules }: World,
  { become }: Pick<CheckOptions, 'become'> = {},
): CheckOptions {
  return { modules, rolePaths: [shipped('roles')], become };
}

function shipped(directory: string): string {
  return join(packageRoot(), directory);
}

/** Directories of a playbook and those it extends, and of their roles. */
function placesOf({ layers }: ParsedPlaybook): [directories: string[], rolePaths: string[]] {
  const { files } = layers;
  const directories = files.map((file) => dirname(file));
  return [directories, [...files.flatMap(roleDirectories), shipped('roles')]];
}
