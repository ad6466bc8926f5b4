import type { Command } from 'commander';
import { collect } from './words.ts';

export interface ConsentFlags {
  acceptIrreversible?: string[];
}

/** What agrees to points of no return where there is nobody to ask. */
export function addConsentOption(command: Command): Command {
  return command.option(
    '--accept-irreversible <NAME>',
    'agree to a point of no return; may be repeated',
    collect,
  );
}
