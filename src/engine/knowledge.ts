import type { Failure } from '../core/failure.ts';
import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import { withFields } from '../core/json.ts';
import type { AddedHost } from '../core/module.ts';
import type { Included } from '../journal/records.ts';
import type { ScopeValue } from '../template/scope.ts';
import { matchHosts } from '../util/patterns.ts';
import type { StepFailure } from './failures.ts';

/** What a run knows of its hosts beyond the inventory. Only `learn` and `applyConsequence` change it. */
export interface Knowledge {
  /** Hosts that steps added are in it, too. */
  readonly inventory: Inventory;
  readonly groups: Map<string, string[]>;
  /** Registered results and facts, by host. */
  readonly facts: Map<string, Readonly<Record<string, ScopeValue>>>;
  /** Names of those that steps with `no_log` have set on any host. */
  readonly hidden: Set<string>;
  /** Ids of the handlers that are due on a host. */
  readonly due: Map<string, Set<string>>;
  /** Hosts that failed and were not rescued, in that order, and why. */
  readonly failed: Map<string, StepFailure>;
  /** Hosts that failed, were tolerated, and take no part any more. */
  readonly tolerated: Set<string>;
  /** Those of them whose changes could not all be undone. */
  readonly unsettled: Set<string>;
  /** Hosts for which a play or a role has ended early, by its id. */
  readonly ended: Map<string, Set<string>>;
  /** Plays that have ended for the batches to come, too. */
  readonly endedPlays: Set<string>;
  /** Names of steps that began a change whose outcome is not known, by host. */
  readonly uncertain: Map<string, Set<string>>;
  /** In check mode: hosts on which an earlier step would have changed something. */
  readonly predicted: Set<string>;
}

/** What a step taught about one host. Its record keeps this, and a resumed run learns it from there. */
export interface Learnt {
  host: string;
  /** Variables, and the hosts that have them from now on. */
  facts?:
    | readonly {
        hosts: readonly string[];
        values: Readonly<Record<string, ScopeValue>>;
        /** The values are lists, and come to those that the host has. */
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
  /** The handler that ran. */
  handled?: string | undefined;
  /** Ids of handlers that are due. */
  due?: readonly string[] | undefined;
  /** Why the step failed here. */
  failed?: Failure | undefined;
  /** Name of the step, which began a change whose outcome is not known. */
  uncertain?: string | undefined;
}

/** What follows from steps for hosts. No record of a step keeps it: a resumed run comes to it again. */
export type Consequence =
  /** The host takes no further part in its batch, since this failed. */
  | { kind: 'dropped'; host: string; why: StepFailure }
  /** The host takes no further part in the run, which goes on without it. */
  | { kind: 'tolerated'; host: string }
  /** Not all that was changed on a tolerated host could be undone. */
  | { kind: 'unsettled'; host: string }
  /** A play or role, by its id, has ended for hosts; `everywhere`: for the batches to come, too. */
  | { kind: 'ended'; of: string; hosts: readonly string[]; everywhere?: boolean }
  /** Gathered facts are no longer known. */
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
    due: new Map(),
    failed: new Map(),
    tolerated: new Set(before.tolerated),
    unsettled: new Set(before.unsettled),
    ended: new Map(),
    endedPlays: new Set(),
    uncertain: new Map(),
    predicted: new Set(),
  };
}

/** Changes knowledge by what a step taught: while it runs, and when a resumed run finds it on record. */
export function learn(knowledge: Knowledge, learnt: Learnt): void {
  const { host } = learnt;
  // A handler may notify itself: what it notified comes after its own run.
  if (learnt.handled !== undefined) knowledge.due.get(host)?.delete(learnt.handled);
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
  for (const handler of learnt.due ?? []) notify(knowledge, host, handler);
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

/** Members stand in the order of the inventory. */
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

/** A host that is known keeps its address. */
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

function notify({ due }: Knowledge, host: string, handler: string): void {
  due.set(host, (due.get(host) ?? new Set()).add(handler));
}

/** Variables of a host are another object when they change: `hostvars` is worked out from it once. */
function forgetFacts({ facts }: Knowledge, host: string): void {
  const known = facts.get(host);
  if (!known) return;
  const others = { ...known };
  delete others['ansible_facts'];
  facts.set(host, others);
}

/** What failed last comes last, also on a host that had failed before. */
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
  // A resumed run knows the addresses of hosts already that a step will add again.
  const names = groups.get('all') ?? [...inventory.hosts.keys()];
  const matched = matchHosts(pattern, names, groups);
  if (limit === undefined) return matched;
  const allowed = new Set(matchHosts(limit, names, groups));
  return matched.filter((name) => name === 'localhost' || allowed.has(name));
}
