import { dirname, resolve } from 'node:path';
import type { Problem } from '../core/errors.ts';
import { isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import type { Node, PlaybookChange } from '../language/document.ts';
import type { SourceRef } from '../core/source.ts';
import { keywordsOn } from '../language/keywords.ts';
import { didYouMean } from '../util/text.ts';
import { MapReader } from '../yaml/map-reader.ts';
import type { SourceMap } from '../yaml/source-map.ts';
import { readYaml, type YamlReading } from '../yaml/yaml.ts';

const actions = ['before', 'after', 'replace', 'disable'] as const;

/**
 * Keywords of an overlay that are merged with those of the playbook below, with the depth. Others
 * override it.
 */
const mergedKeys = { inputs: 2, rollback: 1 };
const overlayKeys = keywordsOn('overlay').map(({ name }) => name);
const plainKeys = overlayKeys.filter(
  (key) => !['extends', 'changes', 'fingerprint', ...Object.keys(mergedKeys)].includes(key),
);

interface Change extends PlaybookChange {
  tasks: Source[];
  plays: Source[];
  /** Directory of the overlay, in which its includes are searched. */
  directory: string;
}

/** Tasks that an overlay inserts. */
export interface ChangeContent {
  tasks: Source[];
  /** Path of their ids. */
  path: string;
  directory: string;
  at: SourceRef;
}

/** A playbook and the overlays over it. */
export interface Layers {
  /** The playbook, merged with the keywords of its overlays. */
  value: Source;
  changes: Changes;
  /** The given file first, the playbook below all overlays last. */
  files: string[];
}

/**
 * Reads a playbook and, if it is an overlay, the playbooks that it extends. Keywords of an overlay
 * override or extend those of the playbook below. Its `changes` are applied later, while the steps
 * are read.
 */
export function readLayers(
  path: string,
  playbookPaths: readonly string[],
  reading: YamlReading,
): Layers {
  const { problems, map } = reading;
  const changes = new Changes(problems);
  const files: string[] = [];
  const overlays: SourceObject[] = [];
  let file = resolve(path);
  for (;;) {
    const value = readYaml(file, reading);
    files.push(file);
    if (!isSourceObject(value) || !('extends' in value)) {
      const merged = overlays.reduceRight(
        (below, overlay) => mergeOverlay(below, overlay, map),
        value,
      );
      return { value: merged, changes, files };
    }
    const reader = new MapReader(value, map, problems);
    changes.read(reader, dirname(file));
    overlays.push(value);
    const wanted = reader.string('extends');
    for (const key of overlayKeys) reader.has(key);
    reader.close('an overlay');
    const candidates = [dirname(file), ...playbookPaths].map((one) => resolve(one, wanted ?? ''));
    const below = candidates.find((one) => reading.files.look(one) && !files.includes(one));
    if (wanted === undefined || below === undefined) {
      const loop = candidates.find((one) => files.includes(one));
      if (wanted !== undefined)
        reader.problem(
          'extends',
          loop === undefined
            ? `There is no playbook "${wanted}" to extend.`
            : `"${wanted}" extends itself.`,
          `Looked for ${candidates.join(', ')}.`,
        );
      return { value: {}, changes, files };
    }
    file = below;
  }
}

/** Merges an overlay into the playbook below. */
function mergeOverlay(value: Source, overlay: SourceObject, map: SourceMap): Source {
  const below: SourceObject = isSourceObject(value) ? value : { plays: value };
  const merged: SourceObject = { ...below };
  for (const key of plainKeys) if (overlay[key] !== undefined) merged[key] = overlay[key];
  for (const [key, depth] of Object.entries(mergedKeys)) {
    const both = mergeMaps(below[key], overlay[key], map, depth);
    if (both !== undefined) merged[key] = both;
  }
  if (overlay['fingerprint'] !== undefined)
    merged['fingerprint'] = [below['fingerprint'], overlay['fingerprint']].flatMap(
      (one) => one ?? [],
    );
  map.copy(isSourceObject(value) ? value : overlay, merged);
  return merged;
}

/** Merges two maps down to a depth. Keys of the upper one win. */
function mergeMaps(
  below: Source | undefined,
  above: Source | undefined,
  map: SourceMap,
  depth: number,
): Source | undefined {
  if (depth === 0 || !isSourceObject(below) || !isSourceObject(above)) return above ?? below;
  const merged: SourceObject = { ...below };
  for (const [key, value] of Object.entries(above))
    merged[key] = mergeMaps(below[key], value, map, depth - 1) ?? null;
  map.merge(below, above, merged);
  return merged;
}

/** The changes of all overlays, lowest overlay first. Records which of them found their step. */
export class Changes {
  readonly #problems: Problem[];
  readonly #changes: Change[] = [];
  readonly #found = new Set<Change>();
  readonly #steps = new Set<string>();
  readonly #unknown = new Set<string>();

  constructor(problems: Problem[]) {
    this.#problems = problems;
  }

  get list(): readonly PlaybookChange[] {
    return this.#changes.map(({ action, target, reason, at }) => ({ action, target, reason, at }));
  }

  /** Reads the changes of the next overlay below. */
  read(overlay: MapReader, directory: string): void {
    const read = (overlay.list('changes') ?? []).flatMap((item) => {
      if (!isSourceObject(item)) {
        overlay.problem('changes', 'A change must be a map.');
        return [];
      }
      return readChange(new MapReader(item, overlay.map, overlay.problems), directory) ?? [];
    });
    // Files are read from the top down, but lower changes are applied first.
    this.#changes.unshift(...read);
  }

  /** Applies the changes to a play. */
  applyToPlay<P extends { id: string }>(play: P, load: (plays: Source[]) => P[]): P[] {
    return this.#apply(play.id, play, (change) => {
      if (change.tasks.length > 0)
        this.#problem(change, `"${change.target}" is a play: use "plays", not "tasks".`);
      return load(change.plays);
    });
  }

  /**
   * Applies the changes to a node.
   * @param previewId returns the id of a step before the run
   */
  applyToNode(
    node: Node,
    previewId: (id: string) => string,
    load: (content: ChangeContent) => Node[],
  ): Node[] {
    if (node.kind === 'flush' || node.kind === 'meta') return [node];
    const id = node.kind === 'include' ? node.task.id : node.id;
    const known = previewId(id);
    if (node.kind === 'include' && node.preview.nodes.length === 0) this.#unknown.add(known);
    return this.#apply(known, node, (change) => {
      if (change.plays.length > 0)
        this.#problem(change, `"${change.target}" is not a play: use "tasks", not "plays".`);
      const where = change.action === 'replace' ? 'instead' : change.action;
      const { tasks, directory, at } = change;
      return load({ tasks, path: `${id}/${where}`, directory, at });
    });
  }

  /** Reports changes whose step or play does not exist. Call it after everything is loaded. */
  reportUnmatched(): void {
    for (const change of this.#changes) {
      const { target } = change;
      if (this.#found.has(change)) continue;
      if ([...this.#unknown].some((include) => target.startsWith(`${include}/`))) continue;
      const near = didYouMean(target, [...this.#steps]);
      this.#problem(
        change,
        `There is no step "${target}".`,
        `${near === '' ? '' : `${near} `}List the ids with: runner plan PLAYBOOK --list-tasks.`,
      );
    }
  }

  #apply<T>(id: string, what: T, load: (change: Change) => T[]): T[] {
    this.#steps.add(id);
    let before: T[] = [];
    let self: T[] = [what];
    const after: T[] = [];
    let instead: Change | undefined;
    for (const change of this.#changes.filter(({ target }) => target === id)) {
      const first = !this.#found.has(change);
      this.#found.add(change);
      const loaded = change.action === 'disable' ? [] : load(change);
      if (change.action === 'before') before = [...before, ...loaded];
      else if (change.action === 'after') after.push(...loaded);
      else {
        if (instead !== undefined && first)
          this.#problem(change, `"${id}" is replaced or disabled twice.`);
        instead = change;
        self = loaded;
      }
    }
    return [...before, ...self, ...after];
  }

  #problem({ at }: { at: SourceRef }, message: string, hint?: string): void {
    this.#problems.push({ message, at, hint });
  }
}

function readChange(reader: MapReader, directory: string): Change | undefined {
  const given = actions.filter((one) => reader.has(one));
  const [action] = given;
  const change = {
    tasks: reader.list('tasks') ?? [],
    plays: reader.list('plays') ?? [],
    reason: reader.string('reason'),
    directory,
  };
  reader.close('a change');
  if (action === undefined || given.length > 1) {
    const at = reader.at();
    const message = `A change needs exactly one of ${actions.join(', ')}, with the id of a step or play.`;
    reader.problems.push({ message, at });
    return undefined;
  }
  const target = reader.string(action);
  if (target === undefined) return undefined;
  const content = change.tasks.length + change.plays.length;
  if (action === 'disable' && content > 0)
    reader.problem(
      action,
      '"disable" cannot have "tasks" or "plays".',
      'Use "replace" to replace a step.',
    );
  if (action === 'disable' && change.reason === undefined)
    reader.problem(action, '"disable" needs a "reason".', 'Add "reason:". The plan shows it.');
  if (action !== 'disable' && content === 0)
    reader.problem(action, `"${action}" needs "tasks", or "plays" if the id is that of a play.`);
  return { action, target, at: reader.at(action), ...change };
}
