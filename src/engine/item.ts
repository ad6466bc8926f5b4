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
import { escapePattern } from '../util/text.ts';
import { renderAccess } from './access.ts';
import type { HostLocks } from './locks.ts';
import type { RunSettings } from './settings.ts';
import { finishedOutcome, isDoneAgain } from './finished.ts';
import { hostError } from './host-error.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { judge } from './judge.ts';
import { applyConsequence, type Knowledge } from './knowledge.ts';
import { partName } from './include.ts';
import { InvalidTask, labelOf, withItem } from './loop.ts';
import type { Numbers } from './numbers.ts';
import { endUnit, type UnitEnd } from './unit-end.ts';
import { runChanges, teaches, type RunChanges } from './run-effects.ts';
import { undoKind } from './undo-plan.ts';
import type { Unit, UnitParts } from './unit-change.ts';
import { runUnit, type UnitResult } from './unit.ts';

/** A step that asks no host, and what its name means: an include, or a `meta` step, which names nothing. */
export type Resolved = Pick<IncludeNode, 'task' | 'locate'>;

/** One task on one host, for one item of its loop. */
export interface Item {
  task: TaskNode;
  host: InventoryHost;
  step: StepInfo;
  scope: Scope;
  item?: JsonValue;
  index?: number;
  /** Set for a handler's run. */
  handler: HandlerRef | undefined;
  /** Handlers that a change notifies. */
  notifies: readonly HandlerRef[];
  /** The same change, which finished before the run was interrupted. */
  earlier: RecordedUnit | undefined;
  /** An earlier attempt may have made the change that this one finds. */
  mayStand: boolean;
}

export interface ItemParts extends UnitParts {
  log: Pick<Log, 'state' | 'append' | 'write' | 'signal'>;
  inventory: Inventory;
  locks: Pick<HostLocks, 'ensure' | 'take'>;
  settings: UnitParts['settings'] & Pick<RunSettings, 'failAt'>;
}

/** Runs a task on one host: its condition, its target, the unit, and what counts of the outcome. */
export class ItemRunner {
  readonly #parts: ItemParts;
  readonly #knowledge: Knowledge;
  readonly #numbers: Numbers;
  readonly #folders: readonly string[];
  readonly #failAt: RegExp | undefined;
  #injected = false;

  /** @param folders of the playbook and its overlays: where templates and files are looked up behind the role's */
  constructor(
    parts: ItemParts,
    { knowledge, numbers }: { knowledge: Knowledge; numbers: Numbers },
    folders: readonly string[],
  ) {
    this.#parts = parts;
    this.#knowledge = knowledge;
    this.#numbers = numbers;
    this.#folders = folders;
    const { failAt } = parts.settings;
    this.#failAt = failAt === undefined ? undefined : stepPattern(failAt);
  }

  /** Whether the step of "--fail-at" has failed. */
  get hasInjected(): boolean {
    return this.#injected;
  }

  /** @throws JournalError; whatever else went wrong is an outcome */
  async run(one: Item): Promise<HostStep> {
    const began = this.#parts.clock.now();
    const aim = await this.#aim(one);
    if ('outcome' in aim) return aim;
    const unit = this.#numbers.nextUnit();
    try {
      return await this.#carryOut(one, { ...aim, unit, began });
    } catch (error) {
      return this.#broken(one, unit, error);
    }
  }

