import type { Command } from 'commander';
import { UsageError } from '../../core/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RunSettings } from '../../engine/settings.ts';
import type { Move } from '../../journal/lifecycle.ts';
import { DiskFile } from '../../journal/disk-file.ts';
import { Log } from '../../journal/log.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { refusalOf, type Ending } from '../../output/sentences.ts';
import { newCommand } from '../command.ts';
import { becomePassword } from '../flags/become.ts';
import type { ConnectFlags } from '../flags/connect.ts';
import { addRunOptions, budgetOf, outputForm, startDebug, type RunFlags } from '../flags/run.ts';
import type { VaultFlags } from '../flags/vault.ts';
import { reportUnseenRuns } from '../lost-output.ts';
import { bootIdentity, holdRun } from '../run-process.ts';
import type { StopSignals } from '../stop-signals.ts';
import { addUserModules, isModuleFile } from '../user-modules.ts';
import { endRun, withEngine } from '../wiring.ts';
import { createDisplay, ownerOf, type World } from '../world.ts';
import { recordedConnection, recordedInventory, recordedSettings } from './recorded.ts';
import { openVaultAgain, readPasswordsAgain, readSecretsAgain } from './secrets.ts';

export interface RecoverOptions extends ConnectFlags, RunFlags, VaultFlags {
  output: string;
  verbose?: boolean;
}

/** A command line of `resume` or `rollback`. */
export interface RecoveryRequest<O extends RecoverOptions> {
  /** ID of the run. */
  id: string;
  options: O;
  mode: Move;
  argv: readonly string[];
}

/** @param add adds the options that only this command has */
export function readRecoveryRequest<O extends RecoverOptions>(
  world: World,
  { mode, description, argv }: { mode: Move; description: string; argv: string[] },
  add: (command: Command) => Command,
): RecoveryRequest<O> {
  const command = newCommand(world, `runner ${mode}`)
    .argument('[run]', 'ID of the run (default: the newest unfinished run, or else the newest run)')
    .description(description);
  addRunOptions(add(command)).parse(argv, { from: 'user' });
  const options = command.opts<O>();
  startDebug(world, options);
  const id = world.store.find(command.args[0] ?? world.store.openRuns()[0]);
  return { id, options, mode, argv };
}

/** How a command continues a recorded run. */
export interface Recovery {
  work: (engine: Engine, stop: StopSignals) => Promise<Ending>;
  /** Points of no return that the operator has accepted in this command. */
  accepted?: string[];
}

/**
 * Resumes or rolls back a recorded run.
 * @param prepare gets the state of the run, and returns what to do with its hosts
 */
export async function recover(
  world: World,
  request: RecoveryRequest<RecoverOptions>,
  prepare: (found: RecordedRun) => Recovery | Promise<Recovery>,
): Promise<number> {
  const { store, redactor } = world;
  const { id, options, mode, argv } = request;
  await reportUnseenRuns(world);
  holdRun(world, id, mode);
  const found = store.read(id);
  refuse(found, mode);
  await readSecretsAgain(world, found, mode);
  await openVaultAgain(world, found, argv);
  readPasswordsAgain(world, found);
  await addUserModules(world, keptModules(world, found));
  const { work, accepted } = await prepare(found);
  const log = Log.reopen(DiskFile.open(store.journalPath(id)), redactor);
  const began = Date.now();
  const { verbose = false } = options;
  const output = outputForm(options);
  const display = await createDisplay(world, { output, diff: false, undo: false, verbose });
  const parts = {
    settings: await settingsOf(world, log.state, options),
    inventory: recordedInventory(log.state, redactor),
    log,
    display,
    flags: { ...recordedConnection(log.state), ...options },
    begin: async ({ locks }: Engine) => {
      await locks.take(log.state.locks);
      await log.append({ t: 'resume', pid: process.pid, bootId: bootIdentity(), accepted });
      store.markOpen(id);
    },
  };
  return withEngine(world, parts, async (engine, stop) =>
    endRun(world, engine, await work(engine, stop), began),
  );
}

function refuse(run: RecordedRun, mode: Move): void {
  const refusal = refusalOf(run, mode);
  if (refusal) throw new UsageError(refusal.message, { hint: refusal.hint });
}

/** The recorded copies of user modules, which an undo may call. */
function keptModules({ store }: World, { header, files }: RecordedRun) {
  return files
    .filter(({ path }) => isModuleFile(path))
    .map((file) => ({ file: file.path, code: store.pinnedText(header.run, file) }));
}

async function settingsOf(
  world: World,
  run: RecordedRun,
  options: RecoverOptions,
): Promise<RunSettings> {
  return {
    ...recordedSettings(run, world.redactor),
    check: false,
    diff: false,
    owner: ownerOf(world),
    takeOver: options.takeOver ?? [],
    rollbackBudgetSeconds: budgetOf(options),
    becomePassword: await becomePassword(world, options),
    failAt: undefined,
    failsBeforeNoReturn: false,
  };
}
