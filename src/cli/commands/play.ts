import { packageVersion } from '../../util/package.ts';
import { type Command, Option } from 'commander';
import { exitCodes, type EventSink } from '../../core/events.ts';
import { dirname } from 'node:path';
import { JournalError, PlaybookError, UsageError } from '../../core/errors.ts';
import { stepsBefore } from '../../playbook/from.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import {
  playIncludes,
  playTasks,
  type OnFailure,
  type Playbook,
  type InputSpec,
} from '../../language/document.ts';
import { runPlaybook } from '../../engine/engine.ts';
import type { EngineContext, RunSettings } from '../../engine/context.ts';
import { loadInventory } from '../../inventory/load.ts';
import { DiskFile } from '../../journal/disk-file.ts';
import { Log } from '../../journal/log.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { journalFormat, type JournalRecord, type PinnedFile } from '../../journal/records.ts';
import { checkPlaybook, pointsOfNoReturn, stepsBeforeNoReturn } from '../../playbook/check.ts';
import { describeChange, listedSteps } from '../../output/step-list.ts';
import { UndoPreview } from '../../output/undo-preview.ts';
import { matchHosts } from '../../util/patterns.ts';
import { didYouMean } from '../../util/text.ts';
import type { VaultSource } from '../../util/vault.ts';
import { newCommand } from '../command.ts';
import { parseExtraVars } from '../flags/extra-vars.ts';
import { tell } from '../fail.ts';
import { addBecomeOptions, becomeOf, becomePassword, recordedBecome } from '../flags/become.ts';
import { recordedFlags, withLogin, type ConnectFlags } from '../flags/connect.ts';
import { earlyOptions } from '../flags/early.ts';
import { inputOptions, resolveInputs, type ResolvedInputs } from '../flags/inputs.ts';
import { limitOf } from '../flags/limit.ts';
import { addRunOptions, budgetOf, outputForm, startDebug, type RunFlags } from '../flags/run.ts';
import { openVault, recordedVaultFlags, type VaultFlags } from '../flags/vault.ts';
import { collect, splitList, wholeNumber } from '../flags/words.ts';
import { tellUnseenRuns } from '../lost-output.ts';
import { OpenRunError } from '../open-run-error.ts';
import { askSecret, askText, canAsk, confirm } from '../operator.ts';
import { playbookOf } from '../playbook-command.ts';
import { bootIdentity, isRunning } from '../run-process.ts';
import { allowedCommands, concludeCheck } from '../sentences.ts';
import { endRun, playForward, withEngine } from '../wiring.ts';
import { createDisplay, ownerOf, type World } from '../world.ts';

export interface PlayOptions extends ConnectFlags, RunFlags, VaultFlags {
  inventory?: string;
  check?: boolean;
  diff?: boolean;
  limit?: string;
  tags?: string;
  skipTags?: string;
  forks: string;
  onFailure?: OnFailure;
  requireUndo?: boolean;
  acceptIrreversible?: string[];
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
  become?: boolean;
  becomeUser?: string;
  becomeMethod?: string;
  verbose?: boolean;
}

/** `runner play PLAYBOOK …` and `runner plan PLAYBOOK …`. The playbook's inputs are flags after its name. */
export async function playCommand(
  world: World,
  mode: 'play' | 'plan',
  argv: string[],
): Promise<number> {
  const command = baseCommand(world, mode);
  await openVault(world, argv, {
    lenient: ['--list-tasks', '--list-tags', '--help'].some((flag) => argv.includes(flag)),
  });
  const become = becomeOf(earlyOptions(argv, addBecomeOptions));
  const playbook = await playbookOf(world, command, argv, { become });
  if (!playbook) return exitCodes.done;
  for (const option of inputOptions(playbook.inputs)) {
    command.addOption(option.helpGroup(`Inputs of ${playbook.name}:`));
  }
  command.parse(argv, { from: 'user' });
  const options = command.opts<PlayOptions & Record<string, unknown>>();
  startDebug(world, options);
  return new PlayRun(world, playbook, options, mode === 'plan').run();
}

