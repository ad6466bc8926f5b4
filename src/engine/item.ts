import { fieldsAsWritten } from '../core/value.ts';
import { TaskError, UnknownValueError, type RunnerError } from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import { inventoryHost, type Inventory, type InventoryHost } from '../core/inventory.ts';
import type { JsonValue } from '../core/json.ts';
import { concealFailure, failureOf, failureText } from '../core/failure.ts';
import {
  failureIn,
  hasChanged,
  isUncertain,
  needsRealRun,
  type Ending,
  type Outcome,
} from '../core/outcome.ts';
import type { Log } from '../journal/log.ts';
import type { RecordedUnit } from '../journal/recorded-run.ts';
import type { HandlerRef, Included, IntentRecord } from '../journal/records.ts';
import type { IncludeNode, TaskNode } from '../language/document.ts';
import { allHold } from '../template/conditions.ts';
import type { Scope } from '../template/scope.ts';
import { renderAccess } from './access.ts';
import type { HostLocks } from './locks.ts';
import type { FailAt } from './fail-at.ts';
import { finishedOutcome, runsAgain } from './finished.ts';
import type { Keys } from './hidden-intent.ts';
import { hostError } from './host-error.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { judge } from './judge.ts';
import { applyConsequence, type Knowledge } from './knowledge.ts';
import { partName } from './include.ts';
import { InvalidTask, labelOf, withItem } from './loop.ts';
import type { Numbers } from './numbers.ts';
import { endUnit, type UnitEnd } from './unit-end.ts';
import { runChanges, teaches, type RunChanges } from './run-effects.ts';
import { mayChange, undoKind } from './undo-plan.ts';
import { Turns, takesTurns } from './turns.ts';
import type { Unit, UnitParts } from './unit-change.ts';
import { runUnit, type UnitResult } from './unit.ts';

/**
 * A step that contacts no host: an include, with the function that finds its file or role, or a
 * `meta` step.
 */
export type Resolved = Pick<IncludeNode, 'task' | 'locate'>;

/** One task on one host, for one item of its loop. */
export interface Item {
  task: TaskNode;
  host: InventoryHost;
  step: StepInfo;
  scope: Scope;
  item?: JsonValue;
  index?: number;
  /** Set if the task is a handler. */
  handler: HandlerRef | undefined;
  /** Handlers to notify if the task changes something. */
  notifies: readonly HandlerRef[];
  /** The record of the same change, if it finished before the run was interrupted. */
  earlier: RecordedUnit | undefined;
  /** An earlier attempt may have made the change already. */
  mayBeInPlace: boolean;
}

export interface ItemParts {
  /** Parts of the whole run. Do not copy the object: a copy would keep the current "signal". */
  run: UnitParts &
    Keys & {
      log: Pick<Log, 'state' | 'append' | 'write' | 'signal'>;
      inventory: Inventory;
      locks: Pick<HostLocks, 'ensure' | 'take'>;
    };
  knowledge: Knowledge;
  numbers: Pick<Numbers, 'nextUnit'>;
  /**
   * Directories of the playbook and its overlays, searched for templates and files after those of
   * the role.
   */
  directories: readonly string[];
  failAt: Pick<FailAt, 'isNow'>;
}

/** Runs the items of steps on hosts, and records those that do not run. */
export interface Items {
  /** @throws JournalError; any other error becomes an outcome */
  run: (one: Item) => Promise<HostStep>;
  /**
   * Resolves one item of an include for a host: evaluates its condition and finds its file or role.
   */
  include: (
    resolved: Resolved,
    host: InventoryHost,
    step: StepInfo,
    within: { scope: Scope; loop?: LoopPlace },
  ) => HostStep;
  /** Records the outcome of a task that cannot run on a host. @throws JournalError, Interrupted */
  notRun: (
    step: StepInfo,
    host: InventoryHost,
    error: unknown,
    task: Pick<TaskNode, 'noLog'>,
  ) => HostStep;
  /** Records and displays how a unit ended. */
  end: (step: StepInfo, host: InventoryHost, outcome: Outcome, more?: Partial<UnitEnd>) => void;
}

interface LoopPlace {
  item: JsonValue;
  index: number;
  length: number;
}

/**
 * Creates the functions that run a task on one host: evaluate its condition, find its target, run
 * the unit and judge the outcome.
 */
export function itemsWith(parts: ItemParts): Items {
  const turns = new Turns();
  return {
    run: (one) => runItem(parts, turns, one),
    include: (resolved, host, step, within) => includeItem(parts, resolved, host, step, within),
    notRun: (step, host, error, task) => notRun(parts, step, host, error, task),
    end: (step, host, outcome, more) => {
      endItem(parts, step, host, outcome, more);
    },
  };
}

