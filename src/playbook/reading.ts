import type { Source, SourceObject } from '../core/value.ts';
import type { ModuleRegistry } from '../core/module.ts';
import type { SourceRef } from '../core/source.ts';
import type { BlockNode, Node, RoleContext, TaskNode } from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { defaultsKeywords, sharedKeywords } from '../language/keywords.ts';
import type { Fields } from '../language/table.ts';
import { slug } from '../util/text.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import type { YamlReading } from '../yaml/yaml.ts';
import type { Changes } from './overlay.ts';

const inheritedKeywords = { ...sharedKeywords, ...defaultsKeywords };

/**
 * What a node inherits from its play, role and blocks: a field for each inherited keyword, and its
 * position.
 */
export interface Context extends Fields<typeof inheritedKeywords> {
  /** Id of the enclosing play, role, block or include. */
  path: string;
  role: RoleContext | undefined;
  /** Directory in which relative includes are searched. */
  directory: string;
  /** Loop variables of the enclosing includes and blocks. */
  loopValues: SourceObject;
  /** Files of the enclosing includes, outermost first. */
  chain: readonly string[];
}

/** Shared state of all readers while a playbook with its roles and overlays is loaded. */
export interface PlaybookReading extends YamlReading {
  modules: ModuleRegistry;
  /** Paths of the files that were read. */
  used: Set<string>;
  /** Step ids assigned so far. */
  ids: Set<string>;
  /** Changes of the overlays. */
  changes: Changes;
  /** Id of a step before the run, in which "each" replaces the item of a loop. */
  previewId: (id: string) => string;
  /** Handlers of roles, collected while tasks are read. */
  handlers: TaskNode[];
  /** Fingerprint tasks of roles. */
  fingerprint: TaskNode[];
  /** Keys of the dependencies loaded so far in the play: role, inputs and inherited keywords. */
  dependencies: Set<string>;
  /** Roles whose dependencies are being loaded, outermost first. */
  roleChain: readonly string[];
  /** The steps are in a loop, or in an include that is resolved during the run. */
  dynamic: boolean;
  roles: RoleDirectories;
  readers: Readers;
  /** Names that the tasks of a text define, by the text. Each item of a loop reads the files of an include again. */
  defined: Map<string, readonly string[]>;
}

/** Directories in which roles are searched. */
export interface RoleDirectories {
  readonly paths: readonly string[];
  /** Absolute path of a role's directory. */
  find(name: string): string | undefined;
  names(): string[];
}

/**
 * Readers that call each other: blocks contain tasks, tasks contain undo tasks, includes contain
 * roles and blocks.
 */
export interface Readers {
  nodes(list: Source[], context: Context, reading: PlaybookReading, at: SourceRef): Node[];
  task(reader: MapReader, context: Context, reading: PlaybookReading): TaskNode | undefined;
  role(reader: MapReader, context: Context, reading: PlaybookReading): BlockNode | undefined;
}

/** Applies the changes of the overlays to nodes. */
export function withChanges(
  nodes: readonly Node[],
  outer: Context,
  reading: PlaybookReading,
): Node[] {
  return nodes.flatMap((node) =>
    reading.changes.applyToNode(node, reading.previewId, ({ tasks, path, directory, at }) =>
      reading.readers.nodes(tasks, { ...outer, path, directory }, reading, at),
    ),
  );
}

/** The context outside of all plays. */
export function topLevel(directory: string, path: string): Context {
  return {
    ...fields.fallbacks(inheritedKeywords),
    path,
    role: undefined,
    directory,
    loopValues: {},
    chain: [],
  };
}

/** Reads the inheritable keywords of a node and combines them with those of the enclosing node. */
export function inherit(reader: MapReader, outer: Context): Context {
  const own = fields.read(inheritedKeywords, reader);
  return { ...outer, ...fields.inherit(inheritedKeywords, outer, own) };
}

export function stepId(path: string, name: string, ids: Set<string>): string {
  const base = `${path}/${slug(name)}`;
  let id = base;
  for (let ordinal = 2; ids.has(id); ordinal++) id = `${base}~${String(ordinal)}`;
  ids.add(id);
  return id;
}