function baseCommand(world: World, mode: 'play' | 'plan'): Command {
  const command = newCommand(world, `runner ${mode}`)
    .argument('<playbook>', 'file, or name of a shipped playbook')
    .description(
      mode === 'plan'
        ? 'Show what a playbook would change where, and how it would be taken back.'
        : 'Run a playbook.',
    )
    .option('-i, --inventory <FILE>', 'hosts file, or a list such as "a,b,"')
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
    .option('--require-undo', 'refuse unless every changing task says how it is undone')
    .option(
      '--accept-irreversible <NAME>',
      'agree to a point of no return; may be repeated',
      collect,
    )
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
      'show in which order it would be taken back; with --fail-at, after that step',
    );
  return addRunOptions(addBecomeOptions(command));
}

class PlayRun {
  readonly #world: World;
  readonly #playbook: Playbook;
  readonly #options: PlayOptions & Record<string, unknown>;
  readonly #plan: boolean;
  readonly #check: boolean;
  #secretFiles: Record<string, string> = {};

  constructor(
    world: World,
    playbook: Playbook,
    options: PlayOptions & Record<string, unknown>,
    plan: boolean,
  ) {
    this.#world = world;
    this.#playbook = playbook;
    this.#options = options;
    this.#plan = plan;
    this.#check = plan || options.check === true;
  }

