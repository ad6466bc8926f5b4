import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import type { AddedHost } from '../core/module.ts';
import { failureIn, resultOf } from '../core/outcome.ts';
import type { Included } from '../journal/records.ts';
import type { TaskNode } from '../language/document.ts';
import { unknownValue, type ScopeValue } from '../template/scope.ts';
import { addedAddress } from '../util/host-address.ts';
import type { Failures } from './failures.ts';
import type { HostStep } from './host-step.ts';
import type { Learnt } from './knowledge.ts';
import { notifiedHandlers } from './notify.ts';
import type { LiveStep } from './on-host.ts';

/** What a step that just ran taught about a host. */
export function taught(
  result: HostStep,
  host: string,
  { task, step, place }: Pick<LiveStep, 'task' | 'step' | 'place'>,
  inventory: Inventory,
): Learnt {
  const { outcome, ignored, hasChanged } = result;
  const failure = failureIn(outcome);
  const own: Record<string, ScopeValue> = {
    ...(task.register === undefined ? {} : { [task.register]: resultOf(outcome) ?? unknownValue }),
    ...result.setFacts,
  };
  const facts = Object.keys(own).length === 0 ? [] : [{ hosts: [host], values: own }];
  const { appendFacts } = result;
  const appended =
    Object.keys(appendFacts).length === 0
      ? []
      : [{ hosts: [host], values: appendFacts, append: true as const }];
  const elsewhere = result.delegatedFacts.map((one) => ({ hosts: [one.host], values: one.facts }));
  const notified = hasChanged && !failure ? notifiedHandlers(task, place.play) : [];
  return {
    host,
    facts: [...facts, ...appended, ...elsewhere],
    hidden: task.noLog || undefined,
    left: result.leftGroups,
    joined: result.groups,
    added: result.addHosts.map((one) => addressed(one, inventory)),
    included: result.included,
    handled: step.handler ? task.id : undefined,
    notified: notified.map(({ id }) => id),
    failed: ignored ? undefined : failure,
    uncertain: result.uncertain ? task.name : undefined,
  };
}

/** A host that a step adds, with its address. A host that is already known keeps its address. */
function addressed(
  added: AddedHost,
  { hosts, file }: Inventory,
): AddedHost & { address: HostAddress } {
  const known = hosts.get(added.name);
  return { ...added, address: known?.address ?? addedAddress(added.name, added.vars, file) };
}

/** With "run_once", the facts of the one host apply to all hosts of the step. */
export function forHosts(task: TaskNode, learnt: Learnt, hosts: readonly string[]): Learnt {
  if (!task.runOnce) return learnt;
  const facts = learnt.facts?.map((one) =>
    one.hosts.includes(learnt.host) ? { ...one, hosts } : one,
  );
  return { ...learnt, facts };
}

/** An execution of a step, now or before the run was interrupted. */
export interface Executed {
  key: string;
  /** What it taught, by host. */
  all: readonly Learnt[];
}

/** Hosts on which a task failed without being ignored. */
export function failuresOf(
  task: TaskNode,
  { key, all }: Executed,
  hosts: readonly string[],
): Failures {
  const failures: Failures = new Map();
  for (const { host, failed } of all) {
    if (failed === undefined) continue;
    const once = task.runOnce ? { runOnce: true as const } : {};
    const failure = { task: task.name, id: task.id, key, failure: failed, ...once };
    const everywhere = task.runOnce || task.anyErrorsFatal ? hosts : [host];
    for (const name of everywhere) if (!failures.has(name)) failures.set(name, failure);
  }
  return failures;
}

/**
 * What each host includes, in the order of the hosts, and the hosts on which the include failed.
 */
export function includedOn(
  task: TaskNode,
  { key, all }: Executed,
  hosts: readonly string[],
): { failed: Failures; included: Map<string, readonly Included[]> } {
  const byHost = new Map(all.map((learnt) => [learnt.host, learnt]));
  const failed: Failures = new Map();
  const included = new Map<string, readonly Included[]>();
  for (const host of hosts) {
    const learnt = task.runOnce ? all[0] : byHost.get(host);
    if (learnt?.failed !== undefined)
      failed.set(host, { task: task.name, id: task.id, key, failure: learnt.failed });
    else included.set(host, learnt?.included ?? []);
  }
  return { failed, included };
}
