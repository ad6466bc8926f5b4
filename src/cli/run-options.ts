import { Option, type Command } from 'commander';
import { addConnectOptions } from './connect.ts';

/** Options of every command that works on hosts. */
export function addRunOptions(command: Command): Command {
  const withOutput = command
    .addOption(
      new Option('--output <FORM>', 'how to show the run')
        .choices(['auto', 'live', 'plain', 'json'])
        .default('auto'),
    )
    .option('-v, --verbose', 'show output of commands and retries')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return addConnectOptions(withOutput);
}
