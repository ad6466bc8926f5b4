import pLimit from 'p-limit';
import { RunnerError, TaskError, UnknownValueError } from '../core/errors.ts';
import type { StepInfo, UnitState } from '../core/events.ts';
import type { HostAddress } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import {
  loopItems,
  wholeName,
  type IncludeNode,
  type Play,
  type TaskNode,
} from '../core/playbook.ts';
import type { RecordedStep, Stored } from '../journal/recorded-run.ts';
import type { Included, IntentRecord, ResultRecord } from '../journal/records.ts';
import { parseCondition } from '../template/conditions.ts';
import { unknownValue, type Scope, type ScopeValue } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import { addressFromVars } from '../util/host-address.ts';
import { escapePattern } from '../util/text.ts';
import { trace } from '../util/trace.ts';
import { inventoryHost, type EngineContext } from './context.ts';
import { resolveAccess } from './access.ts';
import type { Variables } from './variables.ts';
import { loopVariables } from './include.ts';
import { learn, type Knowledge, type Learnt } from './knowledge.ts';
import { learntRecord, recordedLearnt } from './learnt-record.ts';
import { outputDigest, runUnit, type UnitOutcome } from './unit.ts';

export interface StepPlace {
  play: Play;
  batch: readonly string[];
  batchNumber: number;
  /** Tells the runs of a handler at several flush points apart. */
  flush: number;
  /** Hosts of the batch that failed, and how many may without failing the run. */
  tolerance: { most: number; failed: Set<string> };
  /** Ids of the roles around, the innermost last. */
  roles: readonly string[];
  /** The host that goes its own way, in a play whose hosts do not wait for each other. */
  alone?: string;
  /** In the rescue or always of a block of which something is selected by tags. */
  brought?: boolean;
}

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
  place: StepPlace;
  kind: StepKind;
  /** All hosts of the step, those with a recorded outcome included. */
  hosts: readonly string[];
}

