import type { Log } from '../journal/log.ts';
import type { CommitNode, TaskNode } from '../language/document.ts';
import { describeFailures, notBegun, type Failures } from './failures.ts';
import type { Knowledge } from './knowledge.ts';
import { withinPlay, type Place } from './step-key.ts';

export interface CommitParts {
  log: Pick<Log, 'hasPassed' | 'append'>;
  knowledge: Pick<Knowledge, 'uncertain' | 'tolerated' | 'unsettled'>;
  check: boolean;
  /** Number of the last unit. */
  lastUnit: () => number;
  /**
   * Id of the "--fail-at" step, if it precedes the first point of no return and has not failed yet.
   */
  pendingFailAt: () => string | undefined;
  /** Runs the notified handlers. */
  flush: (hosts: readonly string[], place: Place) => Promise<Failures>;
  /** Runs a task that must succeed on every host. */
  gate: (task: TaskNode, hosts: readonly string[], place: Place) => Promise<Failures>;
  /** Rolls back the failed hosts of the batch that "max_failures" tolerates. */
  rollBackFailed: (place: Place) => Promise<void>;
}

/**
 * Runs the gates of a commit point and records it as passed, unless it was passed before. If one
 * host fails, all hosts fail.
 */
export async function passCommit(
  parts: CommitParts,
  node: CommitNode,
  hosts: readonly string[],
  place: Place,
): Promise<Failures> {
  const name = withinPlay(node.id, place.play.id);
  const key = `${place.play.id}/${String(place.number)}/commit:${name}`;
  // A resumed run must replay the handlers that ran here; otherwise it runs them again later.
  const unflushed = await parts.flush(hosts, { ...place, at: `commit:${name}` });
  if (unflushed.size > 0) return onAll(hosts, node, unflushed);
  if (parts.log.hasPassed(key)) return new Map();
  // No host may fail here, regardless of "max_failures".
  for (const task of node.gate) {
    const failed = await parts.gate(task, hosts, place);
    if (failed.size > 0) return onAll(hosts, node, failed);
  }
  const irreversible = node.confirm;
  const unready = await notReady(parts, node, hosts, place, { irreversible });
  if (unready.size > 0) return unready;
  await writeCommit(parts, node.name, { key, irreversible });
  return new Map();
}

/**
 * Checks the requirements of a commit point or point of no return (docs/rollback.md). If one host
 * is not ready, all hosts fail.
 */
export async function notReady(
  parts: CommitParts,
  step: { name: string; id: string },
  hosts: readonly string[],
  place: Place,
  { irreversible }: { irreversible: boolean },
): Promise<Failures> {
  if (parts.check) return new Map();
  const failAt = irreversible ? parts.pendingFailAt() : undefined;
  if (failAt !== undefined) {
    const why = `the --fail-at step was skipped on every host (${failAt})`;
    return notBegun(hosts, step, { kind: 'not-begun', step: step.name, why });
  }
  await parts.rollBackFailed(place);
  const at = `no-return:${withinPlay(step.id, place.play.id)}` as const;
  const unflushed = await parts.flush(hosts, { ...place, at });
  if (unflushed.size > 0) return onAll(hosts, step, unflushed);
  const why = uncertainty(parts.knowledge);
  return why === undefined
    ? new Map()
    : notBegun(hosts, step, { kind: 'not-begun', step: step.name, why });
}

/**
 * Fails all hosts: none may continue without the commit point or the step, regardless of
 * "max_failures".
 */
function onAll(
  hosts: readonly string[],
  step: { name: string; id: string },
  failed: Failures,
): Failures {
  const others = hosts.filter((host) => !failed.has(host));
  const why = describeFailures(failed);
  return new Map([
    ...notBegun(others, step, { kind: 'not-begun', step: step.name, why }),
    ...failed,
  ]);
}

/** Why the state of the hosts is too uncertain to be made final. */
function uncertainty({
  uncertain,
  tolerated,
  unsettled,
}: CommitParts['knowledge']): string | undefined {
  // Tolerated hosts were rolled back; those with an incomplete rollback are in "unsettled".
  const open = [...uncertain]
    .filter(([host]) => !tolerated.has(host))
    .flatMap(([host, names]) => [...names].map((name) => `"${name}" on ${host}`));
  if (open.length > 0) return `the outcome of ${open.join(', ')} is unknown`;
  return unsettled.size > 0 ? 'a host that failed could not be rolled back' : undefined;
}

/**
 * Records a commit point, which makes earlier changes final.
 *
 * @param key distinguishes commit points with the same name
 */
export async function writeCommit(
  { log, lastUnit }: Pick<CommitParts, 'log' | 'lastUnit'>,
  name: string,
  { key = name, irreversible = false } = {},
): Promise<void> {
  if (log.hasPassed(key)) return;
  await log.append({ t: 'commit', name, key, unit: lastUnit(), irreversible });
}
