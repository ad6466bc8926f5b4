import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { Problem } from '../core/errors.ts';
import type { Source, SourceObject } from '../core/value.ts';
import type { JsonSchema } from '../core/module.ts';
import type { SourceRef } from '../core/source.ts';
import { fallbacks } from './fields.ts';
import {
  loopKeywords,
  sharedKeywords,
  taskKeywords,
  taskLoopKeywords,
  type inputKeywords,
  type playbookKeywords,
  type playKeywords,
  type rollbackKeywords,
} from './keywords.ts';
import type { Fields } from './table.ts';
import type { MetaAction } from './words.ts';

export type { UndoTrigger } from './own-types.ts';
export type { Limit } from './types.ts';
export * from './words.ts';

/** A checked and linked playbook: roles and includes are expanded, keywords inherited, names unique. */
export interface Playbook extends Fields<typeof playbookKeywords> {
  name: string;
  path: string;
  inputs: InputSpec[];
  /** Inputs of earlier versions. */
  removed: RemovedInput[];
  rollback: RollbackPolicy;
  fingerprint: TaskNode[];
  plays: Play[];
  /** What overlays changed, those of the lowest first. */
  changes: readonly PlaybookChange[];
  /** Folders that templates and files are looked up in, that of the playbook below all overlays last. */
  folders: string[];
  /** Every file that was read, for the pinned copy in the journal. */
  files: string[];
  /** What could be better, and does not keep it from being run. */
  warnings: Problem[];
  /** Where a name in one of its maps of variables stands. */
  placeOf(vars: SourceObject, name: string): SourceRef | undefined;
}

/** A step or play that an overlay puts something around, replaces or takes out. */
export interface PlaybookChange {
  action: 'before' | 'after' | 'replace' | 'disable';
  /** Id of the step or play. */
  target: string;
  reason: string | undefined;
  at: SourceRef;
}

/** What a playbook or a play says about its way back. */
export interface RollbackPolicy extends Fields<typeof rollbackKeywords> {
  /** Read-only tasks that keep evidence before anything is taken back; they cannot stop the rollback. */
  before: TaskNode[];
  /** Tasks on the way out, once all is taken back. */
  after: TaskNode[];
  /** Read-only tasks that must succeed for the rollback to count as verified. */
  verify: TaskNode[];
}

/** A typed value the operator gives: a flag of `runner play PLAYBOOK`. */
export interface InputSpec extends Fields<typeof inputKeywords> {
  name: string;
  schema: JsonSchema;
  default?: Source;
  at: SourceRef;
}

export interface RemovedInput {
  name: string;
  /** What to use instead, as a sentence. */
  instead: string;
}

export interface Play extends Fields<typeof playKeywords> {
  id: string;
  name: string;
  at: SourceRef;
  hosts: string;
  vars: SourceObject;
  rollback: RollbackPolicy;
  sections: PlaySection[];
  handlers: TaskNode[];
}

export interface PlaySection {
  name: 'pre_tasks' | 'tasks' | 'post_tasks';
  nodes: Node[];
}

export type Node = TaskNode | BlockNode | CommitNode | FlushNode | MetaNode | IncludeNode;

/** Variables and paths of the role a task stands in. */
export interface RoleContext {
  name: string;
  path: string;
  defaults: SourceObject;
  inputs: SourceObject;
  /** What only the command line can change. */
  constants: SourceObject;
  /** The role in which this one is included, whose variables its inputs may name. */
  parent: RoleContext | undefined;
}

const taskTables = { ...sharedKeywords, ...loopKeywords, ...taskLoopKeywords, ...taskKeywords };

/** With a field for each keyword of a task: `sharedKeywords`, `loopKeywords`, `taskLoopKeywords`, `taskKeywords`. */
export interface TaskNode extends Fields<typeof taskTables> {
  kind: 'task';
  id: string;
  name: string;
  at: SourceRef;
  module: string;
  args: SourceObject;
  argsAt: SourceRef;
  /** Loop variables of the includes and blocks around: data, which is never rendered. */
  loopValues: SourceObject;
  role: RoleContext | undefined;
  readOnly: boolean;
  undo: UndoSpec;
  capture: TaskNode[];
  probe: TaskNode | undefined;
}

/**
 * The items of a rendered loop; undefined where it is no list. Besides a list that is `with_items`, of whose lists the
 * items count, and `with_dict`, whose items are maps of "key" and "value".
 */
