import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Problem } from '../core/errors.ts';
import type { VariableOrigin } from '../core/inventory.ts';
import { isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import { formatSource, type SourceRef } from '../core/source.ts';
import { localFiles } from '../util/local-files.ts';
import type { SourceMap } from '../yaml/source-map.ts';
import { olderNote, type OlderValue } from '../yaml/older.ts';
import { isVault } from '../util/vault.ts';
import { connectionVariable } from '../util/connection-variables.ts';
import { readYaml } from '../yaml/yaml.ts';

/** Variables from one source, with their positions. */
export interface VariableSource {
  level: string;
  vars: SourceObject;
  places: ReadonlyMap<string, SourceRef>;
}

export interface VarsReading {
  problems: Problem[];
  notes: Problem[];
  map: SourceMap;
}

interface Layer {
  group: string;
  /** Precedence. Layers of the same rank must not set different values. */
  rank: readonly number[];
  source: VariableSource;
}

/**
 * The variables of groups in the precedence of Ansible, lowest first: the inventory itself,
 * `group_vars/all`, then `group_vars` of other groups. Those next to the inventory come before
 * those of the playbook. Within each, deeper groups override others, then those with a higher
 * `ansible_group_priority`.
 */
export class GroupLayers {
  readonly #directories: readonly string[];
  readonly #reading: VarsReading;
  readonly #layers: Layer[] = [];
  #isSorted = false;

  constructor(directories: readonly string[], reading: VarsReading) {
    this.#directories = directories;
    this.#reading = reading;
  }

  /** @param written its variables in the inventory itself */
  add(group: string, depth: number, written: VariableSource): void {
    const priority = Number(written.vars['ansible_group_priority'] ?? 1);
    const place = (tier: number) => [tier, depth, Number.isFinite(priority) ? priority : 1];
    this.#layers.push({ group, rank: place(0), source: written });
    const { level } = written;
    for (const [index, directory] of this.#directories.entries())
      for (const source of varsFiles([directory], 'group_vars', group, { level, ...this.#reading }))
        this.#layers.push({ group, rank: place((group === 'all' ? 1 : 1000) + index), source });
  }

  /** @param has whether a host is in a group */
  of(has: (group: string) => boolean): HostLayers {
    if (!this.#isSorted) this.#layers.sort((a, b) => compare(a.rank, b.rank));
    this.#isSorted = true;
    return new HostLayers(this.#layers.filter(({ group }) => has(group)));
  }
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((one, index) => one - (b[index] ?? 0)).find((one) => one !== 0) ?? 0;
}

/** The layers of the groups of one host. */
export class HostLayers {
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  get sources(): VariableSource[] {
    return this.#layers.map(({ source }) => source);
  }

  /** Outermost group first. */
  get groups(): string[] {
    return this.#layers.filter(({ rank }) => rank[0] === 0).map(({ group }) => group);
  }

  /**
   * Reports variables for which two groups of the same rank set different values. In Ansible, the
   * group name decides.
   * @param settled variables that are set with a higher precedence than groups
   */
  disagreements(host: string, settled: ReadonlySet<string>): string[] {
    const last = new Map<string, { layer: Layer; others: Map<string, Layer> }>();
    for (const layer of this.#layers)
      for (const name of Object.keys(layer.source.vars)) {
        const before = last.get(name);
        const isTie = before !== undefined && compare(before.layer.rank, layer.rank) === 0;
        const others = isTie ? before.others : new Map<string, Layer>();
        others.set(layer.group, layer);
        last.set(name, { layer, others });
      }
    return [...last].flatMap(([name, { others }]) => {
      if (settled.has(name) || name === 'ansible_group_priority') return [];
      const [first, ...rest] = [...others.values()];
      const other = rest.find((one) => valueOf(one, name) !== (first && valueOf(first, name)));
      return first && other ? [disagreement(host, name, [first, other])] : [];
    });
  }
}

const valueOf = ({ source }: Layer, name: string): string =>
  JSON.stringify(source.vars[name] ?? null);

function disagreement(host: string, name: string, [one, other]: [Layer, Layer]): string {
  const where = [one, other].flatMap(({ source }) => {
    const at = source.places.get(name);
    return at ? [formatSource(at)] : [];
  });
  const places = where.length === 0 ? '' : ` (${where.join(' and ')})`;
  return `Groups "${one.group}" and "${other.group}" set "${name}" of host "${host}" to different values${places}. Set it in a child group or for the host.`;
}

export function originsOf({ level, vars, places }: VariableSource): VariableOrigin[] {
  return Object.entries(vars).map(([name, value]: [string, Source]) => ({
    name,
    value,
    level,
    at: places.get(name),
  }));
}

/** Source positions of the keys of a map. */
export function placesIn(vars: SourceObject, map: SourceMap): Map<string, SourceRef> {
  return new Map(
    Object.keys(vars).flatMap((name): [string, SourceRef][] => {
      const at = map.key(vars, name);
      return at ? [[name, at]] : [];
    }),
  );
}

const extensions = ['', '.yml', '.yaml', '.json'];

/**
 * Variables of a group or host in a file with its name, or in all files of a directory with its
 * name.
 */
export function varsFiles(
  directories: readonly string[],
  kind: 'group_vars' | 'host_vars',
  name: string,
  { level, problems, notes, map }: VarsReading & { level: string },
): VariableSource[] {
  const found: VariableSource[] = [];
  for (const directory of directories)
    for (const file of filesOf(join(directory, kind, name), notes)) {
      const older: OlderValue[] = [];
      const before = problems.length;
      const value = readYaml(file, { files: localFiles, problems, map, older });
      notes.push(...olderNote(withoutConnections(older)));
      const isClosed =
        value === null && problems.length === before && isVault(localFiles.text(file));
      if (isClosed) notes.push(closedNote(file));
      if (isSourceObject(value)) found.push({ level, vars: value, places: placesIn(value, map) });
      else if (value !== null)
        problems.push({
          message: 'A variable file must be a map of variables.',
          at: { file, line: 1, column: 1 },
        });
    }
  return found;
}

/** Note for commands that run without the vault password. */
function closedNote(file: string): Problem {
  const message = 'The file is encrypted, so its variables are unknown.';
  return { message, at: { file, line: 1, column: 1 }, hint: 'Use --vault-password-file.' };
}

/** Removes connection variables, which accept the values of YAML 1.1, such as "yes". */
export function withoutConnections(values: readonly OlderValue[]): OlderValue[] {
  return values.filter(({ name }) => connectionVariable(name) === undefined);
}

/** The first existing file or directory, as in Ansible. Adds a note for each further one. */
function filesOf(place: string, notes: Problem[]): string[] {
  const [first, ...others] = extensions
    .map((extension) => `${place}${extension}`)
    .filter((path) => existsSync(path));
  for (const file of others)
    notes.push({
      message: `"${basename(file)}" is ignored because "${basename(first ?? '')}" exists.`,
      at: { file, line: 1, column: 1 },
      hint: `Keep one of them, or move both into a directory "${basename(place)}".`,
    });
  if (first === undefined) return [];
  return statSync(first).isDirectory() ? filesIn(first) : [first];
}

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => !/^\.|~$/.test(name))
    .sort()
    .map((name) => join(directory, name))
    .flatMap((path) =>
      statSync(path).isDirectory()
        ? filesIn(path)
        : extensions.includes(extname(basename(path)))
          ? [path]
          : [],
    );
}
