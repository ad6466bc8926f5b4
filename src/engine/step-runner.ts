import pLimit from 'p-limit';
import { RunnerError, type TaskError } from '../core/errors.ts';
import type { StepInfo } from '../core/events.ts';
import type { HostAddress } from '../core/host.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { failureText } from '../core/failure.ts';
import type { AddedHost } from '../core/module.ts';
import type { IncludeNode, MetaNode, TaskNode } from '../language/document.ts';
import { failureIn, isUncertain, resultOf, type Outcome } from '../core/outcome.ts';
import type { Included } from '../journal/records.ts';
import { unknownValue, type ScopeValue } from '../template/scope.ts';
import { mapLimited } from '../util/concurrency.ts';
import { addressFromVars } from '../util/host-address.ts';
import { trace } from '../util/trace.ts';
import { askHosts } from './ask-hosts.ts';
import { inventoryHost, type EngineContext } from './context.ts';
import type { Failures } from './failures.ts';
import { Interrupted } from './interrupted.ts';
import type { Variables } from './variables.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { loopVariables } from './include.ts';
import { type ItemRunner, type Resolved } from './item.ts';
import { combineItems, endsLoop, isSameItem, itemsOf, recordedItem } from './loop.ts';
import { dueHandlers } from './notify.ts';
import type { Numbers } from './numbers.ts';
import { learn, type Knowledge, type Learnt } from './knowledge.ts';
import { learntRecord, recordedLearnt } from './learnt-record.ts';
import { finishedUnits, replay, stepEntry, type StepEntry } from './replay.ts';
import type { Place, StepKeys } from './step-key.ts';

/** A task, or what is resolved without asking a host: an include or a `meta` step. */
export type Step = TaskNode | IncludeNode | MetaNode;

/** Runs a step on hosts, at a place of the run. */
export type RunStep = (
  node: Step,
  hosts: readonly string[],
  place: Place,
) => Promise<{
  /** Hosts on which it failed and was not ignored. */
  failed: Failures;
  /** What each of the other hosts includes, in their order; what a `meta` step resolves to where its condition holds. */
  included: ReadonlyMap<string, readonly Included[]>;
}>;

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

/** What runs a step on one host, for one item. */
type Items = Pick<ItemRunner, 'run' | 'include' | 'end' | 'notRun'>;

/** Runs one task over hosts: conditions, loops, registers, notifications, records. */
export class StepRunner {
  readonly #context: EngineContext;
  readonly #knowledge: Knowledge;
  readonly #variables: Variables;
  readonly #items: Items;
  readonly #numbers: Numbers;
  readonly #keys: StepKeys;
  /** What steps that run once in a play taught, by key. */
  readonly #oncePerPlay = new Map<string, Learnt[]>();
  /** Hosts that reach a step at different times share its limit. */
  readonly #throttles = new Map<string, ReturnType<typeof pLimit>>();

  constructor(
    context: EngineContext,
    {
      knowledge,
      variables,
      items,
      numbers,
      keys,
    }: {
      knowledge: Knowledge;
      variables: Variables;
      items: Items;
      numbers: Numbers;
      keys: StepKeys;
    },
  ) {
    this.#context = context;
    this.#knowledge = knowledge;
    this.#variables = variables;
    this.#items = items;
    this.#numbers = numbers;
    this.#keys = keys;
  }

