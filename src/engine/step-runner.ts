import pLimit from 'p-limit';
import { RunnerError, TaskError, UnknownValueError } from '../core/errors.ts';
import type { StepInfo, UnitState } from '../core/events.ts';
import type { HostAddress } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import { type IncludeNode, type TaskNode } from '../language/document.ts';
import type { RecordedUnit } from '../journal/recorded-run.ts';
import type { Included, IntentRecord } from '../journal/records.ts';
import { parseCondition } from '../template/conditions.ts';
import { unknownValue, type Scope, type ScopeValue } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import { addressFromVars } from '../util/host-address.ts';
import { escapePattern } from '../util/text.ts';
import { trace } from '../util/trace.ts';
import { inventoryHost, type EngineContext } from './context.ts';
import { resolveAccess } from './access.ts';
import type { Variables } from './variables.ts';
import { emptyStep, isUncertain, type HostStep } from './host-step.ts';
import { loopVariables } from './include.ts';
import { judge } from './judge.ts';
import {
  combine,
  endsLoop,
  InvalidTask,
  isSameItem,
  itemsOf,
  labelOf,
  recordedItem,
  withItem,
} from './loop.ts';
import { dueHandlers } from './notify.ts';
import { learn, type Knowledge, type Learnt } from './knowledge.ts';
import { learntRecord, recordedLearnt } from './learnt-record.ts';
import { finishedOutcome, isDoneAgain } from './finished.ts';
import { finishedUnits, replay, stepEntry, type StepEntry } from './replay.ts';
import { resolveUnknown } from './resolve.ts';
import type { Place, StepKeys } from './step-key.ts';
import { UndoRunner } from './undo-unit.ts';
import { outputDigest, runUnit, type Unit, type UnitOutcome } from './unit.ts';

/** A step that asks no host, and what its name means: an include, or a `meta` step, which names nothing. */
export type Resolved = Pick<IncludeNode, 'task' | 'locate'>;

/** How a step is run: as a handler, or to find out what an include means. */
interface StepKind {
  handler: boolean;
  include?: Resolved;
}

/** A step that runs now. */
interface LiveStep {
  task: TaskNode;
  step: StepInfo;
  place: Place;
  kind: StepKind;
  /** All hosts of the step, those with a recorded outcome included. */
  hosts: readonly string[];
}

/** What a step said when it failed on a host. */
export interface StepFailure {
  task: string;
  id: string;
  message: string;
}

/** Hosts on which something failed, and why. */
export type Failures = Map<string, StepFailure>;

/** Runs one task over hosts: conditions, loops, registers, notifications, records. */
export class StepRunner {
  readonly #context: EngineContext;
  readonly #knowledge: Knowledge;
  readonly #variables: Variables;
  readonly #folders: readonly string[];
  readonly #keys: StepKeys;
  /** What steps that run once in a play taught, by key. */
  readonly #oncePerPlay = new Map<string, Learnt[]>();
  /** Hosts that reach a step at different times share its limit. */
  readonly #throttles = new Map<string, ReturnType<typeof pLimit>>();
  #unit: number;
  #step: number;
  #injected = false;
  readonly #failAt: RegExp | undefined;

  /** Whether the step of "--fail-at" has failed. */
  get hasInjected(): boolean {
    return this.#injected;
  }

  constructor(
    context: EngineContext,
    { knowledge, variables }: { knowledge: Knowledge; variables: Variables },
    {
      folders,
      keys,
      lastUnit,
      lastStep,
    }: {
      /** Of the playbook and its overlays: where templates and files are looked up behind the role's. */
      folders: readonly string[];
      keys: StepKeys;
      lastUnit: number;
      lastStep: number;
    },
  ) {
    this.#context = context;
    this.#knowledge = knowledge;
    this.#variables = variables;
    this.#folders = folders;
    this.#keys = keys;
    this.#unit = lastUnit;
    this.#step = lastStep;
    const { failAt } = context.settings;
    this.#failAt = failAt === undefined ? undefined : stepPattern(failAt);
  }

  get lastUnit(): number {
    return this.#unit;
  }

  nextUnit(): number {
    return ++this.#unit;
  }

  nextStep(): number {
    return ++this.#step;
  }

  /** Returns the hosts on which the task failed and was not ignored. */
  async run(
    task: TaskNode,
    hosts: readonly string[],
    place: Place,
    handler = false,
  ): Promise<Failures> {
    const all = await this.#runAll(task, hosts, place, { handler });
    const failures: Failures = new Map();
    for (const { host, failed } of all) {
      if (failed === undefined) continue;
      const failure = { task: task.name, id: task.id, message: failed };
      const everywhere = task.runOnce || task.anyErrorsFatal ? hosts : [host];
      for (const name of everywhere) if (!failures.has(name)) failures.set(name, failure);
    }
    return failures;
  }

