import type { Forward } from '../core/endings.ts';
import pLimit from 'p-limit';
import { PlaybookError, TimeLimitError } from '../core/errors.ts';
import { failureOf, failureText } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import type {
  BlockNode,
  IncludeNode,
  IncludePart,
  MetaNode,
  Node,
  Play,
  Playbook,
  PlaySection,
  TaskNode,
} from '../language/document.ts';
import type { Log } from '../journal/log.ts';
import { mostFailures } from './batches.ts';
import { notReady, passCommit, writeCommit, type CommitParts } from './commit.ts';
import { describeFailures, notBegun, type Failures, type StepFailure } from './failures.ts';
import { includedParts } from './include.ts';
import { Interrupted } from './interrupted.ts';
import { applyConsequence, learn, type Knowledge } from './knowledge.ts';
import type { WantedPolicy } from './rollback-tasks.ts';
import type { Selection } from './select.ts';
import type { RunSettings } from './settings.ts';
import type { Place } from './step-key.ts';
import type { RunStep } from './step.ts';
import { groupBy } from '../util/group.ts';

/** What the scheduler needs. It contacts no host and renders no template. */
export interface ScheduleParts {
  step: RunStep;
  knowledge: Knowledge;
  log: Pick<Log, 'state' | 'hasPassed' | 'rescued' | 'write' | 'append' | 'signal' | 'hasIntents'>;
  select: Select;
  nodes: NodeParts;
  rollback: WalkRollback;
  end: EndParts;
  /** `forks`: number of hosts to work on in parallel. */
  settings: Pick<RunSettings, 'forks' | 'check'>;
}

/** Which steps of a playbook run, and on which hosts. */
export interface Select extends Pick<Selection, 'has' | 'hasSome' | 'leavesOut'> {
  /** The batches of a play. */
  batches: (play: Play) => string[][];
  /** Hosts of a play that are left out, because they failed before. */
  left: (play: Play) => string[];
}

/** What nodes do besides running steps. */
export interface NodeParts {
  /** @throws PlaybookError */
  expand: (node: IncludeNode, part: IncludePart, play: Play) => Node[];
  /** Runs the action of a `meta` step on the hosts whose condition is true. */
  meta: (node: MetaNode, hosts: readonly string[], place: Place) => Promise<void>;
  commit: Pick<CommitParts, 'lastUnit' | 'pendingFailAt'>;
}

interface WalkRollback {
  /**
   * Records the rollback settings before any step runs.
   *
   * @param hosts default: all hosts of the run
   */
  recordPolicy: (wanted: WantedPolicy, hosts?: readonly string[]) => void;
  /** Records the undo of a block. Returns a function that records the end of the block. */
  openBlock: (block: BlockNode, hosts: readonly string[], place: Place) => () => void;
  /**
   * Rolls back failed hosts that "max_failures" tolerates. False if some changes could not be
   * undone.
   */
  rollBackHosts: (hosts: string[]) => Promise<boolean>;
}

/** Whether no further step may start. */
export interface EndParts {
  isStopping: () => boolean;
  /** Whether the time limit of the playbook is exceeded. */
  isTimeUp: () => boolean;
}

/** Runs the plays: their batches, sections, blocks and handlers. */
export async function schedule(
  { plays, rollback }: Pick<Playbook, 'plays' | 'rollback'>,
  parts: ScheduleParts,
): Promise<Forward> {
  const [first] = plays;
  if (first) parts.rollback.recordPolicy({ id: '', policy: rollback, play: first });
  for (const play of plays) {
    if (parts.select.leavesOut(play)) continue;
    const failed = await runPlay(parts, play);
    if (failed.size === 0) continue;
    // Failures after an abort are caused by the abort; do not report them.
    if (parts.end.isStopping()) throw new Interrupted();
    const message = describeFailures(failed);
    return { status: 'failed', message, changedAnything: parts.log.hasIntents };
  }
  const { tolerated, unsettled } = parts.knowledge;
  return { status: 'done', left: [...tolerated].sort(), incomplete: unsettled.size > 0 };
}