export function loopItems(loop: JsonValue): JsonValue[] | undefined {
  if (Array.isArray(loop)) return loop;
  if (!isJsonObject(loop)) return undefined;
  const { with_items: list, with_dict: map } = loop;
  if (list !== undefined) return [list].flat().flatMap((item) => item);
  if (!isJsonObject(map)) return undefined;
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** What of a task is rendered when it runs, conditions aside. */
export function renderedValues(task: TaskNode): Source[] {
  return [
    task.args,
    task.loop ?? null,
    task.delegateTo ?? null,
    task.become.user,
    task.become.login?.user ?? null,
    task.become.login?.port ?? null,
    task.retries,
    task.delaySeconds,
    task.timeoutSeconds ?? null,
    task.environment,
    ...task.vars,
  ];
}

/** A task that says nothing but which module is called, with what, as whom. */
export function plainTask(
  own: Pick<TaskNode, 'id' | 'name' | 'at' | 'module' | 'args' | 'become'>,
): TaskNode {
  return {
    kind: 'task',
    ...fallbacks(taskTables),
    ...own,
    argsAt: own.at,
    loopValues: {},
    role: undefined,
    readOnly: false,
    undo: { kind: 'default' },
    undoOn: 'always',
    capture: [],
    probe: undefined,
  };
}

export type UndoSpec =
  | { kind: 'default' }
  | { kind: 'auto' }
  | { kind: 'none'; reason: string | undefined }
  | { kind: 'tasks'; tasks: TaskNode[] };

export interface BlockNode {
  kind: 'block';
  id: string;
  name: string;
  at: SourceRef;
  block: Node[];
  rescue: Node[];
  always: Node[];
  undo: { tasks: TaskNode[]; replace: boolean } | undefined;
  /** All of a role, which `end_role` ends. */
  isRole: boolean;
}

/** A barrier: automatic rollback never goes behind it. */
export interface CommitNode {
  kind: 'commit';
  id: string;
  name: string;
  at: SourceRef;
  tags: string[];
  gate: TaskNode[];
  /** Asks for `--accept-irreversible NAME` before the run starts. */
  confirm: boolean;
  reason: string | undefined;
}

export interface FlushNode {
  kind: 'flush';
  at: SourceRef;
}

/** Something that is done to the course of the run, not to a host. */
export interface MetaNode {
  kind: 'meta';
  action: MetaAction;
  /** Its condition is asked for each host. It asks no host. */
  task: TaskNode;
}

/**
 * What is known only when the run gets there, host by host: an include whose path is a template, or an include, role
 * or block in a loop.
 */
export interface IncludeNode {
  kind: 'include';
  /** Works out path and items. It asks no host. */
  task: TaskNode;
  /** What can be seen before the run; empty when the path cannot be known. */
  preview: Expansion;
  /** Names that what it may include defines, as far as files can be found; undefined when none could. */
  mayDefine: readonly string[] | undefined;
  /** The whole path of what `name` means. @throws PlaybookError when there is no such thing */
  locate: (name: string) => string;
  /** @throws PlaybookError */
  expand: (part: IncludePart) => Expansion;
}

/** One item of an include, on all hosts for which it is the same. */
export interface IncludePart {
  /** Whole path of the file or role. Empty for a block. */
  source: string;
  /** Tells its steps from those of the other parts: the last part of their path. */
  name: string;
  loopValues: SourceObject;
}

export interface Expansion {
  nodes: Node[];
  /** Handlers of the roles inside. */
  handlers: TaskNode[];
  /** Files that were read. */
  files: string[];
}

/** A handler of a role by its whole name: `ROLE : NAME`. */
export function wholeName({ role, name }: TaskNode): string {
  return role ? `${role.name} : ${name}` : name;
}

/** What `notify` may call a handler. */
export function handlerNames(handler: TaskNode): string[] {
  return [handler.name, wholeName(handler), ...handler.listen];
}

/** Undo lists of blocks, also of those inside. */
export function* blockUndosOf(nodes: readonly Node[]): Generator<TaskNode> {
  for (const node of nodes) {
    if (node.kind === 'include') yield* blockUndosOf(node.preview.nodes);
    if (node.kind !== 'block') continue;
    yield* node.undo?.tasks ?? [];
    for (const part of [node.block, node.rescue, node.always]) yield* blockUndosOf(part);
  }
}

/** Every task of these nodes with those inside blocks, in order. */
export function* tasksOf(nodes: readonly Node[]): Generator<TaskNode> {
  for (const node of nodes) {
    if (node.kind === 'task') yield node;
    if (node.kind === 'meta') yield node.task;
    if (node.kind === 'include') {
      yield node.task;
      yield* tasksOf(node.preview.nodes);
      yield* node.preview.handlers;
    }
    if (node.kind === 'block') {
      yield* tasksOf(node.block);
      yield* tasksOf(node.rescue);
      yield* tasksOf(node.always);
    }
    if (node.kind === 'commit') yield* node.gate;
  }
}

/** Every include of a play that only the run can resolve. */
export function playIncludes({ sections }: Play): IncludeNode[] {
  const visit = (nodes: readonly Node[]): IncludeNode[] =>
    nodes.flatMap((node) => {
      if (node.kind === 'include') return [node, ...visit(node.preview.nodes)];
      if (node.kind !== 'block') return [];
      return [node.block, node.rescue, node.always].flatMap(visit);
    });
  return sections.flatMap(({ nodes }) => visit(nodes));
}

export function playTasks(play: Play): TaskNode[] {
  return [...play.sections.flatMap(({ nodes }) => [...tasksOf(nodes)]), ...play.handlers];
}
