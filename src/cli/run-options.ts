import { Option, type Command } from 'commander';
import { UsageError } from '../core/errors.ts';
import { addConnectOptions } from './connect.ts';
import { addVaultOptions } from './vault-keys.ts';

export interface RunFlags {
  takeOver?: string[];
  onInterrupt?: 'leave' | 'rollback' | 'continue';
  rollbackBudget?: string;
}

/** @throws UsageError when it is no number of seconds */
export function budgetOf({ rollbackBudget }: RunFlags): number | undefined {
  if (rollbackBudget === undefined) return undefined;
  const seconds = Number(rollbackBudget);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds;
  throw new UsageError(`--rollback-budget must be a number of seconds, not "${rollbackBudget}".`);
}

/** Options of every command that works on hosts. */
export function addRunOptions(command: Command): Command {
  const withOutput = command
    .addOption(
      new Option('--output <FORM>', 'how to show the run')
        .choices(['auto', 'live', 'plain', 'json'])
        .default('auto'),
    )
    .option(
      '--take-over <RUN>',
      'replace the host locks of this run, whose controller is lost; may be repeated',
      (value: string, known: string[] | undefined) => [...(known ?? []), value],
    )
    .addOption(
      new Option('--on-interrupt <WHAT>', 'what to do after Ctrl-C, instead of asking').choices([
        'leave',
        'rollback',
        'continue',
      ]),
    )
    .option('--rollback-budget <SECONDS>', 'how long a rollback waits for hosts that are away')
    .option('-v, --verbose', 'show output of commands and retries')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return addVaultOptions(addConnectOptions(withOutput));
}
