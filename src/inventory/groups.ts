import { PlaybookError, type Problem } from '../core/errors.ts';
import { GroupLayers, originsOf, varsFiles } from './group-layers.ts';
import { HostReader } from './host-reader.ts';
import type { HostAddress } from '../core/host.ts';
import type { HostPasswords, Inventory, InventoryHost, VariableOrigin } from '../core/inventory.ts';
import type { SourceObject } from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import type { SourceMap } from '../yaml/source-map.ts';

interface Group {
  hosts: Set<string>;
  children: Set<string>;
  vars: SourceObject;
  /** Source positions of its variables, if known. */
  places: Map<string, SourceRef>;
}

/** Groups, hosts and variables of an inventory in any format. */
export class GroupTree {
  readonly #groups = new Map<string, Group>();
  readonly #own = new Map<string, SourceObject>();
  readonly #ownPlaces = new Map<string, ReadonlyMap<string, SourceRef>>();
  readonly #addresses = new Map<string, Partial<HostAddress>>();
  readonly #ports = new Map<string, number>();
  #isAnsible = false;
  /** Notes on content of the files that is not supported. */
  readonly notes: Problem[] = [];
  readonly passwords = new Map<string, HostPasswords>();

  group(name: string): Group {
    const known = this.#groups.get(name) ?? {
      hosts: new Set(),
      children: new Set(),
      vars: {},
      places: new Map(),
    };
    this.#groups.set(name, known);
    return known;
  }

  has(name: string): boolean {
    return this.#groups.has(name);
  }

  addHost(
    group: string,
    host: string,
    vars: SourceObject = {},
    places: ReadonlyMap<string, SourceRef> = new Map(),
  ): void {
    this.group(group).hosts.add(host);
    this.setHostVars(host, vars, places);
  }

  setGroupVars(group: string, vars: SourceObject, places: ReadonlyMap<string, SourceRef>): void {
    const known = this.group(group);
    Object.assign(known.vars, vars);
    for (const [name, at] of places) known.places.set(name, at);
  }

  setHostVars(
    host: string,
    vars: SourceObject,
    places: ReadonlyMap<string, SourceRef> = new Map(),
  ): void {
    this.#own.set(host, { ...this.#own.get(host), ...vars });
    this.#ownPlaces.set(host, new Map([...(this.#ownPlaces.get(host) ?? []), ...places]));
  }

  /** Sets connection settings of a host. Its variables apply to undefined ones. */
  setAddress(host: string, address: Partial<HostAddress>): void {
    this.#addresses.set(host, address);
  }

  /** Returns a message if a host is listed with two different ports. */
  portConflict(host: string, port: number | undefined): string | undefined {
    const before = this.#ports.get(host);
    if (port !== undefined) this.#ports.set(host, port);
    if (port === undefined || before === undefined || before === port) return undefined;
    return `"${host}" is listed with the ports ${String(before)} and ${String(port)}. Give each host its own name, and set "ansible_host" and "ansible_port".`;
  }

  addChild(parent: string, child: string): void {
    this.group(parent).children.add(child);
    this.group(child);
  }

  /** Marks an Ansible inventory, in which `ungrouped` contains the hosts without another group. */
  markAnsible(): void {
    this.#isAnsible = true;
  }

  get isAnsible(): boolean {
    return this.#isAnsible;
  }

  #fillUngrouped(): void {
    const { all, ungrouped, ...others } = Object.fromEntries(this.#groups);
    const grouped = new Set(Object.values(others).flatMap(({ hosts }) => [...hosts]));
    const named = [...(ungrouped?.hosts ?? []), ...(all?.hosts ?? [])];
    const hosts = new Set(named.filter((host) => !grouped.has(host)));
    if (ungrouped || hosts.size > 0) this.group('ungrouped').hosts = hosts;
  }

  /**
   * Builds the inventory. Precedence of a host's variables, lowest first: groups (see
   * `GroupLayers`), the host in the inventory, `host_vars`.
   * @throws PlaybookError if a group contains itself, or two groups of the same depth set different
   * values
   */
  build(
    file: string,
    directories: readonly string[],
    { map, given }: { map: SourceMap; given?: SourceObject | undefined },
  ): Inventory {
    const problems: Problem[] = [];
    const at = { file, line: 1, column: 1 };
    if (this.#isAnsible) this.#fillUngrouped();
    const depths = this.#depths(problems);
    if (problems.length > 0) throw new PlaybookError(problems.map((one) => ({ ...one, at })));
    const members = new Map([...this.#groups.keys()].map((name) => [name, this.#members(name)]));
    const { notes, passwords } = this;
    const reading = { problems, notes, map };
    const layers = new GroupLayers(directories, reading);
    for (const name of new Set(['all', ...this.#groups.keys()])) {
      const { vars = {}, places = new Map() } = this.#groups.get(name) ?? {};
      layers.add(name, depths.get(name) ?? 0, { level: `group ${name}`, vars, places });
    }
    const origins = new Map<string, VariableOrigin[]>();
    const hosts = new Map<string, InventoryHost>();
    const reader = new HostReader(file, { problems, notes, passwords }, given);
    for (const name of new Set([...members.values()].flatMap((one) => [...one]))) {
      const above = layers.of((group) => group === 'all' || members.get(group)?.has(name) === true);
      const own = {
        level: 'host',
        vars: this.#own.get(name) ?? {},
        places: this.#ownPlaces.get(name) ?? new Map<string, SourceRef>(),
      };
      const sources = [
        ...above.sources,
        own,
        ...varsFiles(directories, 'host_vars', name, { level: 'host', ...reading }),
      ];
      const hosted = sources.slice(above.sources.length).flatMap((one) => Object.keys(one.vars));
      for (const message of above.disagreements(name, new Set(hosted)))
        problems.push({ message, at });
      const its = sources.flatMap(originsOf);
      origins.set(name, its);
      const vars = Object.assign({}, ...sources.map((one) => one.vars)) as SourceObject;
      const groups = above.groups.filter((group) => group !== 'all');
      const host = { name, vars, groups, origins: its };
      hosts.set(name, reader.read(host, this.#addresses.get(name)));
    }
    reader.finish();
    if (problems.length > 0) throw new PlaybookError(problems);
    const groups = new Map([...members].map(([name, own]) => [name, [...own]]));
    groups.set('all', [...hosts.keys()]);
    return { file, hosts, groups, origins, notes };
  }

  #members(name: string): Set<string> {
    const group = this.#groups.get(name);
    const below = [...(group?.children ?? [])].flatMap((child) => [...this.#members(child)]);
    return new Set([...(group?.hosts ?? []), ...below]);
  }

  /** Depth of each group: the longest path from the top. */
  #depths(problems: Problem[]): Map<string, number> {
    const depths = new Map<string, number>([['all', 0]]);
    const visit = (name: string, depth: number, path: readonly string[]): void => {
      if (path.includes(name)) {
        const cycle = [...path.slice(path.indexOf(name)), name].join(' → ');
        problems.push({ message: `Group "${name}" contains itself: ${cycle}.` });
        return;
      }
      if (depth > (depths.get(name) ?? 0)) depths.set(name, depth);
      for (const child of this.#groups.get(name)?.children ?? [])
        visit(child, depth + 1, [...path, name]);
    };
    const inner = new Set([...this.#groups.values()].flatMap(({ children }) => [...children]));
    for (const name of this.#groups.keys())
      if (name === 'all' || !inner.has(name)) visit(name, name === 'all' ? 0 : 1, []);
    // Groups that contain each other have no parent outside the cycle.
    for (const name of this.#groups.keys()) if (!depths.has(name)) visit(name, 1, []);
    return depths;
  }
}