/** @throws JournalError; any other error becomes an outcome */
async function runItem(parts: ItemParts, turns: Turns, one: Item): Promise<HostStep> {
  const began = parts.run.clock.now();
  const aim = await aimOf(parts, one);
  if ('outcome' in aim) return aim;
  const perform = async () => {
    const unit = parts.numbers.nextUnit();
    try {
      return await carryOut(parts, one, { ...aim, unit, began });
    } catch (error) {
      return broken(parts, one, unit, error);
    }
  };
  const module = parts.run.modules.get(one.task.module);
  const isAlone = !takesTurns(one.task, module) || parts.run.settings.check;
  return isAlone ? perform() : turns.take(aim.target.name, perform);
}

async function carryOut(
  parts: ItemParts,
  one: Item,
  {
    target,
    label,
    unit,
    began,
  }: { target: InventoryHost; label: string | undefined; unit: number; began: number },
): Promise<HostStep> {
  const { task, host, step, scope, item, index, handler, notifies } = one;
  const { said, number, changed } = await carryOutUnit(
    parts,
    {
      number: unit,
      task,
      step,
      host,
      target,
      scope,
      item,
      index,
      directories: [...(task.role ? [task.role.path] : []), ...parts.directories],
      handler,
      notifies,
      hiddenNames: parts.knowledge.hidden,
      shared: sharedBy(task, host, target),
    },
    one,
  );
  if (said.undo !== undefined) parts.run.fault?.('after-effect', task.id);
  const { outcome, ignored } = judgeItem(parts, task, said.outcome, [host.name, target.name]);
  const durationMs = parts.run.clock.now() - began;
  endItem(parts, step, host, outcome, {
    number,
    item,
    index,
    label,
    teaches: teaches(said.changes),
    ignored,
    task,
    durationMs,
    shown: said,
  });
  return hostStep(one, {
    target: target.name,
    // If no change was started, the host is unchanged.
    uncertain: (isUncertain(outcome) && said.undo !== undefined) || undefined,
    outcome,
    ignored,
    changed,
    changes: said.changes,
  });
}

/** The target and label of an item, or its outcome if it does not run. */
async function aimOf(
  parts: ItemParts,
  { task, host, step, scope, item, index, earlier }: Item,
): Promise<HostStep | { target: InventoryHost; label: string | undefined }> {
  try {
    if (!earlier && !allHold(task.when, scope)) {
      const skipped: Outcome = { is: 'skipped' };
      endItem(parts, step, host, skipped, { item, index, task });
      return emptyStep(skipped);
    }
    const target = await lockedTarget(parts, task, host, scope);
    return { target, label: item === undefined ? undefined : labelOf(task, item, scope) };
  } catch (error) {
    return notRun(parts, step, host, error, task);
  }
}

/**
 * The outcome after an unexpected error. A change that was started is recorded, and may have been
 * made.
 */
function broken(
  parts: ItemParts,
  { task, step, host, item, index }: Item,
  number: number,
  error: unknown,
): HostStep {
  const isBegun = parts.run.log.state.units.has(number);
  const failed = failedBy(hostError(error, step), task);
  const outcome: Outcome = isBegun ? { ...failed, is: 'unknown' } : failed;
  endItem(parts, step, host, outcome, { number, item, index, task });
  const uncertain = isBegun || undefined;
  return { ...emptyStep(withItem(outcome, task.loopVar, item)), uncertain };
}

/**
 * Resolves one item of an include for a host: evaluates its condition and finds its file or role.
 */
function includeItem(
  parts: ItemParts,
  { task, locate }: Resolved,
  host: InventoryHost,
  step: StepInfo,
  { scope, loop }: { scope: Scope; loop?: { item: JsonValue; index: number; length: number } },
): HostStep {
  const details = {
    number: parts.numbers.nextUnit(),
    item: loop?.item,
    index: loop?.index,
    task,
  };
  try {
    if (!allHold(task.when, scope)) {
      const skipped: Outcome = { is: 'skipped' };
      endItem(parts, step, host, skipped, details);
      return { ...emptyStep(skipped), included: [] };
    }
    const label = loop && labelOf(task, loop.item, scope);
    const name = String(scope.render(task.args['name'] ?? ''));
    const part = partName(task, name, loop, parts.run);
    const included: Included = { source: locate(name), part, ...loop };
    const result = { changed: false, failed: false };
    const outcome: Outcome = { is: 'ok', result, ...(name === '' ? {} : { why: name }) };
    endItem(parts, step, host, outcome, { ...details, label });
    return { ...emptyStep(outcome), included: [included] };
  } catch (error) {
    return notRun(parts, step, host, error, task);
  }
}

/** Records the outcome of a task that cannot run on a host. @throws JournalError, Interrupted */
function notRun(
  parts: ItemParts,
  step: StepInfo,
  host: InventoryHost,
  error: unknown,
  task: Pick<TaskNode, 'noLog'>,
): HostStep {
  const known = hostError(error, step);
  const outcome = known instanceof UnknownValueError ? needsRealRun : failedBy(known, task);
  endItem(parts, step, host, outcome);
  return emptyStep(outcome);
}

/** Records and displays how a unit ended. */
function endItem(
  parts: ItemParts,
  step: StepInfo,
  { name: host }: InventoryHost,
  outcome: Outcome,
  { number = parts.numbers.nextUnit(), ...end }: Partial<UnitEnd> = {},
): void {
  endUnit(parts.run, { ...end, number, step, host, outcome });
}

