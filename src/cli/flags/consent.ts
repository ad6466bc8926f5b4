import type { Command } from 'commander';
import { collect } from './words.ts';

export interface ConsentFlags {
  acceptIrreversible?: string[];
}

/** Adds the option that accepts points of no return without a prompt. */
export function addConsentOption(command: Command): Command {
  return command.option(
    '--accept-irreversible <NAME>',
    'allow the run to pass this point of no return; may be repeated',
    collect,
  );
}
