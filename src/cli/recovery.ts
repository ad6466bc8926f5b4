import { SecretError, UsageError } from '../core/errors.ts';
import type { Inventory } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Become, Playbook } from '../language/document.ts';
import type { EngineContext, RunSettings } from '../engine/context.ts';
import { rollBack } from '../engine/undo/rollback.ts';
import { DiskFile } from '../journal/disk-file.ts';
import { Log } from '../journal/log.ts';
import type { Move } from '../journal/lifecycle.ts';
import { openAlone, type RecordedRun } from '../journal/recorded-run.ts';
import { fileChecksum } from '../journal/store.ts';
import { newCommand } from './command.ts';
import { collect } from './flags/words.ts';
import { tell } from './fail.ts';
import { becomePassword } from './flags/become.ts';
import type { ConnectFlags } from './flags/connect.ts';
import { flagOf } from './flags/inputs.ts';
import { firstLine } from './flags/passwords.ts';
import { addRunOptions, budgetOf, outputForm, startDebug, type RunFlags } from './flags/run.ts';
import { readVaultKeys, vaultFlagsIn, type VaultFlags } from './flags/vault.ts';
import { tellUnseenRuns } from './lost-output.ts';
import { askSecret, askSecretTwice, canAsk } from './operator.ts';
import { openPlaybook } from './playbooks.ts';
import { bootIdentity, isRunning } from './run-process.ts';
import {
  assertAllows,
  concludeAlone,
  concludeDone,
  concludeRollback,
  type Ending,
} from './sentences.ts';
import type { StopSignals } from './stop-signals.ts';
import { addUserModules, isModuleFile } from './user-modules.ts';
import { endRun, playForward, withEngine } from './wiring.ts';
import { createDisplay, createVault, ownerOf, type World } from './world.ts';
import { parsePlain } from '../yaml/yaml.ts';
import type { Redactor } from '../util/redact.ts';
import { openSource, type VaultKey } from '../util/vault.ts';

interface RecoverOptions extends ConnectFlags, RunFlags, VaultFlags {
  host?: string[];
  skip?: string[];
  output: string;
  verbose?: boolean;
  force?: boolean;
}

/** `runner rollback [RUN]` and `runner resume [RUN]`: both go on from the journal alone. */
export async function recoverCommand(world: World, mode: Move, argv: string[]): Promise<number> {
  const command = newCommand(world, `runner ${mode}`)
    .argument('[run]', 'id of the run; the newest that is not closed when left out')
    .description(
      mode === 'rollback'
        ? 'Take a run back to its last commit point.'
        : 'Go on with a run where it stood.',
    );
  addRunOptions(command);
  if (mode === 'rollback') {
    command
      .option('--host <NAME>', 'only this host; may be repeated', collect)
      .option('--skip <UNIT>', 'give up the undo of this unit; may be repeated', collect);
  } else {
    command.option('--force', 'go on although files of the playbook have changed');
  }
  command.parse(argv, { from: 'user' });
  startDebug(world, command.opts<RecoverOptions>());
  const id = world.store.find(command.args[0] ?? world.store.openRuns()[0]);
  return new Recovery(world, id, argv, command.opts<RecoverOptions>()).run(mode);
}

class Recovery {
  readonly #world: World;
  readonly #id: string;
  readonly #options: RecoverOptions;
  readonly #argv: readonly string[];

  constructor(world: World, id: string, argv: readonly string[], options: RecoverOptions) {
    this.#world = world;
    this.#argv = argv;
    this.#id = id;
    this.#options = options;
  }

