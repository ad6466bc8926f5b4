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

/** What a command line of `play` or `plan` asks for. The inputs of the playbook are among the options. */
export interface RunRequest {
  playbook: Playbook;
  options: PlayOptions & Record<string, unknown>;
  mode: 'play' | 'plan';
  /** Nothing is changed. */
  check: boolean;
}

/** Undefined when help was asked for without a playbook, which is then shown. */
export async function readRequest(
  world: World,
  mode: 'play' | 'plan',
  argv: string[],
): Promise<RunRequest | undefined> {
  const command = newCommand(world, `runner ${mode}`)
    .argument('<playbook>', 'file, or name of a shipped playbook')
    .description(
      mode === 'plan'
        ? 'Show what a playbook would change where, and how it would be rolled back.'
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
