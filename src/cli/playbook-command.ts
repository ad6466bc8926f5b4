import type { Command } from 'commander';
import { UsageError } from '../core/errors.ts';
import type { Playbook } from '../language/document.ts';
import type { LoadOptions } from '../playbook/load.ts';
import { openPlaybook } from './playbooks.ts';
import type { World } from './world.ts';

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
