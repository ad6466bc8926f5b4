import type { Log } from '../journal/log.ts';
import type { CommitNode, TaskNode } from '../language/document.ts';
import { describeFailures, notBegun, type Failures } from './failures.ts';
import type { Knowledge } from './knowledge.ts';
import { withinPlay, type Place } from './step-key.ts';

export interface CommitParts {
  log: Pick<Log, 'hasPassed' | 'append'>;
  knowledge: Pick<Knowledge, 'uncertain' | 'tolerated' | 'unsettled'>;
  check: boolean;
  /** Number of the last change that was begun. */
  lastUnit: () => number;
  /** The step that "--fail-at" names, when it stands before the first point of no return and has not failed. */
  failureToCome: () => string | undefined;
  /** Runs the handlers that are due. */
  flush: (hosts: readonly string[], place: Place) => Promise<Failures>;
  /** Runs a task that must succeed on every host. */
  gate: (task: TaskNode, hosts: readonly string[], place: Place) => Promise<Failures>;
  /** Rolls back the hosts of the batch that failed and are tolerated. */
  rollBackFailed: (place: Place) => Promise<void>;
}

/** Runs the gates of a commit point and passes it, unless the run has passed it before. Returns all hosts when one keeps it from that. */
export async function passCommit(
  parts: CommitParts,
  node: CommitNode,
  hosts: readonly string[],
  place: Place,
): Promise<Failures> {
  const name = withinPlay(node.id, place.play.id);
  const key = `${place.play.id}/${String(place.number)}/commit:${name}`;
  // A resumed run must know of the handlers that ran here, or it runs them again later.
  const unflushed = await parts.flush(hosts, { ...place, at: `commit:${name}` });
  if (unflushed.size > 0) return onAll(hosts, node, unflushed);
  if (parts.log.hasPassed(key)) return new Map();
  // No host may fail here, whatever the play tolerates.
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

/** docs/rollback.md: what must hold before a commit point or a point of no return. Returns all hosts when one is not ready. */
export async function notReady(
  parts: CommitParts,
  step: { name: string; id: string },
  hosts: readonly string[],
  place: Place,
  { irreversible }: { irreversible: boolean },
): Promise<Failures> {
  if (parts.check) return new Map();
  const toCome = irreversible ? parts.failureToCome() : undefined;
  if (toCome !== undefined) {
    const why = `the --fail-at step was skipped on every host (${toCome})`;
    return notBegun(hosts, step, { kind: 'not-begun', step: step.name, why });
  }
  await parts.rollBackFailed(place);
  const at = `no-return:${withinPlay(step.id, place.play.id)}` as const;
  const unflushed = await parts.flush(hosts, { ...place, at });
  if (unflushed.size > 0) return onAll(hosts, step, unflushed);
  const why = doubt(parts.knowledge);
  return why === undefined
    ? new Map()
    : notBegun(hosts, step, { kind: 'not-begun', step: step.name, why });
}

/** The other hosts must not go on as if the commit point were passed, or without the step, whatever the play tolerates. */
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

/** Why the state of the hosts is not known well enough to make it final. */
function doubt({ uncertain, tolerated, unsettled }: CommitParts['knowledge']): string | undefined {
  // What was done on a host that was rolled back alone is settled, or the host is among the unsettled.
  const open = [...uncertain]
    .filter(([host]) => !tolerated.has(host))
    .flatMap(([host, names]) => [...names].map((name) => `"${name}" on ${host}`));
  if (open.length > 0) return `the outcome of ${open.join(', ')} is not known`;
  return unsettled.size > 0 ? 'a host that failed could not be rolled back' : undefined;
}

/** Makes all that was done final. @param key tells this commit point from others of its name */
export async function writeCommit(
  { log, lastUnit }: Pick<CommitParts, 'log' | 'lastUnit'>,
  name: string,
  { key = name, irreversible = false } = {},
): Promise<void> {
  if (log.hasPassed(key)) return;
  await log.append({ t: 'commit', name, key, unit: lastUnit(), irreversible });
}
