import { RunnerError, TaskError, UnknownValueError } from '../core/errors.ts';
import type { StepInfo, UnitState } from '../core/events.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { RecordedUnit } from '../journal/recorded-run.ts';
import type { Included, IntentRecord } from '../journal/records.ts';
import type { IncludeNode, TaskNode } from '../language/document.ts';
import { parseCondition } from '../template/conditions.ts';
import { unknownValue, type Scope, type ScopeValue } from '../template/scope.ts';
import { escapePattern } from '../util/text.ts';
import { resolveAccess } from './access.ts';
import { inventoryHost, type EngineContext } from './context.ts';
import { finishedOutcome, isDoneAgain } from './finished.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { judge } from './judge.ts';
import { learn, type Knowledge } from './knowledge.ts';
import { InvalidTask, labelOf, withItem } from './loop.ts';
import type { Numbers } from './numbers.ts';
import { endUnit, type UnitEnd } from './unit-end.ts';
import { runUnit, type Unit, type UnitOutcome } from './unit.ts';

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
  /** Set for a handler's run: the units that notified it. */
  notifiedBy: number[] | undefined;
  /** The same change, which finished before the run was interrupted. */
  earlier: RecordedUnit | undefined;
}

/** Runs a task on one host: its condition, its target, the unit, and what counts of the outcome. */
export class ItemRunner {
  readonly #context: EngineContext;
  readonly #knowledge: Knowledge;
  readonly #numbers: Numbers;
  readonly #folders: readonly string[];
  readonly #failAt: RegExp | undefined;
  #injected = false;

  /** @param folders of the playbook and its overlays: where templates and files are looked up behind the role's */
  constructor(
    context: EngineContext,
    { knowledge, numbers }: { knowledge: Knowledge; numbers: Numbers },
    folders: readonly string[],
  ) {
    this.#context = context;
    this.#knowledge = knowledge;
    this.#numbers = numbers;
    this.#folders = folders;
    const { failAt } = context.settings;
    this.#failAt = failAt === undefined ? undefined : stepPattern(failAt);
  }

  /** Whether the step of "--fail-at" has failed. */
  get hasInjected(): boolean {
    return this.#injected;
  }

