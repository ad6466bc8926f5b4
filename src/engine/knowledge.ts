import type { Failure } from '../core/failure.ts';
import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import { withFields } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import type { Included } from '../journal/records.ts';
import type { ScopeValue } from '../template/scope.ts';
import { matchHosts } from '../util/patterns.ts';
import type { StepFailure } from './failures.ts';

/**
 * What a run knows about its hosts beyond the inventory. Only `learn` and `applyConsequence` change
 * it.
 */
export interface Knowledge {
  /** Includes hosts that steps added. */
  readonly inventory: Inventory;
  readonly groups: Map<string, string[]>;
  /** Registered results and facts, by host. */
  readonly facts: Map<string, Readonly<Record<string, ScopeValue>>>;
  /** Names of variables that steps with `no_log` set on any host. */
  readonly hidden: Set<string>;
  /** Ids of the pending handlers, by host. */
  readonly notified: Map<string, Set<string>>;
  /** Hosts that failed and were not rescued, in the order of their failures. */
  readonly failed: Map<string, StepFailure>;
  /** Hosts that failed and were tolerated; later steps leave them out. */
  readonly tolerated: Set<string>;
  /** Tolerated hosts with changes that could not be undone. */
  readonly unsettled: Set<string>;
  /** Hosts for which a play or role ended early, by the id of the play or role. */
  readonly ended: Map<string, Set<string>>;
  /** Plays that ended early for all later batches, too. */
  readonly endedPlays: Set<string>;
  /** Names of steps that started a change whose outcome is unknown, by host. */
  readonly uncertain: Map<string, Set<string>>;
  /** In check mode: hosts on which an earlier step would have changed something. */
  readonly predicted: Set<string>;
}

/**
 * What a step taught the run about one host. It is recorded, and a resumed run learns it from the
 * journal.
 */
export interface Learnt {
  host: string;
  /** Variables, and the hosts that they are set on. */
  facts?:
    | readonly {
        hosts: readonly string[];
        values: Readonly<Record<string, ScopeValue>>;
        /** The values are lists, which are appended to the existing ones. */
        append?: true | undefined;
      }[]
    | undefined;
  /** The variables are hidden: the step has `no_log`. */
  hidden?: true | undefined;
  left?: readonly string[] | undefined;
  joined?: readonly string[] | undefined;
  added?: readonly (AddedHost & { address: HostAddress })[] | undefined;
  /** What an include resolved to. */
  included?: readonly Included[] | undefined;
  /** Id of the handler that ran. */
  handled?: string | undefined;
  /** Ids of the notified handlers. */
  notified?: readonly string[] | undefined;
  /** Why the step failed on the host. */
  failed?: Failure | undefined;
  /** Name of the step, if it started a change whose outcome is unknown. */
  uncertain?: string | undefined;
}

/** Consequences of steps for hosts. They are not recorded: a resumed run derives them again. */
export type Consequence =
  /** The host failed; later steps of its batch leave it out. */
  | { kind: 'dropped'; host: string; why: StepFailure }
  /** The failed host is tolerated: the run continues without it. */
  | { kind: 'tolerated'; host: string }
  /** Some changes on a tolerated host could not be undone. */
  | { kind: 'unsettled'; host: string }
  /** A play or role (by id) ended early for hosts; `everywhere`: for all later batches, too. */
  | { kind: 'ended'; of: string; hosts: readonly string[]; everywhere?: boolean }
  /** The gathered facts are discarded. */
  | { kind: 'facts-forgotten'; host: string }
  /** In check mode: a step would change something. */
  | { kind: 'predicted'; host: string };

/** @param before hosts that failed and were tolerated before the run was interrupted */
export function initialKnowledge(
  inventory: Inventory,
  before: { tolerated?: Iterable<string>; unsettled?: Iterable<string> } = {},
): Knowledge {
  return {
    inventory,
    groups: new Map([...inventory.groups].map(([name, members]) => [name, [...members]])),
    facts: new Map(),
    hidden: new Set(),
    notified: new Map(),
    failed: new Map(),
    tolerated: new Set(before.tolerated),
    unsettled: new Set(before.unsettled),
    ended: new Map(),
    endedPlays: new Set(),
    uncertain: new Map(),
    predicted: new Set(),
  };
}