  async run(mode: Move): Promise<number> {
    const { store, redactor } = this.#world;
    await tellUnseenRuns(this.#world);
    const found = store.read(this.#id);
    this.#refuse(found, mode);
    await this.#readSecrets(found, mode);
    await addUserModules(this.#world, this.#keptModules(found));
    const playbook = mode === 'resume' ? await this.#playbook(found) : undefined;
    const log = Log.reopen(DiskFile.open(store.journalPath(this.#id)), redactor);
    const began = Date.now();
    const { verbose = false } = this.#options;
    const output = outputForm(this.#options);
    const display = await createDisplay(this.#world, { output, diff: false, undo: false, verbose });
    const parts = {
      settings: await this.#settings(log.state),
      inventory: inventoryOf(log.state, redactor),
      log,
      display,
      flags: { ...flagsOf(log.state), ...this.#options },
      begin: async ({ locks }: EngineContext) => {
        await locks.take(log.state.locks);
        await log.append({ t: 'resume', pid: process.pid, bootId: bootIdentity() });
      },
    };
    return withEngine(this.#world, parts, async (context, stop) => {
      const ending = playbook
        ? await this.#resume(context, playbook, stop)
        : await this.#rollBack(context, found.end);
      return endRun(this.#world, context, ending, began);
    });
  }

  #refuse(run: RecordedRun, mode: Move): void {
    if (run.end === undefined && isRunning(run.header.pid, run.header.bootId)) {
      throw new UsageError(
        `Run ${this.#id} is still running as process ${String(run.header.pid)}.`,
        { hint: 'Stop it first, or wait.' },
      );
    }
    assertAllows(run, mode);
  }

  /** @param end how the run had ended; undefined when it was cut off */
  async #rollBack(context: EngineContext, end: RecordedRun['end']): Promise<Ending> {
    const recorded = context.log.state;
    const skip = (this.#options.skip ?? []).map((word) => {
      const unit = Number(word);
      if (recorded.units.has(unit)) return unit;
      throw new UsageError(`Run ${this.#id} has no unit ${word}.`, {
        hint: `See: runner show ${this.#id}.`,
      });
    });
    for (const host of this.#options.host ?? []) {
      if (!recorded.hosts.has(host)) throw new UsageError(`Run ${this.#id} has no host "${host}".`);
    }
    const reason = end === undefined ? 'crash' : 'request';
    const { host: hosts } = this.#options;
    // Hosts that were to go back alone while the run went on with the others.
    const partial = hosts?.every((host) => recorded.takenBack.has(host)) === true;
    const result = await rollBack(context, { reason, hosts, partial, skip });
    if (partial && result.complete) {
      const left = [...recorded.takenBack].sort();
      if (!recorded.isDoneInPart) return concludeAlone(this.#id, left);
      const open = openAlone(recorded);
      return concludeDone(this.#id, { left, incomplete: open.length > 0 });
    }
    const why = end === undefined ? 'The run was cut off.' : 'Rollback on request.';
    return concludeRollback(this.#id, result, why);
  }

  async #resume(context: EngineContext, playbook: Playbook, stop: StopSignals): Promise<Ending> {
    context.emit({ type: 'message', level: 'info', text: `Going on with run ${this.#id}.` });
    return playForward(this.#world, context, {
      playbook,
      stop,
      onInterrupt: this.#options.onInterrupt,
    });
  }

  /** Modules as they were when the run began: an undo may call them. */
  #keptModules({ files }: RecordedRun): { file: string; code: string }[] {
    const { store } = this.#world;
    return files
      .filter(({ path }) => isModuleFile(path))
      .map((file) => ({ file: file.path, code: store.pinnedText(this.#id, file) }));
  }

  async #playbook(run: RecordedRun): Promise<Playbook> {
    const playbook = await openPlaybook(this.#world, run.header.playbook, {
      become: run.header.options['become'] as Partial<Become> | undefined,
    });
    const changed = run.files.filter(({ path, sha256 }) => fileChecksum(path) !== sha256);
    if (changed.length > 0 && this.#options.force !== true) {
      throw new UsageError(
        `Changed since run ${this.#id} began: ${changed.map(({ path }) => path).join(', ')}.`,
        {
          hint: `Take it back with "runner rollback ${this.#id}", which uses what was recorded, or go on all the same with --force.`,
        },
      );
    }
    return playbook;
  }

  /**
   * Secrets are in the journal as references: their values come from the file, the environment or a prompt again. A
   * rollback does not ask for what the playbook does not require.
   */
  async #readSecrets(run: RecordedRun, mode: Move): Promise<void> {
    const late = new Set(run.secrets.map(({ name }) => name));
    const secrets: Header['secrets'] = [...run.header.secrets, ...run.secrets];
    for (const { name, env, file, optional = false } of secrets) {
      const value =
        this.#secretFrom(file, name) ??
        (this.#world.env[env] || undefined) ??
        (optional && mode === 'rollback' ? undefined : await this.#askAgain(name, optional));
      if (value !== undefined)
        this.#world.redactor.add(name, value, { late: late.has(name), optional });
      else if (mode === 'resume')
        tell(
          this.#world,
          `warning: The secret "${name}" was not supplied. A step that needs it will fail. Give it in the environment as ${env}.`,
        );
    }
    await this.#openVault(run);
  }

  async #askAgain(name: string, twice: boolean): Promise<string | undefined> {
    if (!canAsk(this.#world)) return undefined;
    const question = `${name} (as in the first run)`;
    return twice ? askSecretTwice(this.#world, question) : askSecret(this.#world, question);
  }

  #secretFrom(file: string | undefined, name: string): string | undefined {
    if (file === undefined) return undefined;
    try {
      return firstLine(file, `${flagOf(name)}-file`);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      tell(this.#world, `warning: ${error.describe()}`);
      return undefined;
    }
  }

  /** What was encrypted is in the journal as it stood in its file; the password comes from where it came from before. */
  async #openVault(run: RecordedRun): Promise<void> {
    const world = this.#world;
    const given = vaultFlagsIn(this.#argv);
    const says =
      given.askVaultPass === true ||
      (given.vaultId ?? []).length + (given.vaultPasswordFile ?? []).length > 0;
    if (run.vault.length === 0 && !says) return;
    let keys: VaultKey[];
    try {
      keys = await readVaultKeys(world, says ? given : recordedVault(run));
    } catch (error) {
      if (!(error instanceof UsageError) || says) throw error;
      tell(world, `warning: ${error.describe()} Secrets of the vault are not known.`);
      return;
    }
    world.vault = createVault(world, keys);
    for (const source of run.vault) {
      for (const { name, value } of openSource(source, keys, parsePlain))
        world.redactor.add(name, value);
    }
  }

  async #settings(run: RecordedRun): Promise<RunSettings> {
    const { options, inputs } = run.header;
    const list = (key: string) => (Array.isArray(options[key]) ? options[key].map(String) : []);
    return {
      run: run.header.run,
      check: false,
      diff: false,
      tags: list('tags'),
      skipTags: list('skipTags'),
      limit: textOption(run, 'limit'),
      leftOut: list('leftOut'),
      owner: ownerOf(this.#world),
      startedAt: new Date(run.header.startedAt),
      takeOver: this.#options.takeOver ?? [],
      rollbackBudgetSeconds: budgetOf(this.#options),
      forks: typeof options['forks'] === 'number' ? options['forks'] : 50,
      onFailure: undefined,
      becomePassword: await becomePassword(this.#world, this.#options),
      variables: known(inputs, this.#world.redactor),
      inputDefaults: (options['inputDefaults'] ?? {}) as JsonObject,
      accepted: list('accepted'),
      failAt: undefined,
      failsBeforePivot: false,
    };
  }
}

/** How the hosts were reached when the run began. */
function flagsOf(run: RecordedRun): ConnectFlags {
  const flags: ConnectFlags = {};
  const knownHosts = textOption(run, 'knownHosts');
  const sshConfig = textOption(run, 'sshConfig');
  const transport = textOption(run, 'transport');
  if (knownHosts !== undefined) flags.knownHosts = knownHosts;
  if (sshConfig !== undefined) flags.sshConfig = sshConfig;
  if (transport === 'ssh' || transport === 'openssh') flags.transport = transport;
  return flags;
}

function textOption(run: RecordedRun, name: string): string | undefined {
  const value = run.header.options[name];
  return typeof value === 'string' ? value : undefined;
}

type Header = RecordedRun['header'];

/** With the secrets that are known. One that is missing matters only where it is used, and is reported there. */
function known<T extends JsonValue>(value: T, redactor: Redactor): T {
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([name, one]) => [name, known(one, redactor)]);
    return Object.fromEntries(entries) as T;
  }
  try {
    return redactor.resolveAll(value);
  } catch (error) {
    if (error instanceof SecretError) return value;
    throw error;
  }
}

function recordedVault({ header }: RecordedRun): VaultFlags {
  const list = (key: string) => {
    const value = header.options[key];
    return Array.isArray(value) ? value.map(String) : [];
  };
  return {
    vaultId: list('vaultId'),
    vaultPasswordFile: list('vaultPasswordFile'),
    askVaultPass: header.options['askVaultPass'] === true,
  };
}

/** Hosts as they were when the run began. */
function inventoryOf({ header, hosts: addresses }: RecordedRun, redactor: Redactor): Inventory {
  const { file, groups } = header.inventory;
  const vars = known(header.inventory.vars, redactor);
  const hosts = new Map(
    [...addresses].map(([name, address]) => [name, { name, address, vars: vars[name] ?? {} }]),
  );
  return { file, hosts, groups: new Map(Object.entries(groups)) };
}