interface HostStep {
  state: UnitState;
  register: ScopeValue;
  changed: boolean;
  failed: boolean;
  ignored: boolean;
  /** Why it failed. */
  message: string | undefined;
  setFacts: JsonObject;
  groups: string[];
  leftGroups: string[];
  addHosts: AddedHost[];
  changedUnits: number[];
  /** Facts of other hosts, which it was delegated to. */
  delegatedFacts: { host: string; facts: JsonObject }[];
  /** What an include resolved to. */
  included?: Included[] | undefined;
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
  readonly #replay: Map<string, RecordedStep>;
  readonly #counts = new Map<string, number>();
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
      replay,
      lastUnit,
      lastStep,
    }: {
      /** Of the playbook and its overlays: where templates and files are looked up behind the role's. */
      folders: readonly string[];
      replay: Map<string, RecordedStep>;
      lastUnit: number;
      lastStep: number;
    },
  ) {
    this.#context = context;
    this.#knowledge = knowledge;
    this.#variables = variables;
    this.#folders = folders;
    this.#replay = replay;
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
    place: StepPlace,
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
    place: StepPlace,
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
    place: StepPlace,
    kind: StepKind,
  ): Promise<Learnt[]> {
    const key = this.#key(task, place);
    const recorded = this.#replay.get(key);
    const earlier = task.oncePerPlay ? this.#oncePerPlay.get(key) : undefined;
    if (earlier) {
      for (const learnt of earlier) {
        const { host, facts } = forHosts(task, learnt, hosts);
        learn(this.#knowledge, { host, facts });
      }
      return earlier;
    }
    const before = task.oncePerPlay ? [...(recorded?.learnt.keys() ?? [])].slice(0, 1) : [];
    const first = before.length > 0 ? before : hosts.slice(0, 1);
    const once = task.runOnce ? first : hosts;
    const all: Learnt[] = [];
    if (task.oncePerPlay) this.#oncePerPlay.set(key, all);
    const pending: string[] = [];
    for (const host of once) {
      const record = recorded?.learnt.get(host)?.();
      const learnt =
        record && record.failed === undefined ? recordedLearnt(record, this.#context) : undefined;
      if (learnt) {
        learn(this.#knowledge, forHosts(task, learnt, hosts));
        all.push(learnt);
      } else pending.push(host);
    }
    if (pending.length > 0) await this.#runPending(task, pending, place, { key, kind, hosts, all });
    return all;
  }

  async #runPending(
    task: TaskNode,
    pending: string[],
    place: StepPlace,
    {
      key,
      kind,
      hosts,
      all,
    }: { key: string; kind: StepKind; hosts: readonly string[]; all: Learnt[] },
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
          const items = this.#replay.get(key)?.items.get(name);
          const result = agreed
            ? await this.#runHost(task, host, place, { step, kind, items })
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
    place: StepPlace,
    {
      step,
      kind,
      items: recorded,
    }: {
      step: StepInfo;
      kind: StepKind;
      items: ReadonlyMap<number, Stored<ResultRecord>> | undefined;
    },
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
    const items = this.#items(task, scopeOf());
    if (items instanceof RunnerError) return this.#notRun(step, host, items);
    if (items === undefined) {
      if (include) return this.#includeItem(include, host, step, { scope: scopeOf() });
      return this.#runItem(task, host, step, scopeOf(), { notifiedBy });
    }
    let ended = false;
    const parts = await mapLimited(items, task.loopParallel, async (item, index) => {
      if (ended) return undefined;
      const loop = { index, length: items.length };
      const scope = scopeOf(loopVariables(task, item, loop));
      if (include)
        return this.#includeItem(include, host, step, { scope, loop: { item, ...loop } });
      const known = this.#recordedItem(task, recorded, { index, item });
      if (known) return known;
      if (index > 0 && task.loopPauseSeconds > 0 && !this.#context.settings.check)
        await this.#context.clock
          .sleep(task.loopPauseSeconds * 1000, this.#context.signal)
          .catch(() => undefined);
      const part = await this.#runItem(task, host, step, scope, { item, index, notifiedBy });
      ended ||= this.#endsLoop(task, part, scope);
      return part;
    });
    if (parts.length === 0) this.#end(step, host, 'skipped', { message: 'the list is empty' });
    return combine(
      parts.filter((part) => part !== undefined),
      items,
    );
  }

  /** Whether the items behind this one are left out. */
  #endsLoop(task: TaskNode, part: HostStep, scope: Scope): boolean {
    if (task.loopStops && part.failed && !part.ignored) return true;
    if (task.breakWhen.length === 0 || part.register === unknownValue) return false;
    const values: JsonObject = { result: part.register };
    if (task.register !== undefined) values[task.register] = part.register;
    const inner = scope.with({ name: 'result', values, data: true });
    return task.breakWhen.every((condition) => parseCondition(condition).test(inner.variables));
  }

  #limit(task: TaskNode, place: StepPlace): ReturnType<typeof pLimit> {
    const { forks } = this.#context.settings;
    const most = Math.min(forks, task.throttle || forks);
    if (place.alone === undefined || !task.throttle) return pLimit(most);
    const known = this.#throttles.get(task.id) ?? pLimit(most);
    this.#throttles.set(task.id, known);
    return known;
  }

  /** The loop's items, undefined without a loop, or why they cannot be known. */
  #items(task: TaskNode, scope: Scope): JsonValue[] | undefined | RunnerError {
    if (task.loop === undefined) return undefined;
    try {
      const rendered = scope.render(task.loop);
      const items = loopItems(rendered);
      if (items) return items;
      const found = rendered === null ? 'null' : typeof rendered;
      return new InvalidTask(`"loop" must be a list, not ${found}.`, task);
    } catch (error) {
      if (error instanceof RunnerError) return error;
      throw error;
    }
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
    }: { item?: JsonValue; index?: number; notifiedBy: number[] | undefined },
  ): Promise<HostStep> {
    const number = this.nextUnit();
    const began = Date.now();
    let target: InventoryHost;
    let label: string | undefined;
    try {
      if (!task.when.every((condition) => parseCondition(condition).test(scope.variables))) {
        this.#end(step, host, 'skipped', { number, item, index });
        return emptyStep('skipped', { skipped: true, changed: false, failed: false });
      }
      target = this.#target(task, host, scope);
      if (target !== host && !task.readOnly && !this.#context.settings.check)
        await this.#context.locks.take(
          new Map([[target.name, resolveAccess(task.become, target.address, scope)]]),
        );
      label = item === undefined ? undefined : labelOf(task, item, scope);
    } catch (error) {
      if (error instanceof RunnerError) return this.#notRun(step, host, error);
      throw error;
    }
    const outcome = await runUnit(this.#context, {
      number,
      task,
      step,
      host,
      target,
      scope,
      item,
      label,
      folders: [...(task.role ? [task.role.path] : []), ...this.#folders],
      notifiedBy,
      shared: sharedBy(task, host, target),
      recorded: true,
    });
    if (outcome.undo !== undefined) this.#context.fault?.('after-effect', task.id);
    if (this.#context.settings.check) this.#weighPrediction(outcome, host.name, target.name);
    if (this.#failAt?.test(task.id) === true && !this.#injected) {
      this.#injected = true;
      Object.assign(outcome, {
        state: 'failed',
        failed: true,
        message: 'made to fail by --fail-at',
      } satisfies Partial<UnitOutcome>);
    }
    const tolerated = outcome.state === 'unreachable' ? task.ignoreUnreachable : task.ignoreErrors;
    const ignored = outcome.failed && tolerated && outcome.mistake !== true;
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
      changed: outcome.changed,
      failed: outcome.failed,
      ignored,
      message,
      setFacts: elsewhere ? {} : (outcome.setFacts ?? {}),
      delegatedFacts:
        elsewhere && outcome.setFacts ? [{ host: target.name, facts: outcome.setFacts }] : [],
      groups: outcome.joinGroups ?? [],
      leftGroups: outcome.leaveGroups ?? [],
      addHosts: outcome.addHosts ?? [],
      changedUnits: outcome.changed ? [number] : [],
    };
  }

  /** In check mode a step may fail only because an earlier one was not really done: then nobody can tell. */
  #weighPrediction(outcome: UnitOutcome, ...hosts: string[]): void {
    const { predicted } = this.#knowledge;
    if (outcome.failed && outcome.state === 'failed' && hosts.some((host) => predicted.has(host))) {
      const message = `cannot be told before the run: ${outcome.message ?? ''}`;
      Object.assign(outcome, {
        state: 'unknown',
        failed: false,
        result: unknownValue,
        message,
      } satisfies Partial<UnitOutcome>);
    }
    if (outcome.changed)
      for (const host of hosts) learn(this.#knowledge, { host, predicted: true });
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
    return task?.undo.kind === 'tasks' || (index !== undefined && task?.register !== undefined);
  }

  /** What a resumed run knows of an item that was done before. */
  #recordedItem(
    task: TaskNode,
    recorded: ReadonlyMap<number, Stored<ResultRecord>> | undefined,
    { index, item }: { index: number; item: JsonValue },
  ): HostStep | undefined {
    const known = recorded?.get(index)?.();
    if (!known || !doneStates.has(known.state) || known.ignored === true) return undefined;
    const { redactor } = this.#context;
    if (JSON.stringify(known.item) !== JSON.stringify(redactor.referenceAll(item)))
      return undefined;
    const skipped = { skipped: true, changed: false, failed: false };
    const value = known.state === 'skipped' ? skipped : (known.value ?? {});
    return {
      ...emptyStep(known.state, withItem(redactor.resolveAll(value), task.loopVar, item)),
      changed: known.state === 'changed',
      changedUnits: known.state === 'changed' ? [known.unit] : [],
    };
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

  /** The same for the same execution in a resumed run. */
  #key(task: TaskNode, place: StepPlace): string {
    const batch = task.oncePerPlay ? 'once' : String(place.batchNumber);
    const own = place.alone === undefined ? '' : `|${place.alone}`;
    const base = `${place.play.id}|${batch}|${String(place.flush)}|${task.id}${own}`;
    if (task.oncePerPlay) return base;
    const count = (this.#counts.get(base) ?? 0) + 1;
    this.#counts.set(base, count);
    return `${base}|${String(count)}`;
  }
}