/** Applies what a step taught: after it ran, and when a resumed run reads its record. */
export function learn(knowledge: Knowledge, learnt: Learnt): void {
  const { host } = learnt;
  // A handler may notify itself, so remove it before adding the notified ones.
  if (learnt.handled !== undefined) knowledge.notified.get(host)?.delete(learnt.handled);
  for (const { values } of (learnt.hidden && learnt.facts) ?? [])
    for (const name of Object.keys(values)) knowledge.hidden.add(name);
  for (const { hosts, values, append } of learnt.facts ?? [])
    for (const one of hosts) {
      const known = knowledge.facts.get(one) ?? {};
      knowledge.facts.set(one, { ...known, ...(append ? appended(known, values) : values) });
    }
  for (const group of learnt.left ?? []) leave(knowledge, host, group);
  for (const group of learnt.joined ?? []) join(knowledge, host, group);
  for (const one of learnt.added ?? []) add(knowledge, one);
  for (const handler of learnt.notified ?? []) notify(knowledge, host, handler);
  if (learnt.uncertain !== undefined)
    knowledge.uncertain.set(
      host,
      new Set([...(knowledge.uncertain.get(host) ?? []), learnt.uncertain]),
    );
}

export function applyConsequence(knowledge: Knowledge, consequence: Consequence): void {
  switch (consequence.kind) {
    case 'dropped':
      drop(knowledge, consequence.host, consequence.why);
      break;
    case 'tolerated':
    case 'unsettled':
    case 'predicted':
      knowledge[consequence.kind].add(consequence.host);
      break;
    case 'ended':
      end(knowledge, consequence);
      break;
    case 'facts-forgotten':
      forgetFacts(knowledge, consequence.host);
      break;
  }
}

function appended(
  known: Readonly<Record<string, ScopeValue>>,
  lists: Readonly<Record<string, ScopeValue>>,
): Record<string, ScopeValue> {
  const more = Object.entries(lists).map(([name, list]) => {
    const before = known[name];
    return [name, [before, list].flatMap((one) => (Array.isArray(one) ? one : []))] as const;
  });
  return Object.fromEntries(more);
}

/** Keeps the members in the order of the inventory. */
function join({ groups, inventory }: Knowledge, host: string, group: string): void {
  const members = new Set(groups.get(group));
  if (members.has(host)) return;
  members.add(host);
  groups.set(
    group,
    [...inventory.hosts.keys()].filter((name) => members.has(name)),
  );
}

function leave({ groups }: Knowledge, host: string, group: string): void {
  const members = groups.get(group);
  if (members)
    groups.set(
      group,
      members.filter((one) => one !== host),
    );
}

/** A host that is already known keeps its address. */
function add(
  knowledge: Knowledge,
  { name, groups, vars, address }: AddedHost & { address: HostAddress },
): void {
  const { hosts } = knowledge.inventory;
  const known = hosts.get(name);
  const all = withFields(known?.vars ?? {}, vars);
  hosts.set(name, { name, address: known?.address ?? address, vars: all });
  for (const group of ['all', ...groups]) join(knowledge, name, group);
}

function notify({ notified }: Knowledge, host: string, handler: string): void {
  notified.set(host, (notified.get(host) ?? new Set()).add(handler));
}

/** Replaces the object with the variables, since `hostvars` is cached until that object changes. */
function forgetFacts({ facts }: Knowledge, host: string): void {
  const known = facts.get(host);
  if (!known) return;
  const others = { ...known };
  delete others['ansible_facts'];
  facts.set(host, others);
}

/** Keeps the order of failures: a host that fails again moves to the end. */
function drop({ failed }: Knowledge, host: string, why: StepFailure): void {
  if (failed.get(host) === why) return;
  failed.delete(host);
  failed.set(host, why);
}

function end(
  { ended, endedPlays }: Knowledge,
  { of, hosts, everywhere }: Extract<Consequence, { kind: 'ended' }>,
): void {
  ended.set(of, new Set([...(ended.get(of) ?? []), ...hosts]));
  if (everywhere) endedPlays.add(of);
}

/** Hosts that match a pattern, within `--limit`. */
export function hostsOf(
  { groups, inventory }: Knowledge,
  pattern: string,
  limit: string | undefined,
): string[] {
  // In a resumed run, the inventory already has the hosts that a step will add again; the group
  // "all" does not.
  const names = groups.get('all') ?? [...inventory.hosts.keys()];
  const matched = matchHosts(pattern, names, groups);
  if (limit === undefined) return matched;
  const allowed = new Set(matchHosts(limit, names, groups));
  return matched.filter((name) => name === 'localhost' || allowed.has(name));
}