/** Returns the failures that end the run. */
async function runPlay(parts: ScheduleParts, play: Play): Promise<Failures> {
  const { knowledge, log } = parts;
  // A resumed run keeps its batches: groups or the value of "serial" may have changed since.
  const batches = log.state.plays.get(play.id) ?? parts.select.batches(play);
  if (batches.length > 0 && !log.state.plays.has(play.id))
    log.write({ t: 'play', id: play.id, batches });
  const inPlay = new Set(batches.flat());
  const left =
    batches.length === 0 ? [] : parts.select.left(play).filter((host) => !inPlay.has(host));
  for (const [index, batch] of batches.entries()) {
    log.signal({
      t: 'batch',
      play: play.name,
      hosts: batch,
      batch: index + 1,
      batches: batches.length,
      ...(index === 0 && left.length > 0 ? { left } : {}),
    });
    if (index === 0)
      parts.rollback.recordPolicy({ id: play.id, policy: play.rollback, play }, batches.flat());
    const place: Place = { play, batch, number: index + 1, at: 'section', roles: [] };
    for (const section of play.sections) {
      await runSection(parts, section, place);
      if (hasTooManyFailed(parts, place)) return failedIn(parts, place);
    }
    await rollBackFailed(parts, place);
    if (play.commit === 'batch') await commitPlay(parts, `${play.id} batch ${String(index + 1)}`);
    if (knowledge.endedPlays.has(play.id)) break;
  }
  if (play.commit === 'end') await commitPlay(parts, play.id);
  return new Map();
}

async function runSection(
  parts: ScheduleParts,
  { name, nodes }: PlaySection,
  place: Place,
): Promise<void> {
  if (place.play.strategy === 'free') await runFreely(parts, nodes, active(parts, place), place);
  else await runNodes(parts, nodes, active(parts, place), place, false);
  if (hasTooManyFailed(parts, place)) return;
  await flush(parts, active(parts, place), { ...place, at: `flush:${name}` }, false);
}

/**
 * With `strategy: free`: runs each host independently of the others. All have ended when this
 * returns.
 */
async function runFreely(
  parts: ScheduleParts,
  nodes: readonly Node[],
  hosts: readonly string[],
  place: Place,
): Promise<void> {
  const limit = pLimit(parts.settings.forks);
  const ended = await Promise.allSettled(
    hosts.map((host) =>
      limit(() => runNodes(parts, nodes, [host], { ...place, own: host }, false)),
    ),
  );
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}

/**
 * Runs nodes in order and returns the hosts that failed.
 *
 * @param rescuable an enclosing block may rescue failures, so the other hosts continue. Otherwise
 * too many failures end it
 */
async function runNodes(
  parts: ScheduleParts,
  nodes: readonly Node[],
  hosts: readonly string[],
  place: Place,
  rescuable: boolean,
): Promise<Failures> {
  const failed: Failures = new Map();
  for (const node of nodes) {
    const left = hosts.filter((host) => !failed.has(host) && !hasEnded(parts, host, place));
    // With "strategy: free", too many failures stop the other hosts at their next step.
    if (left.length === 0 || (place.own !== undefined && hasTooManyFailed(parts, place))) break;
    if (parts.end.isStopping()) throw new Interrupted();
    checkTime(parts);
    add(failed, await runNode(parts, node, left, place, rescuable));
    if (rescuable) continue;
    drop(parts, failed);
    if (hasTooManyFailed(parts, place)) break;
  }
  return failed;
}

async function runNode(
  parts: ScheduleParts,
  node: Node,
  hosts: readonly string[],
  place: Place,
  rescuable: boolean,
): Promise<Failures> {
  if (!parts.select.has(node, place.brought)) return new Map();
  switch (node.kind) {
    case 'task':
      return runTask(parts, node, hosts, place, rescuable);
    case 'block':
      return runBlock(parts, node, hosts, place, rescuable);
    case 'commit':
      return passCommit(commitParts(parts, rescuable), node, hosts, place);
    case 'flush':
      return flush(parts, hosts, { ...place, at: 'flush:now' }, rescuable);
    case 'meta':
      return runMeta(parts, node, hosts, place);
    case 'include':
      return runInclude(parts, node, hosts, place, rescuable);
  }
}

