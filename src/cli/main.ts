import { CommanderError } from 'commander';
import { exitCodes } from '../core/states.ts';
import { LockedError, UsageError } from '../core/errors.ts';
import { packageVersion } from '../util/package.ts';
import { didYouMean } from '../util/text.ts';
import { OpenRunError, reportError, printMessage } from './fail.ts';
import type { World } from './world.ts';

interface CliCommand {
  summary: string;
  /** The command reads playbooks or runs tasks. */
  usesModules?: true;
  load(): Promise<(world: World, argv: string[]) => number | Promise<number>>;
}

/** The code of a command is loaded when it is called, so that the help stays fast. */
const commands: Record<string, CliCommand> = {
  play: {
    summary: 'run a playbook',
    usesModules: true,
    load: async () => (await import('./commands/play.ts')).playCommand,
  },
  plan: {
    summary: 'show the changes a playbook would make, and their undo',
    usesModules: true,
    load: async () => (await import('./commands/plan.ts')).planCommand,
  },
  rollback: {
    summary: 'roll back a run',
    usesModules: true,
    load: async () => (await import('./commands/rollback.ts')).rollbackCommand,
  },
  resume: {
    summary: 'resume an unfinished run',
    usesModules: true,
    load: async () => (await import('./commands/resume.ts')).resumeCommand,
  },
  runs: {
    summary: 'list runs',
    load: async () => (await import('./commands/runs.ts')).runsCommand,
  },
  show: {
    summary: 'show the steps and changes of a run',
    load: async () => (await import('./commands/show.ts')).showCommand,
  },
  validate: {
    summary: 'check playbooks without contacting a host',
    usesModules: true,
    load: async () => (await import('./commands/validate.ts')).validateCommand,
  },
  test: {
    summary: 'test a playbook and its rollback in the embedded lab',
    usesModules: true,
    load: async () => (await import('./commands/test.ts')).testCommand,
  },
  hosts: {
    summary: 'show the hosts, groups and variables of an inventory',
    load: async () => (await import('./commands/hosts.ts')).hostsCommand,
  },
  why: {
    summary: 'show where the value of a variable comes from',
    usesModules: true,
    load: async () => (await import('./commands/why.ts')).whyCommand,
  },
  exec: {
    summary: 'run a command on hosts, without recording it',
    load: async () => (await import('./commands/exec.ts')).execCommand,
  },
  trust: {
    summary: 'add the keys of new hosts to known_hosts',
    load: async () => (await import('./commands/trust.ts')).trustCommand,
  },
  doctor: {
    summary: 'diagnose the connection to a host',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  init: {
    summary: 'print an MKE 4 configuration, or convert one from MKE 3',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  doc: {
    summary: 'describe modules, keywords, helpers, roles and playbooks',
    usesModules: true,
    load: async () => (await import('./commands/doc.ts')).docCommand,
  },
  vault: {
    summary: 'encrypt, decrypt and edit files and values (ansible-vault format)',
    load: async () => (await import('./commands/vault.ts')).vaultCommand,
  },
  decrypt: {
    summary: 'decrypt a backup or another age file',
    load: async () => (await import('./commands/decrypt.ts')).decryptCommand,
  },
  version: { summary: 'print the version', load: () => Promise.resolve(printVersion) },
};

function printVersion(world: World): number {
  world.stdout.write(`runner ${packageVersion()}\n`);
  return exitCodes.done;
}

function printHelp(world: World): void {
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`,
  );
  world.stdout.write(
    `Usage: runner COMMAND …\n\n${lines.join('\n')}\n\nFor the options of a command, run: runner COMMAND --help\n`,
  );
}

async function dispatch(world: World, argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    printHelp(world);
    return name === undefined ? exitCodes.invalid : exitCodes.done;
  }
  if (name === '--version' || name === '-V') return printVersion(world);
  const command = commands[name];
  if (!command)
    throw new UsageError(`Unknown command "${name}".`, {
      hint: didYouMean(name, Object.keys(commands)) || 'See: runner --help.',
    });
  const [run, modules] = await Promise.all([
    command.load(),
    command.usesModules ? import('./builtin-modules.ts') : undefined,
  ]);
  if (modules) {
    world.builtin = modules.builtinModules;
    world.modules = modules.builtinModules;
  }
  return run(world, rest);
}

/**
 * Lost output is a failure, unless the reader closed the pipe. A recorded run keeps its exit code.
 */
async function settle(world: World, code: number): Promise<number> {
  await world.stderr.flushed();
  const lost = await world.stdout.flushed();
  if (!lost || lost.code === 'EPIPE' || world.isRunRecorded) return code;
  printMessage(world, `runner: Cannot write ${lost.output}: ${lost.reason}.`);
  return code === exitCodes.done ? exitCodes.invalid : code;
}

/**
 * Runs one command and reports its errors.
 * @param argv arguments after the name of the program
 * @returns the exit code
 */
export async function main(argv: readonly string[], world: World): Promise<number> {
  try {
    return await settle(world, await dispatch(world, argv));
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) printMessage(world, error.message);
      return error.exitCode === 0 ? exitCodes.done : exitCodes.invalid;
    }
    if (error instanceof OpenRunError || error instanceof LockedError) {
      printMessage(world, `runner: ${error.describe()}`);
      return exitCodes.locked;
    }
    return reportError(world, error);
  } finally {
    for (const cleanUp of world.cleanUps) cleanUp();
  }
}