  async run(): Promise<number> {
    if (this.#options.listTasks === true) return this.#listTasks();
    if (this.#options.listTags === true) return listTags(this.#world, this.#playbook);
    if (this.#options.flushCache === true) this.#world.factCache.clear();
    const { given, defaults, secretFiles } = await this.#inputs();
    this.#secretFiles = secretFiles;
    const inventory = withLogin(this.#inventory(given), this.#options);
    if (this.#options.listHosts === true) return this.#listHosts(inventory);
    const variables = {
      ...given,
      ...parseExtraVars(this.#options.extraVars ?? [], this.#world.vault),
    };
    this.#checkPlaybook(inventory, variables);
    const { step = false, output } = this.#options;
    const failAt = this.#failAt();
    if (step && (!canAsk(this.#world) || output === 'json'))
      throw new UsageError('"--step" asks before each step: it needs a terminal.');
    const accepted = await this.#acceptPivots();
    await tellUnseenRuns(this.#world);
    if (!this.#check) this.#refuseOpenRuns(inventory);
    const settings: RunSettings = {
      run: 'check',
      check: this.#check,
      diff: this.#plan || this.#options.diff === true,
      tags: splitList(this.#options.tags),
      skipTags: splitList(this.#options.skipTags),
      limit: limitOf(this.#options),
      leftOut: this.#leftOut(),
      forks: wholeNumber(this.#options.forks, '--forks'),
      owner: ownerOf(this.#world),
      startedAt: new Date(),
      takeOver: this.#options.takeOver ?? [],
      rollbackBudgetSeconds: budgetOf(this.#options),
      onFailure: this.#options.onFailure,
      becomePassword: await becomePassword(this.#world, this.#options),
      variables,
      inputDefaults: defaults,
      accepted,
      failAt: this.#check ? undefined : failAt,
      failsBeforePivot: stepsBeforeNoReturn(this.#playbook).some(({ id }) => id === failAt),
    };
    this.#checkTags(settings);
    return this.#check
      ? this.#runCheck(settings, inventory)
      : this.#runForReal(settings, inventory);
  }

  #listTasks(): number {
    const lines = this.#playbook.plays.flatMap((play) => listedSteps(play));
    const changes = this.#playbook.changes.map((change) => `# ${describeChange(change)}`);
    this.#world.stdout.write(`${[...changes, ...lines].join('\n')}\n`);
    return exitCodes.done;
  }

  /** As they are before the run: a step may put hosts into further groups. */
  #listHosts({ hosts, groups }: Inventory): number {
    const names = [...hosts.keys()];
    const limit = limitOf(this.#options);
    const allowed = limit === undefined ? names : matchHosts(limit, names, groups);
    for (const { id, hosts: pattern } of this.#playbook.plays) {
      let shown = 'known when the run gets there';
      try {
        const matched = matchHosts(pattern, names, groups);
        shown = matched.filter((name) => allowed.includes(name) || name === 'localhost').join(', ');
      } catch (error) {
        // A group that a step of an earlier play makes.
        if (!(error instanceof UsageError)) throw error;
      }
      this.#world.stdout.write(`${id} (${pattern}): ${shown || '(none)'}\n`);
    }
    return exitCodes.done;
  }

  async #runCheck(settings: RunSettings, inventory: Inventory): Promise<number> {
    const began = new Date();
    const log = Log.inMemory(this.#world.redactor);
    const display = await this.#display(settings);
    let changes = 0;
    const preview = new UndoPreview(this.#failAt());
    const emit: EventSink = (event) => {
      if (event.type === 'unit-end' && event.state === 'changed') changes++;
      preview.see(event);
      display.sink(event);
    };
    const parts = {
      settings,
      inventory,
      log,
      display,
      emit,
      stepwise: this.#options.step === true,
      flags: this.#options,
    };
    return withEngine(this.#world, parts, async (context) => {
      await log.append(this.#header(settings, inventory, { began, vault: [], files: [] }));
      this.#announce(context);
      const result = await runPlaybook(context, this.#playbook);
      await display.finish();
      if (this.#plan && this.#options.output !== 'json') {
        const undo = this.#options.undo === true || this.#options.failAt !== undefined;
        const lines = [...(undo ? preview.lines() : []), ...display.text.coverage()];
        this.#world.stdout.write(`${this.#world.redactor.mask(lines.join('\n'))}\n`);
      }
      const { outcome, exitCode, message } = concludeCheck(result);
      emit({
        type: 'run-end',
        run: settings.run,
        outcome,
        message,
        next: [],
        durationMs: Date.now() - began.getTime(),
      });
      const differs = changes > 0 && this.#options.detailedExitCode === true;
      return exitCode === exitCodes.done && differs ? exitCodes.differences : exitCode;
    });
  }

  async #runForReal(template: RunSettings, inventory: Inventory): Promise<number> {
    const { store, redactor } = this.#world;
    const { startedAt: began } = template;
    const id = store.create(began);
    const settings = { ...template, run: id };
    const log = Log.create(DiskFile.create(store.journalPath(id)), redactor);
    const display = await this.#display(settings);
    const stepwise = this.#options.step === true;
    const begin = async () => {
      const vault = this.#world.vault.handOver((source) => {
        log.write({ t: 'vault', source });
      });
      const paths = [...this.#playbook.files, ...(inventory.file === '' ? [] : [inventory.file])];
      const files = paths.map((path) => store.pin(id, path));
      await log.append(this.#header(settings, inventory, { began, vault, files }));
    };
    const parts = { settings, inventory, log, display, stepwise, begin, flags: this.#options };
    return withEngine(this.#world, parts, async (context, stop) => {
      this.#announce(context);
      const ending = await playForward(this.#world, context, {
        playbook: this.#playbook,
        stop,
        onInterrupt: this.#options.onInterrupt,
      });
      return endRun(this.#world, context, ending, began.getTime());
    });
  }

  #header(
    settings: RunSettings,
    inventory: Inventory,
    { began, vault, files }: { began: Date; vault: VaultSource[]; files: PinnedFile[] },
  ): JournalRecord {
    return {
      ...({ t: 'run', format: journalFormat, runner: packageVersion() } as const),
      run: settings.run,
      playbook: this.#playbook.path,
      startedAt: began.toISOString(),
      pid: process.pid,
      bootId: bootIdentity(),
      options: {
        ...recordedOptions(settings, this.#options),
        ...recordedVaultFlags(this.#world, this.#options),
        ...recordedBecome(this.#options),
      },
      inputs: settings.variables,
      secrets: recordedSecrets(this.#playbook.inputs, settings.variables, this.#secretFiles),
      hosts: [...inventory.hosts.values()].map(({ address }) => address),
      inventory: {
        file: inventory.file,
        vars: Object.fromEntries([...inventory.hosts].map(([name, { vars }]) => [name, vars])),
        groups: Object.fromEntries(inventory.groups),
      },
      files,
      vault,
    };
  }

  #announce({ emit, settings, inventory }: EngineContext): void {
    const hosts = [...inventory.hosts.keys()];
    emit({
      type: 'run-start',
      run: settings.run,
      playbook: this.#playbook.name,
      check: settings.check,
      hosts,
      changes: this.#playbook.changes.map(describeChange),
    });
  }

  #display(settings: RunSettings): ReturnType<typeof createDisplay> {
    return createDisplay(this.#world, {
      output: outputForm(this.#options),
      diff: settings.diff,
      undo: this.#plan,
      verbose: this.#options.verbose === true,
    });
  }

  #inputs(): Promise<ResolvedInputs> {
    const asks = canAsk(this.#world);
    return resolveInputs(this.#playbook.inputs, this.#world, {
      options: this.#options,
      askMissing: async ({ prompt, secret }) => {
        if (prompt === undefined || !asks) return undefined;
        return secret ? askSecret(this.#world, prompt) : askText(this.#world, prompt);
      },
      warn: (text) => {
        tell(this.#world, `warning: ${text}`);
      },
    });
  }

  #inventory(given: JsonObject): Inventory {
    const input = this.#playbook.inputs.find(({ isInventory }) => isInventory);
    const fromInput = input && given[input.name];
    const source = typeof fromInput === 'string' ? fromInput : this.#options.inventory;
    if (source !== undefined)
      return loadInventory(source, {
        vault: this.#world.vault,
        varsFolders: [...this.#playbook.folders].reverse(),
      });
    const onlyLocal = this.#playbook.plays.every(({ hosts }) => hosts === 'localhost');
    if (onlyLocal) return { file: '', hosts: new Map(), groups: new Map([['all', []]]) };
    throw new UsageError('Which hosts? No inventory was given.', {
      hint: 'Give one with --inventory FILE.',
    });
  }

  #checkPlaybook(inventory: Inventory, variables: JsonObject): void {
    const outside = [
      ...Object.keys(variables),
      ...[...inventory.hosts.values()].flatMap(({ vars }) => Object.keys(vars)),
    ];
    const problems = checkPlaybook(this.#playbook, this.#world.modules, {
      outside,
      requireUndo: this.#options.requireUndo === true,
    });
    if (problems.length > 0) throw new PlaybookError(problems);
  }

  /** Ids of the steps before the one to begin at. */
  #leftOut(): string[] {
    const { from } = this.#options;
    if (from === undefined) return [];
    const before = stepsBefore(this.#playbook, from);
    if (before) return before;
    const steps = this.#playbook.plays.flatMap(playTasks);
    throw new UsageError(`There is no step "${from}" to begin at.`, {
      hint:
        didYouMean(
          from,
          steps.flatMap(({ id, name }) => [id, name]),
        ) || 'List them with --list-tasks.',
    });
  }

  /** The id of the step that is to fail. */
  #failAt(): string | undefined {
    const wanted = this.#options.failAt;
    if (wanted === undefined) return undefined;
    const last = stepsBeforeNoReturn(this.#playbook).at(-1)?.id;
    if (wanted === 'last' && last !== undefined) return last;
    const steps = this.#playbook.plays.flatMap(playTasks);
    const step = steps.find(({ id }) => id === wanted) ?? steps.find(({ name }) => name === wanted);
    if (step) return step.id;
    const includes = this.#playbook.plays.flatMap(playIncludes);
    if (includes.some(({ task }) => wanted.startsWith(`${task.id}/`))) return wanted;
    throw new UsageError(`There is no step "${wanted}".`, {
      hint:
        didYouMean(
          wanted,
          steps.flatMap(({ id, name }) => [id, name]),
        ) || 'Names and ids are shown by: runner plan.',
    });
  }

  #checkTags({ tags, skipTags }: RunSettings): void {
    const known = [
      ...new Set([
        ...this.#playbook.plays.flatMap(playTasks).flatMap((task) => task.tags),
        'always',
        'never',
        'all',
        'tagged',
        'untagged',
      ]),
    ];
    for (const tag of [...tags, ...skipTags]) {
      if (!known.includes(tag))
        throw new UsageError(`No task has the tag "${tag}".`, {
          hint: didYouMean(tag, known) || `Tags: ${known.join(', ')}.`,
        });
    }
  }

  async #acceptPivots(): Promise<string[]> {
    const points = pointsOfNoReturn(this.#playbook);
    const accepted = this.#options.acceptIrreversible ?? [];
    const names = points.map(({ name }) => name);
    for (const name of accepted) {
      if (!names.includes(name)) {
        throw new UsageError(`"${name}" is no point of no return of this playbook.`, {
          hint:
            didYouMean(name, names) ||
            (names.length > 0 ? `There is: ${names.join(', ')}.` : 'It has none.'),
        });
      }
    }
    if (this.#check) return names;
    for (const { name, reason } of points.filter((point) => !accepted.includes(point.name))) {
      if (
        canAsk(this.#world) &&
        (await confirm(
          this.#world,
          `"${name}" is a point of no return: ${reason}. Go behind it when all before it is done?`,
        ))
      ) {
        accepted.push(name);
        continue;
      }
      throw new UsageError(
        `This playbook has a point of no return, "${name}": ${reason}. Nothing was contacted.`,
        {
          hint: `Agree to it with --accept-irreversible ${name}.`,
        },
      );
    }
    return accepted;
  }

  #refuseOpenRuns(inventory: Inventory): void {
    const { store } = this.#world;
    const addresses = new Set(
      [...inventory.hosts.values()].map(
        ({ address }) => `${address.address}:${String(address.port ?? 22)}`,
      ),
    );
    for (const id of store.openRuns()) {
      const run = readOpenRun(store, id);
      const shared = run.header.hosts.filter(({ address, port }) =>
        addresses.has(`${address}:${String(port ?? 22)}`),
      );
      if (shared.length === 0) continue;
      const going = run.end === undefined && isRunning(run.header.pid, run.header.bootId);
      const hosts = shared.map(({ name }) => name).join(', ');
      const what = going
        ? `is still running (process ${String(run.header.pid)}).`
        : run.end
          ? `is not settled: ${run.end.message}`
          : 'was cut off.';
      throw new OpenRunError(`Run ${id} of ${run.header.startedAt} on ${hosts} ${what}`, {
        hint: going ? 'Wait for it.' : `Settle it first: ${allowedCommands(run).join(' or ')}.`,
      });
    }
  }
}

/** @throws OpenRunError when the journal cannot be read: which hosts the run has left halfway is not known then */
function readOpenRun(store: World['store'], id: string): RecordedRun {
  try {
    return store.read(id);
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    throw new OpenRunError(`Run ${id} is not settled, and cannot be read. ${error.message}`, {
      hint: `${error.hint ?? 'Look at its journal.'} Once its hosts are as they should be, remove ${dirname(store.journalPath(id))}.`,
    });
  }
}

function listTags({ stdout }: World, { plays }: Playbook): number {
  for (const play of plays) {
    const tags = [...new Set(playTasks(play).flatMap((task) => task.tags))].sort();
    stdout.write(`${play.id}: ${tags.join(', ') || '(none)'}\n`);
  }
  return exitCodes.done;
}

/** Secret inputs that were given, and where each may be given again. */
function recordedSecrets(
  inputs: readonly InputSpec[],
  given: JsonObject,
  files: Readonly<Record<string, string>>,
): RecordedRun['header']['secrets'] {
  return inputs
    .filter(({ name, secret }) => secret && name in given)
    .map(({ name, env, required }) => {
      const file = files[name];
      return {
        name,
        env: env ?? name.toUpperCase(),
        ...(file === undefined ? {} : { file }),
        ...(required ? {} : { optional: true as const }),
      };
    });
}

function recordedOptions(settings: RunSettings, options: PlayOptions): JsonObject {
  const { tags, skipTags, limit, leftOut, forks, inputDefaults, accepted, onFailure } = settings;
  return {
    leftOut: [...leftOut],
    tags,
    skipTags,
    forks,
    inputDefaults,
    accepted,
    ...(limit === undefined ? {} : { limit }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...recordedFlags(options),
  };
}
