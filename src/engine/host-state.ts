import { dirname } from 'node:path';
import type { InventoryHost, Inventory } from '../core/inventory.ts';
import type { EventSink } from '../core/events.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Play, TaskNode } from '../core/playbook.ts';
import { Scope, unknownValue, type Layer, type ScopeValue } from '../template/scope.ts';
import { matchHosts } from '../util/patterns.ts';
import type { EngineContext, RunSettings } from './context.ts';
import type { FactCache } from '../journal/fact-cache.ts';
import type { HostAddress } from '../core/host.ts';
import type { AddedHost } from '../core/module.ts';
import { addressFromVars } from '../util/host-address.ts';
import { ageInWords } from '../util/time.ts';
import { controllerFor } from './controller.ts';

/** Stands for an argument that is not given. */
export const OMIT = '⟦omit⟧';

export interface PendingHandler {
  handler: TaskNode;
  notifiedBy: number[];
}

/** What the run has learnt of its hosts: variables, groups, pending handlers. */
export class RunState {
  readonly #inventory: Inventory;
  readonly #settings: RunSettings;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #folders: readonly string[];
  readonly #cache: FactCache | undefined;
  readonly #emit: EventSink;
  readonly #inCache = new Map<string, boolean>();
  /** Hosts whose facts of an earlier run were read in this one. */
  readonly #fromCache = new Map<string, JsonObject | undefined>();
  readonly #facts = new Map<string, Record<string, ScopeValue>>();
  readonly #groups: Map<string, string[]>;
  readonly #pending = new Map<string, Map<string, PendingHandler>>();

  /** Hosts that failed and were not rescued. */
  readonly #failed = new Set<string>();

  /** In check mode: hosts on which an earlier step would have changed something. */
  readonly predicted = new Set<string>();

  /** @param folders of the playbook and its overlays, nearest first */
  constructor(
    { inventory, settings, environment, factCache, emit }: EngineContext,
    folders: readonly string[],
  ) {
    this.#inventory = inventory;
    this.#settings = settings;
    this.#environment = environment;
    this.#folders = folders;
    this.#cache = factCache;
    this.#emit = emit;
    this.#groups = new Map([...inventory.groups].map(([name, members]) => [name, [...members]]));
  }

  get groups(): ReadonlyMap<string, readonly string[]> {
    return this.#groups;
  }

