import { Option, type Command } from 'commander';
import type { OnFailure } from '../../language/document.ts';
import { addBecomeOptions, type BecomeFlags } from './become.ts';
import type { ConnectFlags } from './connect.ts';
import { addConsentOption, type ConsentFlags } from './consent.ts';
import { addRunOptions, type RunFlags } from './run.ts';
import type { VaultFlags } from './vault.ts';
import { collect, once } from './words.ts';

export interface PlayOptions extends BecomeFlags, ConnectFlags, ConsentFlags, RunFlags, VaultFlags {
  inventory?: string;
  check?: boolean;
  diff?: boolean;
  limit?: string;
  tags?: string;
  skipTags?: string;
  forks: string;
  onFailure?: OnFailure;
  requireUndo?: boolean;
  extraVars?: string[];
  output: string;
  failAt?: string;
  step?: boolean;
  listTasks?: boolean;
  listTags?: boolean;
  flushCache?: boolean;
  from?: string;
  listHosts?: boolean;
  undo?: boolean;
  detailedExitCode?: boolean;
  verbose?: boolean;
}

/** Options of `play` and `plan`, in the order of their help. */
export function addPlayOptions(command: Command, mode: 'play' | 'plan'): Command {
  command
    .option(
      '-i, --inventory <FILE>',
      'inventory file or directory, or a list of hosts such as "a,b,"',
      once,
    )
    .addOption(
      new Option('-C, --check', 'check mode: show what would change, without changing it').hideHelp(
        mode === 'plan',
      ),
    )
    .option('-D, --diff', 'show the differences of changed files')
    .option('-l, --limit <PATTERN>', 'run only on these hosts; @FILE reads them from a file')
    .option('-t, --tags <TAGS>', 'run only tasks with one of these tags')
    .option('--skip-tags <TAGS>', 'skip tasks with one of these tags')
    .option('-f, --forks <N>', 'number of hosts to work on in parallel', '50')
    .addOption(
      new Option(
        '--on-failure <WHAT>',
        'when a step fails: roll back ("auto"), prompt ("ask"), or leave the changes ("stop")',
      ).choices(['auto', 'ask', 'stop']),
    )
    .option('--require-undo', 'require an undo for every changing task');
  addConsentOption(command)
    .option(
      '-e, --extra-vars <NAME=VALUE>',
      'set a variable; NAME:=JSON for a value that is not text, {JSON} or @FILE for several variables; may be repeated',
      collect,
    )
    .option('--list-tasks', 'list the IDs of plays, steps and handlers, and exit')
    .option('--list-tags', 'list the tags of each play, and exit')
    .option('--list-hosts', 'list the hosts of each play, and exit')
    .option('--flush-cache', 'delete the facts that earlier runs cached')
    .option('--from <STEP>', 'start at this step (ID or name) and skip the steps before it')
    .option('--step', 'prompt before each step; requires a terminal')
    .option(
      '--detailed-exit-code',
      `${mode === 'plan' ? '' : 'with --check: '}exit with 10 if something would change`,
    )
    .option(
      '--fail-at <STEP>',
      'rehearse a rollback: make this step (ID, name or "last") fail after it has run',
    )
    .showSuggestionAfterError(true);
  if (mode === 'plan')
    command.option(
      '--undo',
      'show in which order a rollback would undo the changes; with --fail-at, after that step',
    );
  return addRunOptions(addBecomeOptions(command));
}