  readonly run: RunStep = async (node, hosts, place) => {
    if (node.kind === 'task') {
      const handler = place.at !== 'section';
      const all = await this.#runAll(node, hosts, place, { handler });
      return { failed: failuresOf(node, all, hosts), included: new Map() };
    }
    const { task } = node;
    const locate = node.kind === 'include' ? node.locate : () => '';
    const kind = { handler: false, include: { task, locate } };
    return includedOn(task, await this.#runAll(task, hosts, place, kind), hosts);
  };

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
    const open = await askHosts(this.#context, task, ask);
    if (todo.length > 0)
      await this.#runPending(task, todo, place, { key, kind, entry, hosts, all, open });
    return all;
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
      open,
    }: {
      key: string;
      kind: StepKind;
      entry: StepEntry | undefined;
      hosts: readonly string[];
      all: Learnt[];
      /** Hosts on which it must not run, with why. */
      open: ReadonlyMap<string, TaskError>;
    },
  ): Promise<void> {
    const { clock, log } = this.#context;
    const step: StepInfo = {
      id: task.id,
      number: this.#numbers.nextStep(),
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
    if (agree && this.#context.isStopping()) throw new Interrupted();
    const began = clock.now();
    log.write({ t: 'step', step, hosts: pending, key });
    const limit = this.#limit(task, place);
    const ended = await Promise.allSettled(
      pending.map((name) =>
        limit(async () => {
          const host = inventoryHost(this.#context.inventory, name);
          if (!host) throw new Error(`Host "${name}" is not in the inventory.`);
          const obstacle = open.get(name);
          const result = obstacle
            ? this.#items.notRun(step, host, obstacle)
            : agreed
              ? await this.#runHost(task, host, place, { step, kind, entry })
              : this.#leftOut(step, host);
          all.push(this.#learnNow(name, { task, step, place, kind, hosts }, result));
        }),
      ),
    );
    // All of them have ended by now: what follows an internal error or a full disk finds no step still going on.
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    log.signal({ t: 'step-end', step, durationMs: clock.now() - began });
  }

  #leftOut(step: StepInfo, host: InventoryHost): HostStep {
    const left: Outcome = { is: 'skipped', why: 'left out by the operator' };
    this.#items.end(step, host, left);
    return emptyStep(left);
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
    if (items instanceof RunnerError) return this.#items.notRun(step, host, items);
    if (items === undefined) {
      if (include) return this.#items.include(include, host, step, { scope: scopeOf() });
      const earlier = finished.get(undefined);
      return this.#items.run({ task, host, step, scope: scopeOf(), notifiedBy, earlier });
    }
    let ended = false;
    const parts = await mapLimited(items, task.loopParallel, async (item, index) => {
      if (ended) return undefined;
      const loop = { index, length: items.length };
      const scope = scopeOf(loopVariables(task, item, loop));
      if (include)
        return this.#items.include(include, host, step, { scope, loop: { item, ...loop } });
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
      const part = await this.#items.run({
        ...{ task, host, step, scope, item, index, notifiedBy, earlier },
      });
      ended ||= endsLoop(task, part, scope);
      return part;
    });
    if (parts.length === 0)
      this.#items.end(step, host, { is: 'skipped', why: 'the list is empty' });
    return combineItems(
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

  /** Learns and records what the step has just taught about a host. */
  #learnNow(host: string, { task, step, place, kind, hosts }: LiveStep, result: HostStep): Learnt {
    traceValues(host, task, result);
    const { clock, factCache, inventory, log, sealer } = this.#context;
    const gathered = result.setFacts['ansible_facts'];
    const address = inventory.hosts.get(host)?.address;
    if (address && gathered !== undefined && isJsonObject(gathered))
      factCache?.keep(address, { facts: gathered, gatheredAt: new Date(clock.now()) });
    const { outcome, ignored } = result;
    const failure = failureIn(outcome);
    const own: Record<string, ScopeValue> = {
      ...(task.register === undefined
        ? {}
        : { [task.register]: resultOf(outcome) ?? unknownValue }),
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
          result.changedUnits.length > 0 && !failure
            ? dueHandlers(task, place.play, result.changedUnits)
            : [],
        failed: failure && !ignored ? (failureText(failure) ?? '') : undefined,
        uncertain: isUncertain(outcome) ? task.name : undefined,
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

function failuresOf(task: TaskNode, all: readonly Learnt[], hosts: readonly string[]): Failures {
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
function includedOn(
  task: TaskNode,
  all: readonly Learnt[],
  hosts: readonly string[],
): Awaited<ReturnType<RunStep>> {
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

/** What `run_once` found on one host holds for all hosts of the step. */
function forHosts(task: TaskNode, learnt: Learnt, hosts: readonly string[]): Learnt {
  const [own, ...others] = learnt.facts ?? [];
  if (!task.runOnce || !own?.hosts.includes(learnt.host)) return learnt;
  return { ...learnt, facts: [{ ...own, hosts }, ...others] };
}

function traceValues(host: string, task: TaskNode, { outcome, setFacts }: HostStep): void {
  const values: [string, ScopeValue][] = Object.entries(setFacts);
  if (task.register !== undefined) values.push([task.register, resultOf(outcome) ?? unknownValue]);
  for (const [name, value] of values)
    trace('vars', () => {
      const known = value === unknownValue ? '(only a real run can tell)' : JSON.stringify(value);
      return `${host}: ${name} = ${task.noLog ? '(hidden by no_log)' : known}`;
    });
}