/** Runs a unit, or uses its result from before the run was interrupted. */
async function carryOutUnit(
  parts: ItemParts,
  unit: Unit,
  { earlier, mayBeInPlace }: Pick<Item, 'earlier' | 'mayBeInPlace'>,
): Promise<{ said: UnitResult; number: number; changed: boolean }> {
  const { task, scope, number } = unit;
  const module = parts.run.modules.get(task.module);
  const pastNoReturn = parts.run.log.state.noReturn !== undefined;
  if (!earlier || !module || runsAgain(task, module, pastNoReturn)) {
    const said = await runUnit(parts.run, unit);
    const changed = hasChanged(said.outcome);
    const isInPlace = earlier !== undefined || (mayBeInPlace && said.actions.length === 0);
    if (!isInPlace || failureIn(said.outcome)) return { said, number, changed };
    // The repeated task may find nothing to do, but handlers must be notified of the first change.
    const outcome = withChangedResult(said.outcome);
    return { said: { ...said, outcome }, number, changed: true };
  }
  const outcome = finishedOutcome(task, scope);
  const { unit: before } = earlier.intent;
  const said = { outcome, changes: runChanges(undefined), actions: [], diff: undefined };
  return {
    said: { ...said, undo: undoKind(task, module, fieldsAsWritten(task.args)) },
    number: before,
    changed: hasChanged(outcome),
  };
}

function judgeItem(
  { run, failAt, knowledge }: ItemParts,
  task: TaskNode,
  said: Outcome,
  hosts: readonly string[],
): Ending {
  const { check } = run.settings;
  const injected = failAt.isNow(task.id);
  const predicted = check && hosts.some((name) => knowledge.predicted.has(name));
  const judged = judge(task, said, { predicted, injected, stopping: run.isStopping() });
  if (check && hasChanged(judged.outcome))
    for (const host of hosts) applyConsequence(knowledge, { kind: 'predicted', host });
  return judged;
}

/**
 * Finds where the task runs for a host. A host that it is delegated to and that it can change is
 * locked.
 */
async function lockedTarget(
  parts: ItemParts,
  task: TaskNode,
  host: InventoryHost,
  scope: Scope,
): Promise<InventoryHost> {
  const target = targetOf(parts, task, host, scope);
  if (target !== host && mayChange(task) && !parts.run.settings.check)
    await parts.run.locks.take(
      new Map([[target.name, renderAccess(task.become, target.address, scope)]]),
    );
  return target;
}

function targetOf(
  { run, knowledge }: ItemParts,
  task: TaskNode,
  host: InventoryHost,
  scope: Scope,
): InventoryHost {
  if (task.delegateTo === undefined) return host;
  const name = String(scope.render(task.delegateTo));
  const target = inventoryHost(run.inventory, name);
  if (target && knowledge.failed.has(name) && !task.allowFailedDelegate)
    throw new TaskError(`Cannot delegate to "${name}", which failed earlier in this run.`, {
      at: task.at,
      hint: 'Add "allow_failed_delegate: true" to delegate to it anyway.',
    });
  if (target) return target;
  throw new InvalidTask(`"delegate_to" names "${name}", which is not in the inventory.`, task);
}

function hostStep(
  { task, host, item }: Item,
  {
    target,
    outcome,
    ignored,
    changes: { setFacts, appendFacts, joinGroups, leaveGroups, addHosts },
    changed,
    uncertain,
  }: Ending &
    Pick<HostStep, 'uncertain'> & { target: string; changes: RunChanges; changed: boolean },
): HostStep {
  const elsewhere = task.delegateFacts && target !== host.name;
  return {
    outcome: withItem(outcome, task.loopVar, item),
    ignored,
    setFacts: elsewhere ? {} : (setFacts ?? {}),
    appendFacts: appendFacts ?? {},
    delegatedFacts: elsewhere && setFacts ? [{ host: target, facts: setFacts }] : [],
    groups: joinGroups ?? [],
    leftGroups: leaveGroups ?? [],
    addHosts: addHosts ?? [],
    hasChanged: changed,
    uncertain,
  };
}

function failedBy(
  error: RunnerError,
  { noLog }: Pick<TaskNode, 'noLog'>,
): Extract<Outcome, { is: 'failed' }> {
  const said = failureOf(error, { place: true });
  const failure = noLog ? concealFailure(said) : said;
  const result = { failed: true, changed: false, msg: failureText(failure) ?? '' };
  return { is: 'failed', failure, result, changed: false };
}

function withChangedResult(outcome: Outcome): Outcome {
  return outcome.result ? { ...outcome, result: { ...outcome.result, changed: true } } : outcome;
}

/** Why a unit is shared by several hosts; undefined if it is not. */
function sharedBy(
  { runOnce }: TaskNode,
  host: InventoryHost,
  target: InventoryHost,
): IntentRecord['shared'] {
  if (runOnce) return 'run_once';
  if (target.name === 'localhost') return 'controller';
  return target.name === host.name ? undefined : 'delegated';
}
