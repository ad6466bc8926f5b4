import pLimit from 'p-limit';
import type { TaskError } from '../core/errors.ts';
import type { StepInfo } from '../core/states.ts';
import type { HostAddress } from '../core/host.ts';
import { inventoryHost, type InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { resultOf, type Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { Log } from '../journal/log.ts';
import type { Included, LearntRecord } from '../journal/records.ts';
import type { IncludeNode, MetaNode, TaskNode } from '../language/document.ts';
import { unknownValue, type ScopeValue } from '../template/scope.ts';
import { trace } from '../util/trace.ts';
import type { Failures } from './failures.ts';
import { emptyStep, type HostStep } from './host-step.ts';
import { Interrupted } from './interrupted.ts';
import { learn, type Knowledge, type Learnt } from './knowledge.ts';
import { learntRecord } from './learnt-record.ts';
import type { Numbers } from './numbers.ts';
import { onHost, type LiveStep, type OnHostParts } from './on-host.ts';
import { replay, stepEntry, type StepEntry } from './replay.ts';
import type { Place, StepKeys } from './step-key.ts';
import { failuresOf, forHosts, includedOn, taught, type Executed } from './taught.ts';

/** A task, or a node that is resolved without contacting a host: an include or a `meta` step. */
export type Step = TaskNode | IncludeNode | MetaNode;

/** Runs a step on hosts, at a position of the run. */
export type RunStep = (
  node: Step,
  hosts: readonly string[],
  place: Place,
) => Promise<{
  /** Hosts on which the step failed without being ignored. */
  failed: Failures;
  /**
   * What each of the other hosts includes, in their order. For a `meta` step, not empty where its
   * condition is true.
   */
  included: ReadonlyMap<string, readonly Included[]>;
}>;

export interface StepParts extends OnHostParts {
  knowledge: Knowledge;
  log: Pick<Log, 'state' | 'executions' | 'rescued' | 'write' | 'signal'>;
  clock: Pick<Clock, 'now'>;
  isStopping: () => boolean;
  /** Asks the operator whether to run a step. Undefined without "--step". */
  agree?: ((step: StepInfo, hosts: readonly string[]) => Promise<boolean>) | undefined;
  numbers: Pick<Numbers, 'nextStep'>;
  keys: StepKeys;
  /** Number of hosts to work on in parallel. */
  forks: number;
  /**
   * Reads what a step taught about a host. Undefined when a part of the record is missing or cannot
   * be decrypted.
   */
  recall: (record: LearntRecord<'stored'>) => Learnt | undefined;
  /**
   * Asks hosts for the outcomes of changes without a result. Returns why the task must not run
   * again, by host.
   */
  ask: (task: TaskNode, units: readonly number[]) => Promise<ReadonlyMap<string, TaskError>>;
  /** Caches facts for later runs. */
  keepFacts: (address: HostAddress, facts: JsonObject) => void;
}

/** State that is kept between executions of steps. */
interface Memory {
  /** What steps that run once per play taught, by key. */
  once: Map<string, Learnt[]>;
  /** Limits of "throttle", shared by hosts that reach a step at different times. */
  throttles: Map<string, ReturnType<typeof pLimit>>;
}

/** One execution of a step. */
interface Execution extends LiveStep {
  key: string;
  /** All hosts of the step, including those with a recorded outcome. */
  hosts: readonly string[];
  /** What was learnt about them so far. */
  all: Learnt[];
}

/** Creates the function that runs a step on the hosts on which its outcome is not recorded. */
export function step(parts: StepParts): RunStep {
  const memory: Memory = { once: new Map(), throttles: new Map() };
  return async (node, hosts, place) => {
    if (node.kind === 'task') {
      const executed = await runStep(parts, memory, { task: node, hosts, place });
      return { failed: failuresOf(node, executed, hosts), included: new Map() };
    }
    const { task } = node;
    const resolves = { task, locate: node.kind === 'include' ? node.locate : () => '' };
    return includedOn(task, await runStep(parts, memory, { task, hosts, place, resolves }), hosts);
  };
}

type Asked = Pick<Execution, 'task' | 'hosts' | 'place' | 'resolves'>;

async function runStep(parts: StepParts, memory: Memory, asked: Asked): Promise<Executed> {
  const { knowledge, log } = parts;
  const { task, hosts, place, resolves } = asked;
  const key = parts.keys.next(task.id, place, { once: task.oncePerPlay });
  const earlier = task.oncePerPlay ? memory.once.get(key) : undefined;
  if (earlier) {
    for (const learnt of earlier) {
      const { host, facts } = forHosts(task, learnt, hosts);
      learn(knowledge, { host, facts });
    }
    return { key, all: earlier };
  }
  const { rolledBack } = log.state;
  const entry = stepEntry(log, key);
  const before = hostsOnRecord(entry).find((host) => task.oncePerPlay || hosts.includes(host));
  const first = before ?? hosts.find((host) => !rolledBack.has(host));
  const once = first === undefined ? [] : [first];
  const all: Learnt[] = [];
  if (task.oncePerPlay) memory.once.set(key, all);
  const { done, ask, todo } = replay(entry, task.runOnce ? once : hosts, {
    rolledBack,
    rescued: log.rescued(key),
    read: (record) =>
      resolves && record.included === undefined && record.sealed === undefined
        ? undefined
        : parts.recall(record),
  });
  for (const learnt of done.values()) {
    learn(knowledge, forHosts(task, learnt, hosts));
    all.push(learnt);
  }
  const obstacles = await parts.ask(task, ask);
  if (todo.length === 0) return { key, all };
  const info = infoOf(parts, asked);
  const execution = { ...asked, step: info, key, entry, all };
  await runPending(parts, execution, todo, {
    obstacles,
    limit: limitOf(parts, memory, asked),
  });
  return { key, all };
}

/** Hosts on which the step ended, then those on which it started. */
function hostsOnRecord(entry: StepEntry | undefined): string[] {
  if (!entry) return [];
  return [...entry.learnt.keys(), ...entry.units.map(({ intent }) => intent.host)];
}

function infoOf({ numbers }: StepParts, { task, place }: Asked): StepInfo {
  const { id, name, module, at, throttle } = task;
  return {
    id,
    number: numbers.nextStep(),
    play: place.play.name,
    name,
    module,
    at,
    handler: place.at !== 'section',
    ...(throttle ? { throttle } : {}),
  };
}

/** Runs the step on the hosts on which it is not done. */
async function runPending(
  parts: StepParts,
  execution: Execution,
  pending: readonly string[],
  {
    obstacles,
    limit,
  }: { obstacles: ReadonlyMap<string, TaskError>; limit: ReturnType<typeof pLimit> },
): Promise<void> {
  const { agree, clock, knowledge, log } = parts;
  const { step: info, key, all } = execution;
  const agreed = agree === undefined || (await agree(info, pending));
  // The operator may have chosen to end the run here.
  if (agree && parts.isStopping()) throw new Interrupted();
  const began = clock.now();
  log.write({ t: 'step', step: info, hosts: [...pending], key });
  const ended = await Promise.allSettled(
    pending.map((name) =>
      limit(async () => {
        const host = inventoryHost(knowledge.inventory, name);
        if (!host) throw new Error(`Host "${name}" is not in the inventory.`);
        const obstacle = obstacles.get(name);
        const result = obstacle
          ? parts.items.notRun(info, host, obstacle, execution.task)
          : agreed
            ? await onHost(parts, execution, host)
            : leftOut(parts, info, host);
        all.push(learnNow(parts, execution, name, result));
      }),
    ),
  );
  // All hosts have ended by now, so no step is still running when an internal error or a full disk
  // is handled.
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  log.signal({ t: 'step-end', step: info, durationMs: clock.now() - began });
}

function leftOut({ items }: StepParts, info: StepInfo, host: InventoryHost): HostStep {
  const left: Outcome = { is: 'skipped', why: 'skipped by the operator' };
  items.end(info, host, left);
  return emptyStep(left);
}

function limitOf(
  { forks }: StepParts,
  { throttles }: Memory,
  { task, place }: Asked,
): ReturnType<typeof pLimit> {
  const most = Math.min(forks, task.throttle || forks);
  if (place.own === undefined || !task.throttle) return pLimit(most);
  const known = throttles.get(task.id) ?? pLimit(most);
  throttles.set(task.id, known);
  return known;
}

/** Learns and records what the step taught about a host. */
function learnNow(
  { knowledge, log, sealer, keepFacts }: StepParts,
  execution: Execution,
  host: string,
  result: HostStep,
): Learnt {
  const { task, step: info, hosts } = execution;
  traceValues(host, task, result);
  const { inventory } = knowledge;
  const gathered = result.setFacts['ansible_facts'];
  const address = inventory.hosts.get(host)?.address;
  if (address && gathered !== undefined && isJsonObject(gathered)) keepFacts(address, gathered);
  const learnt = forHosts(task, taught(result, host, execution, inventory), hosts);
  learn(knowledge, learnt);
  log.write(learntRecord(learnt, { step: info.number, hidden: task.noLog, sealer }));
  return learnt;
}

function traceValues(host: string, task: TaskNode, { outcome, setFacts }: HostStep): void {
  const values: [string, ScopeValue][] = Object.entries(setFacts);
  if (task.register !== undefined) values.push([task.register, resultOf(outcome) ?? unknownValue]);
  for (const [name, value] of values)
    trace('vars', () => {
      const known = value === unknownValue ? '(known only in a real run)' : JSON.stringify(value);
      return `${host}: ${name} = ${task.noLog ? '(hidden by no_log)' : known}`;
    });
}
