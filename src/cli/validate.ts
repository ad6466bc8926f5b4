import { Command } from 'commander';
import { exitCodes } from '../core/events.ts';
import { PlaybookError, UsageError, type Problem } from '../core/errors.ts';
import type { Playbook } from '../core/playbook.ts';
import { loadInventory } from '../inventory/load.ts';
import { checkPlaybook } from '../playbook/check.ts';
import { openPlaybook } from './playbooks.ts';
import { addVaultOptions, openVault } from './vault-keys.ts';
import type { World } from './world.ts';

/** `runner validate PATH…`: everything that can be known without a host. */
export async function validateCommand(world: World, argv: string[]): Promise<number> {
  const command = new Command('runner validate')
    .description('Check playbooks and their roles without contacting a host.')
    .argument('<playbook...>', 'files, or names of shipped playbooks')
    .option('-i, --inventory <FILE>', 'hosts file whose variables are known')
    .option('--require-undo', 'every changing task must say how it is undone')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addVaultOptions(command).parse(argv, { from: 'user' });
  await openVault(world, argv);
  const { inventory: source, requireUndo } = command.opts<{
    inventory?: string;
    requireUndo?: boolean;
  }>();
  if (command.args.length === 0) throw new UsageError('"runner validate" needs a playbook.');
  const variablesOf = ({ folders }: Playbook): string[] => {
    if (source === undefined) return [];
    const { hosts } = loadInventory(source, { vault: world.vault, varsFolders: folders });
    return [...hosts.values()].flatMap(({ vars }) => Object.keys(vars));
  };
  const problems: Problem[] = [];
  for (const name of command.args) {
    try {
      const playbook = openPlaybook(world, name);
      const outside = variablesOf(playbook);
      const strict = requireUndo === true;
      problems.push(...checkPlaybook(playbook, world.modules, { outside, requireUndo: strict }));
    } catch (error) {
      if (!(error instanceof PlaybookError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new PlaybookError(problems);
  world.stdout.write(`${command.args.join(', ')}: no problems found.\n`);
  return exitCodes.done;
}
