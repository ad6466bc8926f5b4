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

/** What a node has from the play, role and blocks around it: a field for each keyword that is inherited, and its place. */
export interface Around extends Fields<typeof inheritedKeywords> {
  /** Id of what it stands in. */
  path: string;
  role: RoleContext | undefined;
  /** Folder that relative includes are looked up in. */
  folder: string;
  /** Loop variables of the includes and blocks around. */
  loopValues: SourceObject;
  /** Files that are being included, outermost first. */
  chain: readonly string[];
}

/** A playbook that is being read, with its roles and overlays: what all its readers use and add to. */
export interface PlaybookReading extends YamlReading {
  modules: ModuleRegistry;
  /** Paths of the files that were read. */
  used: Set<string>;
  /** Step ids given so far. */
  ids: Set<string>;
  /** What overlays want changed. */
  changes: Changes;
  /** The id by which a step is known before the run: one inside a loop as that of "each" item. */
  previewId: (id: string) => string;
  /** Handlers of roles, gathered while the tasks are read. */
  handlers: TaskNode[];
  /** Fingerprint tasks of roles. */
  fingerprint: TaskNode[];
  /** Roles that were read because another one of the play depends on them, with all they were given. */
  dependencies: Set<string>;
  /** Roles whose dependencies are being read, outermost first. */
  roleChain: readonly string[];
  /** What is read is repeated, or read only when the run gets there. */
  dynamic: boolean;
  roles: RoleFolders;
  readers: Readers;
}

/** Where roles are looked up. */
export interface RoleFolders {
  readonly paths: readonly string[];
  /** The whole path of a role's folder. */
  find(name: string): string | undefined;
  /** Names of all roles. */
  names(): string[];
}

/** Readers that call each other: blocks hold tasks, tasks hold tasks that undo them, includes hold roles and blocks. */
export interface Readers {
  nodes(list: Source[], around: Around, reading: PlaybookReading, at: SourceRef): Node[];
  task(reader: MapReader, around: Around, reading: PlaybookReading): TaskNode | undefined;
  role(reader: MapReader, around: Around, reading: PlaybookReading): BlockNode | undefined;
}

/** Nodes with what overlays put around them or in their place. */
export function changed(nodes: readonly Node[], outer: Around, reading: PlaybookReading): Node[] {
  return nodes.flatMap((node) =>
    reading.changes.ofNode(node, reading.previewId, ({ tasks, path, folder, at }) =>
      reading.readers.nodes(tasks, { ...outer, path, folder }, reading, at),
    ),
  );
}

/** Outside of all plays. */
export function topLevel(folder: string, path: string): Around {
  return {
    ...fields.fallbacks(inheritedKeywords),
    path,
    role: undefined,
    folder,
    loopValues: {},
    chain: [],
  };
}

/** The keywords that plays, roles, blocks and tasks share. */
export function inherit(reader: MapReader, outer: Around): Around {
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