/** Before the run, a step inside a loop is known as that of "each" item. */
function stepPattern(id: string): RegExp {
  return new RegExp(`^${escapePattern(id).replaceAll('/each/', '/[^/]+/')}$`);
}

const doneStates = new Set<UnitState>(['ok', 'changed', 'skipped']);

/** A playbook error that shows itself only while running. */
class InvalidTask extends RunnerError {
  readonly code = 'TASK_INVALID';
  constructor(message: string, task: TaskNode) {
    super(message, { at: task.at });
  }
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

function emptyStep(state: UnitState, register: ScopeValue): HostStep {
  return {
    state,
    register,
    changed: false,
    failed: false,
    ignored: false,
    message: undefined,
    setFacts: {},
    delegatedFacts: [],
    groups: [],
    leftGroups: [],
    addHosts: [],
    changedUnits: [],
  };
}

function isUncertain({ state }: HostStep): boolean {
  return state === 'unknown' || state === 'unreachable';
}

/** What `run_once` found on one host holds for all hosts of the step. */
function forHosts(task: TaskNode, learnt: Learnt, hosts: readonly string[]): Learnt {
  const [own, ...others] = learnt.facts ?? [];
  if (!task.runOnce || !own?.hosts.includes(learnt.host)) return learnt;
  return { ...learnt, facts: [{ ...own, hosts }, ...others] };
}

/** The handlers that a changed task notifies. */
function dueHandlers(
  task: TaskNode,
  { handlers: all }: Play,
  by: readonly number[],
): NonNullable<Learnt['due']> {
  const due = all.filter(
    (handler) =>
      (task.notify.includes(handler.name) && handler === namesake(handler.name, task, all)) ||
      (handler.role && task.notify.includes(wholeName(handler))) ||
      handler.listen.some((topic) => task.notify.includes(topic)),
  );
  return due.map(({ id }) => ({ handler: id, by }));
}

/** Of handlers with one name, that of the task's own role, or of the play for its own tasks, or the last. */
function namesake(
  name: string,
  task: TaskNode,
  handlers: readonly TaskNode[],
): TaskNode | undefined {
  const same = handlers.filter((handler) => handler.name === name);
  return same.findLast(({ role }) => role === task.role) ?? same.at(-1);
}

function labelOf(task: TaskNode, item: JsonValue, scope: Scope): string {
  if (task.label !== undefined) return String(scope.render(task.label));
  if (isJsonObject(item))
    return typeof item['name'] === 'string' ? item['name'] : JSON.stringify(item);
  return typeof item === 'string' ? item : JSON.stringify(item);
}

function withItem(result: ScopeValue, loopVar: string, item: JsonValue | undefined): ScopeValue {
  if (item === undefined || result === unknownValue || !isJsonObject(result)) return result;
  return { ...result, [loopVar]: item };
}

function combine(parts: HostStep[], items: JsonValue[]): HostStep {
  const unknown = parts.some(({ register }) => register === unknownValue);
  const failed = parts.some((part) => part.failed);
  const changed = parts.some((part) => part.changed);
  const allSkipped = parts.every(({ state }) => state === 'skipped');
  const results = parts.map(({ register }) => register as JsonValue);
  const lost = parts.find((part) => isUncertain(part));
  const state: UnitState = lost
    ? lost.state
    : failed
      ? 'failed'
      : changed
        ? 'changed'
        : allSkipped
          ? 'skipped'
          : 'ok';
  return {
    state,
    register: unknown
      ? unknownValue
      : { results, changed, failed, skipped: allSkipped, count: items.length },
    changed,
    failed,
    ignored: parts.filter((part) => part.failed).every((part) => part.ignored) && failed,
    message: parts.findLast((part) => part.failed && !part.ignored)?.message,
    setFacts: Object.assign({}, ...parts.map((part) => part.setFacts)) as JsonObject,
    delegatedFacts: parts.flatMap((part) => part.delegatedFacts),
    groups: parts.flatMap((part) => part.groups),
    leftGroups: parts.flatMap((part) => part.leftGroups),
    addHosts: parts.flatMap((part) => part.addHosts),
    changedUnits: parts.flatMap((part) => part.changedUnits),
    included: parts.flatMap((part) => part.included ?? []),
  };
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
