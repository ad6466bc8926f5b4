import { Command, type OptionValues } from 'commander';

/**
 * Parses only some options. The others are known after the playbook is loaded, whose inputs are
 * options, too.
 */
export function earlyOptions(
  argv: readonly string[],
  add: (command: Command) => Command,
): OptionValues {
  const command = add(new Command().allowUnknownOption().allowExcessArguments().helpOption(false));
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  const end = argv.indexOf('--');
  command.parse(end === -1 ? argv : argv.slice(0, end), { from: 'user' });
  return command.opts();
}