  /** What each host includes, in the order of the hosts, and the hosts for which that cannot be told. */
  async include(
    node: Resolved,
    hosts: readonly string[],
    place: Place,
  ): Promise<{ failed: Failures; included: Map<string, readonly Included[]> }> {
    const { task } = node;
    const all = await this.#runAll(task, hosts, place, { handler: false, include: node });
    const byHost = new Map(all.map((learnt) => [learnt.host, learnt]));
    const failed: Failures = new Map();
    const included = new Map<string, readonly Included[]>();
    for (const host of hosts) {
      const learnt = task.runOnce ? all[0] : byHost.get(host);
      if (learnt?.failed !== undefined)
        failed.set(host, { task: task.name, id: task.id, message: learnt.failed });
      else included.set(host, learnt?.included ?? []);
    }
    return { failed, included };
  }

  /** Runs the task where its outcome is not on record, and learns what it teaches about each host. */
  async #runAll(
    task: TaskNode,
    hosts: readonly string[],
    place: Place,
    kind: StepKind,
  ): Promise<Learnt[]> {
    const key = this.#keys.next(task.id, place, { once: task.oncePerPlay });
    const earlier = task.oncePerPlay ? this.#oncePerPlay.get(key) : undefined;
    if (earlier) {
      for (const learnt of earlier) {
        const { host, facts } = forHosts(task, learnt, hosts);
        learn(this.#knowledge, { host, facts });
      }
      return earlier;
    }
    const entry = stepEntry(this.#context.log.state, key);
    const { takenBack } = this.#context.log.state;
    const before = [...(entry?.learnt.keys() ?? [])].find(
      (host) => task.oncePerPlay || hosts.includes(host),
    );
    const first = before ?? hosts.find((host) => !takenBack.has(host));
    const once = first === undefined ? [] : [first];
    const all: Learnt[] = [];
    if (task.oncePerPlay) this.#oncePerPlay.set(key, all);
    const { done, ask, todo } = replay(entry, task.runOnce ? once : hosts, {
      takenBack,
      read: (record) =>
        kind.include && record.included === undefined && record.sealed === undefined
          ? undefined
          : recordedLearnt(record, this.#context),
    });
    for (const learnt of done.values()) {
      learn(this.#knowledge, forHosts(task, learnt, hosts));
      all.push(learnt);
    }
    await this.#askHosts(task, ask);
    if (todo.length > 0)
      await this.#runPending(task, todo, place, { key, kind, entry, hosts, all });
    return all;
  }

  /** Finds out what became of units whose result never reached the journal, before any of them runs again. */
  async #askHosts(task: TaskNode, numbers: readonly number[]): Promise<void> {
    if (numbers.length === 0) return;
    const { log, emit } = this.#context;
    const units = numbers.flatMap((number) => log.state.units.get(number) ?? []);
    const hosts = [...new Set(units.map(({ intent }) => intent.target))].join(', ');
    const text = `"${task.name}" was interrupted; asking ${hosts} what became of it.`;
    emit({ type: 'message', level: 'info', text });
    const undo = new UndoRunner(this.#context, log.state, { reason: 'crash', attempt: 0 });
    await resolveUnknown(this.#context, log.state, units, undo);
  }

  async #runPending(
    task: TaskNode,
    pending: string[],
    place: Place,
    {
      key,
      kind,
      entry,
      hosts,
      all,
    }: {
      key: string;
      kind: StepKind;
      entry: StepEntry | undefined;
      hosts: readonly string[];
      all: Learnt[];
    },
  ): Promise<void> {
    const { emit, log } = this.#context;
    const step: StepInfo = {
      id: task.id,
      number: this.nextStep(),
      play: place.play.name,
      name: task.name,
      module: task.module,
      at: task.at,
      handler: kind.handler,
      ...(task.throttle ? { throttle: task.throttle } : {}),
    };
    const { agree } = this.#context;
    const agreed = agree === undefined || (await agree(step, pending));
    // The answer may have been to end the run here.
    if (agree && this.#context.isStopping()) return;
    const began = Date.now();
    log.write({ t: 'step', step, hosts: pending, key });
    emit({ type: 'step-start', step, hosts: pending });
    const limit = this.#limit(task, place);
    const ended = await Promise.allSettled(
      pending.map((name) =>
        limit(async () => {
          const host = inventoryHost(this.#context.inventory, name);
          if (!host) throw new Error(`Host "${name}" is not in the inventory.`);
          const result = agreed
            ? await this.#runHost(task, host, place, { step, kind, entry })
            : this.#leftOut(step, host);
          all.push(this.#learnNow(name, { task, step, place, kind, hosts }, result));
        }),
      ),
    );
    // All of them have ended by now: what follows an internal error or a full disk finds no step still going on.
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    emit({ type: 'step-end', step, durationMs: Date.now() - began });
  }

  #leftOut(step: StepInfo, host: InventoryHost): HostStep {
    this.#end(step, host, 'skipped', { message: 'left out by the operator' });
    return emptyStep('skipped', { skipped: true, changed: false, failed: false });
  }

  async #runHost(
    task: TaskNode,
    host: InventoryHost,
    place: Place,
    { step, kind, entry }: { step: StepInfo; kind: StepKind; entry: StepEntry | undefined },
  ): Promise<HostStep> {
    const { include } = kind;
    const notifiedBy = kind.handler ? this.#knowledge.due.get(host.name)?.get(task.id) : undefined;
    const scopeOf = (item?: JsonObject) =>
      this.#variables.scope(host, {
        play: place.play,
        task,
        batch: place.batch,
        ...(item ? { item } : {}),
      });
    const finished = finishedUnits(entry, host.name);
    const { redactor } = this.#context;
    const items = itemsOf(task, scopeOf());
    if (items instanceof RunnerError) return this.#notRun(step, host, items);
    if (items === undefined) {
      if (include) return this.#includeItem(include, host, step, { scope: scopeOf() });
      const earlier = finished.get(undefined);
      return this.#runItem(task, host, step, scopeOf(), { notifiedBy, earlier });
    }
    let ended = false;
    const parts = await mapLimited(items, task.loopParallel, async (item, index) => {
      if (ended) return undefined;
      const loop = { index, length: items.length };
      const scope = scopeOf(loopVariables(task, item, loop));
      if (include)
        return this.#includeItem(include, host, step, { scope, loop: { item, ...loop } });
      const known = recordedItem(task, entry?.items.get(host.name)?.get(index)?.(), {
        item,
        redactor,
      });
      if (known) {
        ended ||= endsLoop(task, known, scope);
        return known;
      }
      if (index > 0 && task.loopPauseSeconds > 0 && !this.#context.settings.check)
        await this.#context.clock
          .sleep(task.loopPauseSeconds * 1000, this.#context.signal)
          .catch(() => undefined);
      const before = finished.get(index);
      const earlier =
        before && isSameItem(before.whole().item, item, redactor) ? before : undefined;
      const part = await this.#runItem(task, host, step, scope, {
        ...{ item, index, notifiedBy, earlier },
      });
      ended ||= endsLoop(task, part, scope);
      return part;
    });
    if (parts.length === 0) this.#end(step, host, 'skipped', { message: 'the list is empty' });
    return combine(
      parts.filter((part) => part !== undefined),
      items,
    );
  }

  #limit(task: TaskNode, place: Place): ReturnType<typeof pLimit> {
    const { forks } = this.#context.settings;
    const most = Math.min(forks, task.throttle || forks);
    if (place.own === undefined || !task.throttle) return pLimit(most);
    const known = this.#throttles.get(task.id) ?? pLimit(most);
    this.#throttles.set(task.id, known);
    return known;
  }

  #notRun(step: StepInfo, host: InventoryHost, error: RunnerError): HostStep {
    const unknown = error instanceof UnknownValueError;
    const state = unknown ? 'unknown' : 'failed';
    const message = unknown ? 'depends on a value that only a real run can give' : error.describe();
    this.#end(step, host, state, { message });
    const result: ScopeValue = unknown
      ? unknownValue
      : { failed: true, changed: false, msg: error.describe() };
    return { ...emptyStep(state, result), failed: !unknown, message };
  }

  /** Resolves one item of an include for a host: the condition, and what its name means. */
  #includeItem(
    { task, locate }: Resolved,
    host: InventoryHost,
    step: StepInfo,
    { scope, loop }: { scope: Scope; loop?: { item: JsonValue; index: number; length: number } },
  ): HostStep {
    const details = { number: this.nextUnit(), item: loop?.item, index: loop?.index, task };
    try {
      if (!task.when.every((condition) => parseCondition(condition).test(scope.variables))) {
        this.#end(step, host, 'skipped', details);
        const skipped = { skipped: true, changed: false, failed: false };
        return { ...emptyStep('skipped', skipped), included: [] };
      }
      const label = loop && labelOf(task, loop.item, scope);
      const name = String(scope.render(task.args['name'] ?? ''));
      const included: Included = { source: locate(name), label, ...loop };
      this.#end(step, host, 'ok', { ...details, label, message: name || undefined });
      return { ...emptyStep('ok', { changed: false, failed: false }), included: [included] };
    } catch (error) {
      if (error instanceof RunnerError) return this.#notRun(step, host, error);
      throw error;
    }
  }

  async #runItem(
    task: TaskNode,
    host: InventoryHost,
    step: StepInfo,
    scope: Scope,
    {
      item,
      index,
      notifiedBy,
      earlier,
    }: {
      item?: JsonValue;
      index?: number;
      notifiedBy: number[] | undefined;
      /** The same change, which finished before the run was interrupted. */
      earlier: RecordedUnit | undefined;
    },
  ): Promise<HostStep> {
    const began = Date.now();
    let target: InventoryHost;
    let label: string | undefined;
    try {
      const { variables } = scope;
      if (!earlier && !task.when.every((condition) => parseCondition(condition).test(variables))) {
        this.#end(step, host, 'skipped', { item, index });
        return emptyStep('skipped', { skipped: true, changed: false, failed: false });
      }
      target = await this.#lockedTarget(task, host, scope);
      label = item === undefined ? undefined : labelOf(task, item, scope);
    } catch (error) {
      if (error instanceof RunnerError) return this.#notRun(step, host, error);
      throw error;
    }
    const {
      outcome: said,
      number,
      changedUnits,
    } = await this.#runUnit(
      {
        ...{ number: this.nextUnit(), task, step, host, target, scope, item, index, label },
        folders: [...(task.role ? [task.role.path] : []), ...this.#folders],
        notifiedBy,
        shared: sharedBy(task, host, target),
        recorded: true,
      },
      earlier,
    );
    if (said.undo !== undefined) this.#context.fault?.('after-effect', task.id);
    const outcome = this.#judge(task, said, [host.name, target.name]);
    const { ignored } = outcome;
    const message = this.#end(step, host, outcome.state, {
      number,
      item,
      index,
      label,
      outcome,
      ignored,
      task,
      durationMs: Date.now() - began,
    });
    const elsewhere = task.delegateFacts && target.name !== host.name;
    return {
      state: outcome.state,
      register: withItem(outcome.result, task.loopVar, item),
      changed: changedUnits.length > 0,
      failed: outcome.failed,
      ignored,
      message,
      setFacts: elsewhere ? {} : (outcome.setFacts ?? {}),
      delegatedFacts:
        elsewhere && outcome.setFacts ? [{ host: target.name, facts: outcome.setFacts }] : [],
      groups: outcome.joinGroups ?? [],
      leftGroups: outcome.leaveGroups ?? [],
      addHosts: outcome.addHosts ?? [],
      changedUnits,
    };
  }

  /** Runs a unit, or takes over what it did before the run was interrupted. */
  async #runUnit(
    unit: Unit,
    earlier: RecordedUnit | undefined,
  ): Promise<{ outcome: UnitOutcome; number: number; changedUnits: number[] }> {
    const { task, scope, number } = unit;
    const module = this.#context.modules.get(task.module);
    const pastNoReturn = this.#context.log.state.commit?.irreversible === true;
    if (!earlier || !module || isDoneAgain(task, module, pastNoReturn)) {
      const outcome = await runUnit(this.#context, unit);
      const changedUnits = outcome.changed ? [number] : [];
      if (!earlier || outcome.failed) return { outcome, number, changedUnits };
      // The second time it may find nothing to do, but handlers have to know of the first.
      const { result } = outcome;
      if (result !== unknownValue && isJsonObject(result)) result['changed'] = true;
      return { outcome, number, changedUnits: [earlier.intent.unit, ...changedUnits] };
    }
    const outcome = finishedOutcome(task, module, scope);
    const { unit: before } = earlier.intent;
    return { outcome, number: before, changedUnits: outcome.changed ? [before] : [] };
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

  #end(
    step: StepInfo,
    host: InventoryHost,
    state: UnitState,
    details: {
      number?: number;
      item?: JsonValue | undefined;
      index?: number | undefined;
      label?: string | undefined;
      message?: string | undefined;
      outcome?: UnitOutcome;
      ignored?: boolean;
      task?: TaskNode;
      durationMs?: number;
    },
  ): string | undefined {
    const { emit, log } = this.#context;
    const { outcome, task } = details;
    const hidden = task?.noLog === true;
    const result =
      outcome && outcome.result !== unknownValue && isJsonObject(outcome.result)
        ? outcome.result
        : undefined;
    const message =
      hidden && outcome?.failed && outcome.rc !== undefined
        ? 'failed; its output is hidden by no_log'
        : (outcome?.message ?? details.message);
    const durationMs = details.durationMs ?? 0;
    log.write({
      t: 'result',
      unit: details.number ?? this.nextUnit(),
      step: step.number,
      host: host.name,
      ...(details.item === undefined || hidden ? {} : { item: details.item }),
      state,
      ignored: details.ignored,
      message,
      rc: outcome?.rc,
      digest: outcome && !hidden ? outputDigest(outcome.result) : undefined,
      durationMs,
      value: this.#keepsValue(task, details.index) && !hidden ? result : undefined,
      index: hidden ? undefined : details.index,
    });
    const text = (key: string) =>
      hidden ? undefined : typeof result?.[key] === 'string' ? result[key] : undefined;
    emit({
      type: 'unit-end',
      step,
      host: host.name,
      item: details.label,
      state,
      message,
      ignored: details.ignored,
      durationMs,
      undo: outcome?.undo,
      actions: hidden ? undefined : outcome?.actions,
      diff: hidden ? undefined : outcome?.diff,
      stdout: text('stdout'),
      stderr: text('stderr'),
    });
    return message;
  }

  /** An undo may ask for `result`; a resumed loop needs what its finished items registered. */
  #keepsValue(task: TaskNode | undefined, index: number | undefined): boolean {
    if (task?.undo.kind === 'tasks') return true;
    return index !== undefined && (task?.register !== undefined || task?.breakWhen.length !== 0);
  }

  /** Learns and records what the step has just taught about a host. */
  #learnNow(host: string, { task, step, place, kind, hosts }: LiveStep, result: HostStep): Learnt {
    traceValues(host, task, result);
    const { factCache, inventory, log, sealer } = this.#context;
    const gathered = result.setFacts['ansible_facts'];
    const address = inventory.hosts.get(host)?.address;
    if (address && gathered !== undefined && isJsonObject(gathered))
      factCache?.keep(address, gathered);
    const own: Record<string, ScopeValue> = {
      ...(task.register === undefined ? {} : { [task.register]: result.register }),
      ...result.setFacts,
    };
    const facts = Object.keys(own).length === 0 ? [] : [{ hosts: [host], values: own }];
    const learnt = forHosts(
      task,
      {
        host,
        facts: [
          ...facts,
          ...result.delegatedFacts.map((one) => ({ hosts: [one.host], values: one.facts })),
        ],
        left: result.leftGroups,
        joined: result.groups,
        added: result.addHosts.map((one) => this.#addressed(one)),
        included: result.included,
        handled: kind.handler ? task.id : undefined,
        due:
          result.changed && !result.failed
            ? dueHandlers(task, place.play, result.changedUnits)
            : [],
        failed: result.failed && !result.ignored ? (result.message ?? '') : undefined,
        uncertain: isUncertain(result) ? task.name : undefined,
      },
      hosts,
    );
    learn(this.#knowledge, learnt);
    log.write(learntRecord(learnt, { step: step.number, hidden: task.noLog, sealer }));
    return learnt;
  }

  /** A host that a step adds, with its address. One that is known keeps its address. */
  #addressed(added: AddedHost): AddedHost & { address: HostAddress } {
    const { inventory } = this.#context;
    const known = inventory.hosts.get(added.name);
    const address = known?.address ?? addressFromVars(added.name, added.vars, inventory.file);
    return { ...added, address };
  }
}

/** Before the run, a step inside a loop is known as that of "each" item. */
function stepPattern(id: string): RegExp {
  return new RegExp(`^${escapePattern(id).replaceAll('/each/', '/[^/]+/')}$`);
}

/** What `run_once` found on one host holds for all hosts of the step. */
function forHosts(task: TaskNode, learnt: Learnt, hosts: readonly string[]): Learnt {
  const [own, ...others] = learnt.facts ?? [];
  if (!task.runOnce || !own?.hosts.includes(learnt.host)) return learnt;
  return { ...learnt, facts: [{ ...own, hosts }, ...others] };
}

function traceValues(host: string, task: TaskNode, { register, setFacts }: HostStep): void {
  const values: [string, ScopeValue][] = Object.entries(setFacts);
  if (task.register !== undefined) values.push([task.register, register]);
  for (const [name, value] of values)
    trace('vars', () => {
      const known = value === unknownValue ? '(only a real run can tell)' : JSON.stringify(value);
      return `${host}: ${name} = ${task.noLog ? '(hidden by no_log)' : known}`;
    });
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
