import { Command, type OptionValues } from 'commander';

/** Some options of a command line that cannot be parsed as a whole yet, since the playbook it names brings more of them. */
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