  async #carryOut(
    one: Item,
    {
      target,
      label,
      unit,
      began,
    }: { target: InventoryHost; label: string | undefined; unit: number; began: number },
  ): Promise<HostStep> {
    const { task, host, step, scope, item, index, handler, notifies } = one;
    const { said, number, changed } = await this.#runUnit(
      {
        number: unit,
        task,
        step,
        host,
        target,
        scope,
        item,
        index,
        folders: [...(task.role ? [task.role.path] : []), ...this.#folders],
        handler,
        notifies,
        hiddenNames: this.#knowledge.hidden,
        shared: sharedBy(task, host, target),
      },
      one,
    );
    if (said.undo !== undefined) this.#parts.fault?.('after-effect', task.id);
    const { outcome, ignored } = this.#judge(task, said.outcome, [host.name, target.name]);
    const durationMs = this.#parts.clock.now() - began;
    this.end(step, host, outcome, {
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
      // A host that was never asked to change anything is as it was.
      uncertain: (isUncertain(outcome) && said.undo !== undefined) || undefined,
      outcome,
      ignored,
      changed,
      changes: said.changes,
    });
  }

  /** Where the item runs and how displays call it; how it ended when it does not run. */
  async #aim({
    task,
    host,
    step,
    scope,
    item,
    index,
    earlier,
  }: Item): Promise<HostStep | { target: InventoryHost; label: string | undefined }> {
    try {
      if (!earlier && !allHold(task.when, scope)) {
        const skipped: Outcome = { is: 'skipped' };
        this.end(step, host, skipped, { item, index, task });
        return emptyStep(skipped);
      }
      const target = await this.#lockedTarget(task, host, scope);
      return { target, label: item === undefined ? undefined : labelOf(task, item, scope) };
    } catch (error) {
      return this.notRun(step, host, error, task);
    }
  }

  /** What neither the call nor its conditions expected. A change that was begun is on record, and may have been made. */
  #broken({ task, step, host, item, index }: Item, number: number, error: unknown): HostStep {
    const isBegun = this.#parts.log.state.units.has(number);
    const failed = failedBy(hostError(error, step), task);
    const outcome: Outcome = isBegun ? { ...failed, is: 'unknown' } : failed;
    this.end(step, host, outcome, { number, item, index, task });
    const uncertain = isBegun || undefined;
    return { ...emptyStep(withItem(outcome, task.loopVar, item)), uncertain };
  }

  /** Resolves one item of an include for a host: the condition, and what its name means. */
  include(
    { task, locate }: Resolved,
    host: InventoryHost,
    step: StepInfo,
    { scope, loop }: { scope: Scope; loop?: { item: JsonValue; index: number; length: number } },
  ): HostStep {
    const details = {
      number: this.#numbers.nextUnit(),
      item: loop?.item,
      index: loop?.index,
      task,
    };
    try {
      if (!allHold(task.when, scope)) {
        const skipped: Outcome = { is: 'skipped' };
        this.end(step, host, skipped, details);
        return { ...emptyStep(skipped), included: [] };
      }
      const label = loop && labelOf(task, loop.item, scope);
      const name = String(scope.render(task.args['name'] ?? ''));
      const part = partName(task, name, loop);
      const included: Included = { source: locate(name), part, ...loop };
      const result = { changed: false, failed: false };
      const outcome: Outcome = { is: 'ok', result, ...(name === '' ? {} : { why: name }) };
      this.end(step, host, outcome, { ...details, label });
      return { ...emptyStep(outcome), included: [included] };
    } catch (error) {
      return this.notRun(step, host, error, task);
    }
  }

  /** Ends the task on a host on which it cannot run. @throws JournalError, Interrupted */
  notRun(
    step: StepInfo,
    host: InventoryHost,
    error: unknown,
    task: Pick<TaskNode, 'noLog'>,
  ): HostStep {
    const known = hostError(error, step);
    const outcome = known instanceof UnknownValueError ? needsRealRun : failedBy(known, task);
    this.end(step, host, outcome);
    return emptyStep(outcome);
  }

  /** Records and shows how a unit ended. */
  end(
    step: StepInfo,
    { name: host }: InventoryHost,
    outcome: Outcome,
    { number = this.#numbers.nextUnit(), ...end }: Partial<UnitEnd> = {},
  ): void {
    endUnit(this.#parts, { ...end, number, step, host, outcome });
  }

  /** Runs a unit, or takes over what it did before the run was interrupted. */
  async #runUnit(
    unit: Unit,
    { earlier, mayStand }: Pick<Item, 'earlier' | 'mayStand'>,
  ): Promise<{ said: UnitResult; number: number; changed: boolean }> {
    const { task, scope, number } = unit;
    const module = this.#parts.modules.get(task.module);
    const pastNoReturn = this.#parts.log.state.noReturn !== undefined;
    if (!earlier || !module || isDoneAgain(task, module, pastNoReturn)) {
      const said = await runUnit(this.#parts, unit);
      const changed = hasChanged(said.outcome);
      const isStanding = earlier !== undefined || (mayStand && said.actions.length === 0);
      if (!isStanding || failureIn(said.outcome)) return { said, number, changed };
      // The second time it may find nothing to do, but handlers have to know of the first.
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

  #judge(task: TaskNode, said: Outcome, hosts: readonly string[]): Ending {
    const { check } = this.#parts.settings;
    const injected = this.#failAt?.test(task.id) === true && !this.#injected;
    this.#injected ||= injected;
    const predicted = check && hosts.some((name) => this.#knowledge.predicted.has(name));
    const stopping = this.#parts.isStopping();
    const judged = judge(task, said, { predicted, injected, stopping });
    if (check && hasChanged(judged.outcome))
      for (const host of hosts) applyConsequence(this.#knowledge, { kind: 'predicted', host });
    return judged;
  }

  /** Where the task runs on behalf of a host; a delegate that it can change is locked. */
  async #lockedTarget(task: TaskNode, host: InventoryHost, scope: Scope): Promise<InventoryHost> {
    const target = this.#target(task, host, scope);
    if (target !== host && !task.readOnly && !this.#parts.settings.check)
      await this.#parts.locks.take(
        new Map([[target.name, renderAccess(task.become, target.address, scope)]]),
      );
    return target;
  }

  #target(task: TaskNode, host: InventoryHost, scope: Scope): InventoryHost {
    if (task.delegateTo === undefined) return host;
    const name = String(scope.render(task.delegateTo));
    const target = inventoryHost(this.#parts.inventory, name);
    if (target && this.#knowledge.failed.has(name) && !task.allowFailedDelegate)
      throw new TaskError(`"${name}", which this is delegated to, has failed in this run.`, {
        at: task.at,
        hint: 'Say "allow_failed_delegate: true" if it is to be asked all the same.',
      });
    if (target) return target;
    throw new InvalidTask(`"delegate_to" names "${name}", which is not in the inventory.`, task);
  }
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

/** Before the run, a step inside a loop is known as that of "each" item. */
function stepPattern(id: string): RegExp {
  return new RegExp(`^${escapePattern(id).replaceAll('/each/', '/[^/]+/')}$`);
}

/** Why a unit is not the business of its host alone. */
function sharedBy(
  { runOnce }: TaskNode,
  host: InventoryHost,
  target: InventoryHost,
): IntentRecord['shared'] {
  if (runOnce) return 'run_once';
  if (target.name === 'localhost') return 'controller';
  return target.name === host.name ? undefined : 'delegated';
}
