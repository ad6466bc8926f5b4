import type { Playbook } from '../../language/document.ts';
import { newCommand } from '../command.ts';
import { addBecomeOptions, becomeOf } from '../flags/become.ts';
import { earlyOptions } from '../flags/early.ts';
import { inputOptions, refuseRemoved, removedOptions } from '../flags/inputs.ts';
import { addPlayOptions, type PlayOptions } from '../flags/play.ts';
import { startDebug } from '../flags/run.ts';
import { openVault } from '../flags/vault.ts';
import { playbookOf } from '../playbooks.ts';
import type { World } from '../world.ts';

/** A parsed command line of `play` or `plan`. The options include the inputs of the playbook. */
export interface RunRequest {
  playbook: Playbook;
  options: PlayOptions & Record<string, unknown>;
  mode: 'play' | 'plan';
  /** Check mode. */
  check: boolean;
}

/**
 * Parses a command line. With "--help" and without a playbook, prints the help and returns
 * undefined.
 */
export async function readRequest(
  world: World,
  mode: 'play' | 'plan',
  argv: string[],
): Promise<RunRequest | undefined> {
  const command = newCommand(world, `runner ${mode}`)
    .argument('<playbook>', 'playbook file, or name of a shipped playbook')
    .description(
      mode === 'plan'
        ? 'Show the changes that a playbook would make on each host, and how they would be undone.'
        : 'Run a playbook.',
    );
  addPlayOptions(command, mode);
  await openVault(world, argv, {
    lenient: ['--list-tasks', '--list-tags', '--help'].some((flag) => argv.includes(flag)),
  });
  const become = becomeOf(earlyOptions(argv, addBecomeOptions));
  const playbook = await playbookOf(world, command, argv, { become });
  if (!playbook) return undefined;
  for (const option of inputOptions(playbook.inputs)) {
    command.addOption(option.helpGroup(`Inputs of ${playbook.name}:`));
  }
  for (const option of removedOptions(playbook.removed)) command.addOption(option);
  command.parse(argv, { from: 'user' });
  const options = command.opts<PlayOptions & Record<string, unknown>>();
  refuseRemoved(playbook.removed, Object.keys(options));
  startDebug(world, options);
  return { playbook, options, mode, check: mode === 'plan' || options.check === true };
}