  hostsOf(pattern: string): string[] {
    // A resumed run knows hosts already that it will add again.
    const names = this.#groups.get('all') ?? [...this.#inventory.hosts.keys()];
    const matched = matchHosts(pattern, names, this.#groups);
    if (this.#settings.limit === undefined) return matched;
    const allowed = matchHosts(this.#settings.limit, names, this.#groups);
    return matched.filter((name) => name === 'localhost' || allowed.includes(name));
  }

  noteFailed(hosts: Iterable<string>): void {
    for (const host of hosts) this.#failed.add(host);
  }

  hasFailed(host: string): boolean {
    return this.#failed.has(host);
  }

  /** Facts that were gathered are asked for again. */
  clearFacts(host: string): void {
    delete this.#facts.get(host)?.['ansible_facts'];
    const address = this.#inventory.hosts.get(host)?.address;
    if (address) this.#cache?.forget(address);
  }

  /** Facts that were gathered just now are kept for later runs, too. */
  learn(host: string, name: string, value: ScopeValue): void {
    this.setFact(host, name, value);
    const address = this.#inventory.hosts.get(host)?.address;
    if (name === 'ansible_facts' && address && value !== unknownValue && isJsonObject(value))
      this.#cache?.keep(address, value);
  }

  #hasCached({ name, address }: InventoryHost): boolean {
    const known = this.#inCache.get(name) ?? this.#cache?.has(address) ?? false;
    this.#inCache.set(name, known);
    return known;
  }

  /** Facts of a host on which this run has gathered none. */
  #cached({ name, address }: InventoryHost): JsonObject | undefined {
    if (this.#fromCache.has(name)) return this.#fromCache.get(name);
    const found = this.#cache?.read(address);
    this.#fromCache.set(name, found?.facts);
    if (found) {
      const age = ageInWords(this.#settings.startedAt.getTime() - found.gatheredAt.getTime());
      const text = `Facts of "${name}" come from an earlier run: they are ${age} old.`;
      this.#emit({ type: 'message', level: 'info', text });
    }
    return found?.facts;
  }

  join(host: string, group: string): void {
    const members = this.#groups.get(group) ?? [];
    if (members.includes(host)) return;
    const order = [...this.#inventory.hosts.keys()];
    this.#groups.set(
      group,
      [...members, host].sort((a, b) => order.indexOf(a) - order.indexOf(b)),
    );
  }

  leave(host: string, group: string): void {
    const members = this.#groups.get(group);
    if (members)
      this.#groups.set(
        group,
        members.filter((one) => one !== host),
      );
  }

  /** A host that a step made known. One that is known stays where it is reached. */
  add({ name, groups, vars }: AddedHost): AddedHost & { address: HostAddress } {
    const known = this.#inventory.hosts.get(name);
    const address = known?.address ?? addressFromVars(name, vars, this.#inventory.file);
    this.#inventory.hosts.set(name, { name, address, vars: { ...known?.vars, ...vars } });
    for (const group of ['all', ...groups]) this.join(name, group);
    return { name, groups, vars, address };
  }

  setFact(host: string, name: string, value: ScopeValue): void {
    const facts = this.#facts.get(host) ?? {};
    facts[name] = value;
    this.#facts.set(host, facts);
  }

  notify(host: string, handler: TaskNode, unit: number): void {
    const pending = this.#pending.get(host) ?? new Map<string, PendingHandler>();
    const known = pending.get(handler.id);
    if (known) known.notifiedBy.push(unit);
    else pending.set(handler.id, { handler, notifiedBy: [unit] });
    this.#pending.set(host, pending);
  }

  /** Takes the pending run of a handler on a host. */
  takePending(host: string, handler: string): PendingHandler | undefined {
    const pending = this.#pending.get(host)?.get(handler);
    this.#pending.get(host)?.delete(handler);
    return pending;
  }

  hasPending(host: string, handler: string): boolean {
    return this.#pending.get(host)?.has(handler) ?? false;
  }

  /** Variables of a task on a host, strongest level first. */
  scope(
    host: InventoryHost,
    {
      play,
      task,
      batch,
      item,
    }: { play: Play; task: TaskNode; batch: readonly string[]; item?: JsonObject },
  ): Scope {
    const { role } = task;
    const outside = () => {
      const around = { ...task, role: role?.parent };
      return this.scope(host, { play, task: around, batch, ...(item ? { item } : {}) });
    };
    const layers: Layer[] = [
      { name: 'magic', values: this.#magic(host, play, task, batch), data: true },
      ...(item ? [{ name: 'loop', values: item, data: true }] : []),
      { name: 'loop around', values: task.loopValues, data: true },
      { name: 'command line', values: this.#settings.variables, data: true },
      ...(role ? [{ name: 'role vars', values: role.constants }] : []),
      { name: 'runtime', values: this.#facts.get(host.name) ?? {}, data: true },
      ...task.vars.toReversed().map((values) => ({ name: 'task', values })),
      ...(role ? [{ name: 'role inputs', values: role.inputs, outer: outside }] : []),
      { name: 'play', values: play.vars },
      { name: 'input defaults', values: this.#settings.inputDefaults },
      { name: 'inventory', values: host.vars },
      ...(role ? [{ name: 'role defaults', values: role.defaults }] : []),
    ];
    const folders = [...(role ? [role.path] : []), ...this.#folders];
    const { startedAt } = this.#settings;
    return new Scope(layers, controllerFor({ environment: this.#environment, startedAt }, folders));
  }

  #magic(
    host: InventoryHost,
    play: Play,
    task: TaskNode,
    batch: readonly string[],
  ): Record<string, JsonValue> {
    return lazily({
      inventory_hostname: () => host.name,
      ...Object.fromEntries(
        Object.entries(addressVariables(host)).map(([name, value]) => [name, () => value]),
      ),
      group_names: () =>
        [...this.#groups]
          .filter(([, members]) => members.includes(host.name))
          .map(([name]) => name),
      groups: () =>
        Object.fromEntries([...this.#groups].map(([name, members]) => [name, [...members]])),
      hostvars: () => this.#hostvars(),
      play: () => ({
        name: play.name,
        batch: [...batch],
        hosts: batch.filter((name) => !this.#failed.has(name)),
        hosts_all: this.hostsOf(play.hosts),
        failed_hosts: [...this.#failed].filter((name) => batch.includes(name)),
      }),
      ansible_play_name: () => play.name,
      ansible_play_hosts: () => batch.filter((name) => !this.#failed.has(name)),
      ansible_play_hosts_all: () => this.hostsOf(play.hosts),
      ansible_play_batch: () => [...batch],
      ansible_check_mode: () => this.#settings.check,
      ansible_diff_mode: () => this.#settings.diff,
      ansible_run_tags: () => [...this.#settings.tags],
      ansible_skip_tags: () => [...this.#settings.skipTags],
      omit: () => OMIT,
      run: () => ({
        id: this.#settings.run,
        check: this.#settings.check,
        diff: this.#settings.diff,
        tags: [...this.#settings.tags],
        skip_tags: [...this.#settings.skipTags],
      }),
      playbook_dir: () => this.#folders.at(-1) ?? '',
      inventory_file: () => this.#inventory.file,
      inventory_dir: () => (this.#inventory.file === '' ? '' : dirname(this.#inventory.file)),
      role_name: () => task.role?.name ?? '',
      role_path: () => task.role?.path ?? '',
    });
  }

  #hostvars(): JsonObject {
    const all: JsonObject = {};
    for (const [name, host] of this.#inventory.hosts) {
      const known: JsonObject = {
        ...host.vars,
        inventory_hostname: name,
        ...addressVariables(host),
      };
      for (const [key, value] of Object.entries(this.#facts.get(name) ?? {})) {
        if (value !== unknownValue) known[key] = value;
      }
      // Looked up only when somebody wants to know.
      if (!Object.hasOwn(known, 'ansible_facts') && this.#hasCached(host))
        Object.defineProperty(known, 'ansible_facts', {
          enumerable: true,
          get: () => this.#cached(host),
        });
      all[name] = known;
    }
    return all;
  }
}

/** How the host is reached, under Ansible's names. */
function addressVariables({ address }: InventoryHost): JsonObject {
  return {
    ansible_host: address.address,
    ansible_port: address.port ?? 22,
    ansible_user: address.user ?? '',
    ansible_ssh_private_key_file: address.keyPath ?? '',
  };
}

/** Values that are worked out when they are asked for: most tasks need none of them. */
function lazily(values: Record<string, () => JsonValue>): Record<string, JsonValue> {
  const lazy: Record<string, JsonValue> = {};
  for (const [name, get] of Object.entries(values)) {
    Object.defineProperty(lazy, name, { enumerable: true, get });
  }
  return lazy;
}
