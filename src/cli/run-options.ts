import { Option, type Command } from 'commander';

/** Options of every command that works on hosts. */
export function addRunOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--output <FORM>', 'how to show the run')
        .choices(['auto', 'live', 'plain', 'json'])
        .default('auto'),
    )
    .option(
      '--known-hosts <FILE>',
      'host keys that are trusted (or environment variable RUNNER_KNOWN_HOSTS)',
    )
    .option('--become-password-file <FILE>', 'file whose first line is the sudo password')
    .option('-v, --verbose', 'show output of commands and retries')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}