async function runTask(
  parts: ScheduleParts,
  task: TaskNode,
  hosts: readonly string[],
  place: Place,
  rescuable: boolean,
): Promise<Failures> {
  if (task.irreversible !== undefined) {
    const irreversible = { irreversible: true };
    const own = commitParts(parts, rescuable);
    const unready = await notReady(own, task, hosts, place, irreversible);
    if (unready.size > 0) return unready;
  }
  return (await parts.step(task, hosts, place)).failed;
}

async function runMeta(
  parts: ScheduleParts,
  node: MetaNode,
  hosts: readonly string[],
  place: Place,
): Promise<Failures> {
  // The result of its condition is recorded like that of an include.
  const { failed, included } = await parts.step(node, hosts, place);
  const chosen = [...included].filter(([, items]) => items.length > 0).map(([host]) => host);
  if (chosen.length > 0) await parts.nodes.meta(node, chosen, place);
  return failed;
}

/** Determines what each host includes, and runs each part on the hosts that share it. */
async function runInclude(
  parts: ScheduleParts,
  node: IncludeNode,
  hosts: readonly string[],
  place: Place,
  rescuable: boolean,
): Promise<Failures> {
  const { failed, included } = await parts.step(node, hosts, place);
  for (const part of includedParts(node, included)) {
    if (!rescuable) drop(parts, failed);
    if (!rescuable && hasTooManyFailed(parts, place)) break;
    const left = part.hosts.filter((host) => !failed.has(host));
    if (left.length === 0) continue;
    let nodes: Node[];
    try {
      nodes = parts.nodes.expand(node, part, place.play);
    } catch (error) {
      if (!(error instanceof PlaybookError)) throw error;
      const failure = failureOf(error, { place: true });
      add(failed, notBegun(left, node.task, failure));
      continue;
    }
    add(failed, await runNodes(parts, nodes, left, place, rescuable));
  }
  return failed;
}

async function runBlock(
  parts: ScheduleParts,
  block: BlockNode,
  hosts: readonly string[],
  around: Place,
  rescuable: boolean,
): Promise<Failures> {
  const place = block.isRole ? { ...around, roles: [...around.roles, block.id] } : around;
  const close = parts.rollback.openBlock(block, hosts, place);
  const hasRescue = block.rescue.length > 0;
  // If tags select a task of the block, its "rescue" and "always" sections run, too.
  const along = { ...place, brought: parts.select.hasSome(block.block, place.brought) };
  let failed = await runNodes(parts, block.block, hosts, place, rescuable || hasRescue);
  if (failed.size > 0 && hasRescue) {
    // A resumed run repeats steps that fail during an interruption; a recorded rescue would prevent
    // that.
    if (parts.end.isStopping()) throw new Interrupted();
    for (const [host, why] of failed) {
      learn(parts.knowledge, { host, facts: [{ hosts: [host], values: { failed: said(why) } }] });
    }
    // In the order of the batch, so that "run_once" does not depend on which host failed first.
    const rescued = hosts.filter((host) => failed.has(host));
    recordRescue(parts, failed);
    failed = await runNodes(parts, block.rescue, rescued, along, rescuable);
  }
  if (block.always.length > 0)
    add(failed, await runNodes(parts, block.always, hosts, along, rescuable));
  close();
  return failed;
}

/** The variable "failed" of a rescue. */
function said({ task, id, failure, runOnce }: StepFailure): JsonObject {
  const stated = failure.kind === 'refused' && failure.stated === true;
  return { task, id, message: failureText(failure) ?? '', stated, run_once: runOnce === true };
}

/**
 * Records that a rescue starts: a resumed run continues with the rescue, and does not retry the
 * failed step.
 */
function recordRescue({ log }: ScheduleParts, failures: Failures): void {
  const byStep = groupBy(failures, ([, { key }]) => key);
  for (const [failed, those] of byStep) {
    if (failed === undefined) continue;
    const known = log.rescued(failed);
    const hosts = those.map(([host]) => host).filter((host) => !known.has(host));
    if (hosts.length > 0) log.write({ t: 'rescue', failed, hosts: hosts.sort() });
  }
}

