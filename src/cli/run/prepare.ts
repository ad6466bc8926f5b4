import { PlaybookError, UsageError } from '../../core/errors.ts';
import { exitCodes } from '../../core/states.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import type { SourceObject } from '../../core/value.ts';
import type { RunSettings } from '../../engine/settings.ts';
import { localFiles } from '../../util/local-files.ts';
import type { Playbook } from '../../language/document.ts';
import { checkPlaybook } from '../../playbook/check/check.ts';
import { stepsBeforeNoReturn } from '../../playbook/no-return.ts';
import { printMessage } from '../fail.ts';
import { becomePassword } from '../flags/become.ts';
import { withLogin } from '../flags/connect.ts';
import { connectionNotes, parseExtraVars, withKeyPaths } from '../flags/extra-vars.ts';
import { refuseRemoved, resolveInputs, type ResolvedInputs } from '../flags/inputs.ts';
import { readInventory, refuseUnmanageable } from '../host-selection.ts';
import { limitOf } from '../flags/limit.ts';
import { budgetOf } from '../flags/run.ts';
import { splitList, wholeNumber } from '../flags/words.ts';
import { reportUnseenRuns } from '../lost-output.ts';
import { askSecret, askText, canAsk } from '../operator.ts';
import { ownerOf, type World } from '../world.ts';
import { hostLines, hostsOfPlay, tagLines, taskLines } from './lists.ts';
import { acceptedPoints } from './no-return.ts';
import { refuseOpenRuns } from './open-runs.ts';
import { readRequest, type RunRequest } from './request.ts';
import { checkTags, failingStep, stepsLeftOut } from './steps.ts';

/** A run whose command line, playbook and inventory are valid. */
export interface PreparedRun extends RunRequest {
  settings: RunSettings;
  inventory: Inventory;
  /** Files that secrets were read from, by input. */
  secretFiles: Record<string, string>;
  /** ID of the step of `--fail-at`. */
  failAt: string | undefined;
}

/**
 * Reads a command line of `play` or `plan`, and starts the run unless only help or a list was
 * requested.
 */
export async function prepareAnd(
  world: World,
  [mode, argv]: ['play' | 'plan', string[]],
  start: (run: PreparedRun) => Promise<number>,
): Promise<number> {
  const request = await readRequest(world, mode, argv);
  if (!request) return exitCodes.done;
  const { playbook, options } = request;
  const print = (lines: string[]) => {
    world.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return exitCodes.done;
  };
  if (options.listTasks === true) return print(taskLines(playbook));
  if (options.listTags === true) return print(tagLines(playbook));
  if (options.flushCache === true) world.factCache.clear();
  const inputs = await inputsOf(world, request);
  const extra = withKeyPaths(parseExtraVars(options.extraVars ?? [], world.vault));
  for (const note of connectionNotes(extra)) printMessage(world, `note: ${note}`);
  const variables = { ...inputs.given, ...extra };
  const given = { ...inputs.defaults, ...variables };
  const inventory = withLogin(inventoryOf(world, request, given), options);
  if (options.listHosts === true) return print(hostLines(playbook, inventory, limitOf(options)));
  return start(await prepare(world, request, { inputs, variables, inventory }));
}

async function prepare(
  world: World,
  request: RunRequest,
  {
    inputs,
    variables,
    inventory,
  }: { inputs: ResolvedInputs; variables: JsonObject; inventory: Inventory },
): Promise<PreparedRun> {
  const { playbook, options, check } = request;
  assertValid(world, request, { inventory, variables });
  refuseUnmanageablePlays(playbook, inventory, limitOf(options));
  const failAt = failingStep(playbook, options.failAt);
  if (options.step === true && (!canAsk(world) || options.output === 'json'))
    throw new UsageError('--step prompts before each step and requires a terminal.');
  const chosen = {
    tags: splitList(options.tags),
    skipTags: splitList(options.skipTags),
    leftOut: stepsLeftOut(playbook, options.from),
  };
  checkTags(playbook, [...chosen.tags, ...chosen.skipTags]);
  const accepted = await acceptedPoints(world, playbook, { options, chosen, check });
  await reportUnseenRuns(world);
  if (!check) refuseOpenRuns(world, inventory);
  const settings: RunSettings = {
    run: 'check',
    check,
    diff: request.mode === 'plan' || options.diff === true,
    ...chosen,
    limit: limitOf(options),
    forks: wholeNumber(options.forks, '--forks'),
    owner: ownerOf(world),
    startedAt: new Date(),
    takeOver: options.takeOver ?? [],
    rollbackBudgetSeconds: budgetOf(options),
    onFailure: options.onFailure,
    becomePassword: await becomePassword(world, options),
    variables,
    inputDefaults: inputs.defaults,
    accepted,
    failAt: check ? undefined : failAt,
    failsBeforeNoReturn: stepsBeforeNoReturn(playbook).some(({ id }) => id === failAt),
  };
  return { ...request, settings, inventory, secretFiles: inputs.secretFiles, failAt };
}

function inputsOf(world: World, { playbook, options }: RunRequest): Promise<ResolvedInputs> {
  const asks = canAsk(world);
  return resolveInputs(playbook.inputs, world, {
    options,
    askMissing: async ({ prompt, secret }) => {
      if (prompt === undefined || !asks) return undefined;
      return secret ? askSecret(world, prompt) : askText(world, prompt);
    },
    warn: (text) => {
      printMessage(world, `warning: ${text}`);
    },
  });
}

/**
 * The inventory from an input of the playbook or `--inventory`. A playbook for localhost only needs
 * none.
 */
function inventoryOf(
  world: World,
  { playbook, options }: RunRequest,
  given: SourceObject,
): Inventory {
  const input = playbook.inputs.find(({ isInventory }) => isInventory);
  const fromInput = input && given[input.name];
  const source = typeof fromInput === 'string' ? fromInput : options.inventory;
  if (source !== undefined) {
    const varsDirectories = [...playbook.directories].reverse();
    return readInventory(world, source, { varsDirectories, given });
  }
  const onlyLocal = playbook.plays.every(({ hosts }) => hosts === 'localhost');
  if (onlyLocal) return { file: '', hosts: new Map(), groups: new Map([['all', []]]) };
  throw new UsageError('No inventory was given.', { hint: 'Use --inventory FILE.' });
}

/** @throws UsageError if a play selects a host that runner cannot manage */
function refuseUnmanageablePlays(
  { plays }: Playbook,
  inventory: Inventory,
  limit: string | undefined,
): void {
  const all = [...inventory.hosts.values()];
  if (all.every(({ address }) => address.unmanageable === undefined)) return;
  for (const play of plays) {
    const names = hostsOfPlay(play, inventory, limit) ?? [];
    refuseUnmanageable(
      names.flatMap((name) => inventory.hosts.get(name) ?? []),
      `Play "${play.id}" selects a host that it cannot run on. `,
    );
  }
}

/** @throws PlaybookError with all problems that can be found without contacting a host */
function assertValid(
  { modules }: World,
  { playbook, options }: RunRequest,
  { inventory, variables }: { inventory: Inventory; variables: JsonObject },
): void {
  const outside = [
    ...Object.keys(variables),
    ...[...inventory.hosts.values()].flatMap(({ vars }) => Object.keys(vars)),
  ];
  refuseRemoved(playbook.removed, outside);
  const requireUndo = options.requireUndo === true;
  const problems = checkPlaybook(playbook, modules, { files: localFiles, outside, requireUndo });
  if (problems.length > 0) throw new PlaybookError(problems);
}
