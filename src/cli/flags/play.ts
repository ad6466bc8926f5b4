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
    .option('-i, --inventory <FILE>', 'hosts file, or a list such as "a,b,"', once)
    .option('-C, --check', 'change nothing; tell what would change')
    .option('-D, --diff', 'show changes of files')
    .option('-l, --limit <PATTERN>', 'only these hosts')
    .option('-t, --tags <TAGS>', 'only tasks with one of these tags')
    .option('--skip-tags <TAGS>', 'no task with one of these tags')
    .option('-f, --forks <N>', 'hosts worked on at a time', '50')
    .addOption(
      new Option('--on-failure <WHAT>', 'what to do when a step fails').choices([
        'auto',
        'ask',
        'stop',
      ]),
    )
    .option('--require-undo', 'refuse unless every changing task says how it is undone');
  addConsentOption(command)
    .option(
      '-e, --extra-vars <NAME=VALUE>',
      'variable; NAME:=JSON for other than text, {JSON} or @FILE for several; may be repeated',
      collect,
    )
    .option('--list-tasks', 'list the plays, steps and handlers with their ids; contacts no host')
    .option('--list-tags', 'list the tags of each play; contacts no host')
    .option('--list-hosts', 'list the hosts of each play; contacts no host')
    .option('--flush-cache', 'forget the facts that earlier runs gathered')
    .option('--from <STEP>', 'begin at this step: an id or a name; those before are not done')
    .option('--step', 'ask before each step whether it is done; needs a terminal')
    .option('--detailed-exit-code', 'with --check: exit 10 when something would change')
    .option(
      '--fail-at <STEP>',
      'make this step fail after its work, to try the rollback out: an id, a name, or "last"',
    )
    .showSuggestionAfterError(true);
  if (mode === 'plan')
    command.option(
      '--undo',
      'show in which order the changes would be undone; with --fail-at, after that step',
    );
  return addRunOptions(addBecomeOptions(command));
}