  async run(one: Item): Promise<HostStep> {
    const { task, host, step, scope, item, index, notifiedBy, earlier } = one;
    const began = this.#context.clock.now();
    const aim = await this.#aim(one);
    if ('state' in aim) return aim;
    const { target, label } = aim;
    const { said, number, changedUnits } = await this.#runUnit(
      {
        ...{
          number: this.#numbers.nextUnit(),
          task,
          step,
          host,
          target,
          scope,
          item,
          index,
          label,
        },
        folders: [...(task.role ? [task.role.path] : []), ...this.#folders],
        notifiedBy,
        shared: sharedBy(task, host, target),
        recorded: true,
      },
      earlier,
    );
    if (said.undo !== undefined) this.#context.fault?.('after-effect', task.id);
    const outcome = this.#judge(task, said, [host.name, target.name]);
    const { state, ignored } = outcome;
    const durationMs = this.#context.clock.now() - began;
    const message = this.end(step, host, state, {
      ...{ number, item, index, label, outcome, ignored, task, durationMs },
    });
    return hostStep(one, { target: target.name, outcome, message, changedUnits });
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
      const { variables } = scope;
      if (!earlier && !task.when.every((condition) => parseCondition(condition).test(variables))) {
        this.end(step, host, 'skipped', { item, index });
        return emptyStep('skipped', { skipped: true, changed: false, failed: false });
      }
      const target = await this.#lockedTarget(task, host, scope);
      return { target, label: item === undefined ? undefined : labelOf(task, item, scope) };
    } catch (error) {
      if (error instanceof RunnerError) return this.notRun(step, host, error);
      throw error;
    }
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
      if (!task.when.every((condition) => parseCondition(condition).test(scope.variables))) {
        this.end(step, host, 'skipped', details);
        const skipped = { skipped: true, changed: false, failed: false };
        return { ...emptyStep('skipped', skipped), included: [] };
      }
      const label = loop && labelOf(task, loop.item, scope);
      const name = String(scope.render(task.args['name'] ?? ''));
      const included: Included = { source: locate(name), label, ...loop };
      this.end(step, host, 'ok', { ...details, label, message: name || undefined });
      return { ...emptyStep('ok', { changed: false, failed: false }), included: [included] };
    } catch (error) {
      if (error instanceof RunnerError) return this.notRun(step, host, error);
      throw error;
    }
  }

  /** Ends the task on a host on which it cannot run. */
  notRun(step: StepInfo, host: InventoryHost, error: RunnerError): HostStep {
    const unknown = error instanceof UnknownValueError;
    const state = unknown ? 'unknown' : 'failed';
    const message = unknown ? 'depends on a value that only a real run can give' : error.describe();
    this.end(step, host, state, { message });
    const result: ScopeValue = unknown
      ? unknownValue
      : { failed: true, changed: false, msg: error.describe() };
    return { ...emptyStep(state, result), failed: !unknown, message };
  }

  /** Records and shows how a unit ended. Returns what it said. */
  end(
    step: StepInfo,
    { name: host }: InventoryHost,
    state: UnitState,
    { number = this.#numbers.nextUnit(), ...end }: Partial<UnitEnd>,
  ): string | undefined {
    return endUnit(this.#context, { ...end, number, step, host, state });
  }

  /** Runs a unit, or takes over what it did before the run was interrupted. */
  async #runUnit(
    unit: Unit,
    earlier: RecordedUnit | undefined,
  ): Promise<{ said: UnitOutcome; number: number; changedUnits: number[] }> {
    const { task, scope, number } = unit;
    const module = this.#context.modules.get(task.module);
    const pastNoReturn = this.#context.log.state.commit?.irreversible === true;
    if (!earlier || !module || isDoneAgain(task, module, pastNoReturn)) {
      const outcome = await runUnit(this.#context, unit);
      const changedUnits = outcome.changed ? [number] : [];
      if (!earlier || outcome.failed) return { said: outcome, number, changedUnits };
      // The second time it may find nothing to do, but handlers have to know of the first.
      const { result } = outcome;
      if (result !== unknownValue && isJsonObject(result)) result['changed'] = true;
      return { said: outcome, number, changedUnits: [earlier.intent.unit, ...changedUnits] };
    }
    const outcome = finishedOutcome(task, module, scope);
    const { unit: before } = earlier.intent;
    return { said: outcome, number: before, changedUnits: outcome.changed ? [before] : [] };
  }

  #judge(task: TaskNode, said: UnitOutcome, hosts: readonly string[]): ReturnType<typeof judge> {
    const { check } = this.#context.settings;
    const injected = this.#failAt?.test(task.id) === true && !this.#injected;
    this.#injected ||= injected;
    const predicted = check && hosts.some((name) => this.#knowledge.predicted.has(name));
    const outcome = judge(task, said, { predicted, injected });
    if (check && outcome.changed)
      for (const host of hosts) learn(this.#knowledge, { host, predicted: true });
    return outcome;
  }

  /** Where the task runs on behalf of a host; a delegate that it can change is locked. */
  async #lockedTarget(task: TaskNode, host: InventoryHost, scope: Scope): Promise<InventoryHost> {
    const target = this.#target(task, host, scope);
    if (target !== host && !task.readOnly && !this.#context.settings.check)
      await this.#context.locks.take(
        new Map([[target.name, resolveAccess(task.become, target.address, scope)]]),
      );
    return target;
  }

  #target(task: TaskNode, host: InventoryHost, scope: Scope): InventoryHost {
    if (task.delegateTo === undefined) return host;
    const name = String(scope.render(task.delegateTo));
    const target = inventoryHost(this.#context.inventory, name);
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
    message,
    changedUnits,
  }: {
    target: string;
    outcome: ReturnType<typeof judge>;
    message: string | undefined;
    changedUnits: number[];
  },
): HostStep {
  const elsewhere = task.delegateFacts && target !== host.name;
  const { setFacts } = outcome;
  return {
    ...{ state: outcome.state, failed: outcome.failed, ignored: outcome.ignored, message },
    register: withItem(outcome.result, task.loopVar, item),
    changed: changedUnits.length > 0,
    setFacts: elsewhere ? {} : (setFacts ?? {}),
    delegatedFacts: elsewhere && setFacts ? [{ host: target, facts: setFacts }] : [],
    groups: outcome.joinGroups ?? [],
    leftGroups: outcome.leaveGroups ?? [],
    addHosts: outcome.addHosts ?? [],
    changedUnits,
  };
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