/**
 * Runs the notified handlers in the order of their definition. Handlers that a handler notifies run
 * in the same flush. A host on which a handler fails runs no further ones. Unless an enclosing
 * block may rescue failures, too many of them end the flush.
 */
async function flush(
  parts: ScheduleParts,
  hosts: readonly string[],
  place: Place,
  rescuable: boolean,
): Promise<Failures> {
  const failed: Failures = new Map();
  for (let again = true; again;) {
    again = false;
    for (const handler of place.play.handlers) {
      const { notified: handlersOf } = parts.knowledge;
      const notified = hosts.filter(
        (host) => !failed.has(host) && handlersOf.get(host)?.has(handler.id) === true,
      );
      if (notified.length === 0) continue;
      if (parts.end.isStopping()) throw new Interrupted();
      add(failed, (await parts.step(handler, notified, place)).failed);
      if (!rescuable) drop(parts, failed);
      if (!rescuable && hasTooManyFailed(parts, place)) return failed;
      again = true;
    }
  }
  return failed;
}

/**
 * Rolls back the failed hosts that "max_failures" tolerates, before the next batch or commit point.
 */
async function rollBackFailed(parts: ScheduleParts, place: Place): Promise<void> {
  const { knowledge } = parts;
  const failed = [...failedIn(parts, place).keys()];
  const hosts = failed.filter((host) => !knowledge.tolerated.has(host));
  if (hosts.length === 0) return;
  // They may have failed only because of the interruption.
  if (parts.end.isStopping()) throw new Interrupted();
  for (const host of hosts) applyConsequence(knowledge, { kind: 'tolerated', host });
  if (parts.settings.check || (await parts.rollback.rollBackHosts(hosts))) return;
  for (const host of hosts) applyConsequence(knowledge, { kind: 'unsettled', host });
}

function commitPlay({ log, nodes }: ScheduleParts, name: string): Promise<void> {
  return writeCommit({ ...nodes.commit, log }, name);
}

function commitParts(parts: ScheduleParts, rescuable: boolean): CommitParts {
  const { log, knowledge, settings, nodes } = parts;
  return {
    ...nodes.commit,
    log,
    knowledge,
    check: settings.check,
    flush: (hosts, place) => flush(parts, hosts, place, rescuable),
    gate: (task, hosts, place) => runNodes(parts, [task], hosts, place, true),
    rollBackFailed: (place) => rollBackFailed(parts, place),
  };
}

/**
 * @throws TimeLimitError when the time limit is exceeded, unless a point of no return was passed:
 * stopping then would be worse
 */
function checkTime({ end, log }: ScheduleParts): void {
  if (!end.isTimeUp() || log.state.noReturn !== undefined) return;
  throw new TimeLimitError('The playbook exceeded its time limit.', {
    hint: 'Raise "time_limit" of the playbook, or the input that sets it.',
  });
}

/** Hosts of the batch that have not failed or ended. */
function active(parts: ScheduleParts, place: Place): string[] {
  const { failed } = parts.knowledge;
  return place.batch.filter((host) => !failed.has(host) && !hasEnded(parts, host, place));
}

/** Whether the play or an enclosing role has ended for the host. */
function hasEnded({ knowledge }: ScheduleParts, host: string, { play, roles }: Place): boolean {
  return [play.id, ...roles].some((id) => knowledge.ended.get(id)?.has(host) === true);
}

function failedIn({ knowledge }: ScheduleParts, { batch }: Place): Failures {
  const inBatch = new Set(batch);
  return new Map([...knowledge.failed].filter(([host]) => inBatch.has(host)));
}

function hasTooManyFailed(parts: ScheduleParts, place: Place): boolean {
  return failedIn(parts, place).size > mostFailures(place.play, place.batch.length);
}

function drop({ knowledge }: ScheduleParts, failed: Failures): void {
  for (const [host, why] of failed) applyConsequence(knowledge, { kind: 'dropped', host, why });
}

function add(failed: Failures, more: Failures): void {
  for (const [host, why] of more) failed.set(host, why);
}
