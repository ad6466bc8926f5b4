import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { PlaybookError, type Problem } from '../core/errors.ts';
import { HostReader } from './host-reader.ts';
import type { HostAddress } from '../core/host.ts';
import type { HostPasswords, Inventory, InventoryHost, VariableOrigin } from '../core/inventory.ts';
import { isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import { formatSource, type SourceRef } from '../core/source.ts';
import { localFiles } from '../util/local-files.ts';
import type { SourceMap } from '../yaml/source-map.ts';
import { readYaml } from '../yaml/yaml.ts';

interface Group {
  hosts: Set<string>;
  children: Set<string>;
  vars: SourceObject;
  /** Where its variables stand, as far as that is known. */
  places: Map<string, SourceRef>;
}

/** Variables from one place, and where each of them stands. */
interface VariableSource {
  level: string;
  vars: SourceObject;
  places: ReadonlyMap<string, SourceRef>;
}

/** Where the values of a map stand. */
export function placesIn(vars: SourceObject, map: SourceMap): Map<string, SourceRef> {
  return new Map(
    Object.keys(vars).flatMap((name): [string, SourceRef][] => {
      const at = map.key(vars, name);
      return at ? [[name, at]] : [];
    }),
  );
}

/** Groups, hosts and variables as an inventory of Ansible's kind names them, in whatever form it is written. */
export class GroupTree {
  readonly #groups = new Map<string, Group>();
  readonly #own = new Map<string, SourceObject>();
  readonly #ownPlaces = new Map<string, ReadonlyMap<string, SourceRef>>();
  readonly #addresses = new Map<string, Partial<HostAddress>>();
  readonly #ports = new Map<string, number>();
  /** What of the files is not honoured. */
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

  /** How a host is reached; what is undefined here, its variables may say. */
  setAddress(host: string, address: Partial<HostAddress>): void {
    this.#addresses.set(host, address);
  }

  /** What is wrong when a name stands there with two ports: it would be one host, with one of them. */
  secondPort(host: string, port: number | undefined): string | undefined {
    const before = this.#ports.get(host);
    if (port !== undefined) this.#ports.set(host, port);
    if (port === undefined || before === undefined || before === port) return undefined;
    return `"${host}" stands there with the ports ${String(before)} and ${String(port)}. Give two hosts names of their own, with "ansible_host" and "ansible_port".`;
  }

  addChild(parent: string, child: string): void {
    this.group(parent).children.add(child);
    this.group(child);
  }

  /**
   * The inventory: a host's variables are those of its groups, deeper ones over others, then its own. Files in
   * `group_vars` and `host_vars` beside the inventory go over what stands in it.
   * @throws PlaybookError when groups go in circles, or two groups of one depth disagree
   */
  build(file: string, folders: readonly string[], map: SourceMap): Inventory {
    const problems: Problem[] = [];
    const at = { file, line: 1, column: 1 };
    const depths = this.#depths(problems);
    if (problems.length > 0) throw new PlaybookError(problems.map((one) => ({ ...one, at })));
    const members = new Map([...this.#groups.keys()].map((name) => [name, this.#members(name)]));
    const reading = { problems, map };
    const groupSources = new Map(
      ['all', ...this.#groups.keys()].map((name): [string, VariableSource[]] => {
        const { vars = {}, places = new Map() } = this.#groups.get(name) ?? {};
        const level = `group ${name}`;
        return [
          name,
          [{ level, vars, places }, ...varsFiles(folders, 'group_vars', name, level, reading)],
        ];
      }),
    );
    const origins = new Map<string, VariableOrigin[]>();
    const hosts = new Map<string, InventoryHost>();
    const { notes, passwords } = this;
    const reader = new HostReader(file, { problems, notes, passwords });
    for (const name of new Set([...members.values()].flatMap((one) => [...one]))) {
      const above = [...groupSources]
        .filter(([group]) => group === 'all' || members.get(group)?.has(name))
        .map(([group, sources]) => ({ group, sources, depth: depths.get(group) ?? 0 }))
        .sort((a, b) => a.depth - b.depth);
      problems.push(...disagreements(name, above).map((message) => ({ message, at })));
      const own = {
        level: 'host',
        vars: this.#own.get(name) ?? {},
        places: this.#ownPlaces.get(name) ?? new Map<string, SourceRef>(),
      };
      const sources = [
        ...above.flatMap((one) => one.sources),
        own,
        ...varsFiles(folders, 'host_vars', name, 'host', reading),
      ];
      const its = sources.flatMap(originsOf);
      origins.set(name, its);
      const vars = Object.assign({}, ...sources.map((one) => one.vars)) as SourceObject;
      const groups = above.map(({ group }) => group).filter((group) => group !== 'all');
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

  /** How far each group is from the top, by its longest way. */
  #depths(problems: Problem[]): Map<string, number> {
    const depths = new Map<string, number>([['all', 0]]);
    const visit = (name: string, depth: number, way: readonly string[]): void => {
      if (way.includes(name)) {
        const circle = [...way.slice(way.indexOf(name)), name].join(' → ');
        problems.push({ message: `Group "${name}" is part of itself: ${circle}.` });
        return;
      }
      if (depth > (depths.get(name) ?? 0)) depths.set(name, depth);
      for (const child of this.#groups.get(name)?.children ?? [])
        visit(child, depth + 1, [...way, name]);
    };
    const inner = new Set([...this.#groups.values()].flatMap(({ children }) => [...children]));
    for (const name of this.#groups.keys())
      if (name === 'all' || !inner.has(name)) visit(name, name === 'all' ? 0 : 1, []);
    // Groups that only name each other have no top.
    for (const name of this.#groups.keys()) if (!depths.has(name)) visit(name, 1, []);
    return depths;
  }
}

function originsOf({ level, vars, places }: VariableSource): VariableOrigin[] {
  return Object.entries(vars).map(([name, value]) => ({
    name,
    value,
    level,
    at: places.get(name),
  }));
}

/** Which of two groups of one depth wins would depend on their names: nobody means that. */
function disagreements(
  host: string,
  above: readonly { group: string; sources: readonly VariableSource[]; depth: number }[],
): string[] {
  const seen = new Map<string, { group: string; value: Source; at: SourceRef | undefined }>();
  const messages: string[] = [];
  for (const { group, sources, depth } of above) {
    const own = new Map(
      sources.flatMap(originsOf).map(({ name, value, at }) => [name, { group, value, at }]),
    );
    for (const [name, one] of own) {
      const key = `${String(depth)} ${name}`;
      const other = seen.get(key);
      if (!other) seen.set(key, one);
      else if (JSON.stringify(other.value) !== JSON.stringify(one.value)) {
        const where = [other, one].flatMap(({ at }) => (at ? [formatSource(at)] : []));
        const places = where.length === 0 ? '' : ` (${where.join(' and ')})`;
        messages.push(
          `Groups "${other.group}" and "${group}" give host "${host}" different values of "${name}"${places}. Say it in a group below, or in the host.`,
        );
      }
    }
  }
  return messages;
}

const extensions = ['', '.yml', '.yaml', '.json'];

/** Variables of a group or host in files of its name, or in all files of a folder of its name. */
function varsFiles(
  folders: readonly string[],
  kind: 'group_vars' | 'host_vars',
  name: string,
  level: string,
  { problems, map }: { problems: Problem[]; map: SourceMap },
): VariableSource[] {
  const found: VariableSource[] = [];
  for (const folder of folders) {
    const place = join(folder, kind, name);
    const files = extensions
      .map((extension) => `${place}${extension}`)
      .filter((path) => existsSync(path))
      .flatMap((path) =>
        statSync(path).isDirectory()
          ? readdirSync(path)
              .filter(
                (file) => extensions.includes(extname(file)) && !basename(file).startsWith('.'),
              )
              .sort()
              .map((file) => join(path, file))
          : [path],
      );
    for (const file of files) {
      const value = readYaml(file, { files: localFiles, problems, map });
      if (isSourceObject(value)) found.push({ level, vars: value, places: placesIn(value, map) });
      else if (value !== null)
        problems.push({
          message: 'A file of variables is a map of names and values.',
          at: { file, line: 1, column: 1 },
        });
    }
  }
  return found;
}
