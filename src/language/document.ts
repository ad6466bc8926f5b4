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

/**
 * A checked and linked playbook: roles and includes are expanded, keywords inherited, names unique.
 */
export interface Playbook extends Fields<typeof playbookKeywords> {
  name: string;
  path: string;
  inputs: InputSpec[];
  /** Removed inputs, reported if they are still given. */
  removed: RemovedInput[];
  rollback: RollbackPolicy;
  fingerprint: TaskNode[];
  plays: Play[];
  /** Changes made by overlays, lowest overlay first. */
  changes: readonly PlaybookChange[];
  /**
   * Directories in which templates and files are searched; that of the playbook below all overlays
   * is last.
   */
  directories: string[];
  /** Every file that was read; the journal keeps a copy of each. */
  files: string[];
  /** Problems that do not prevent a run. */
  warnings: Problem[];
  /** Source position of a variable in one of the playbook's variable maps. */
  placeOf(vars: SourceObject, name: string): SourceRef | undefined;
}

/**
 * A change of an overlay: inserts something before or after a step or play, replaces it or disables
 * it.
 */
export interface PlaybookChange {
  action: 'before' | 'after' | 'replace' | 'disable';
  /** Id of the step or play. */
  target: string;
  reason: string | undefined;
  at: SourceRef;
}

/** `rollback` of a playbook or play. */
export interface RollbackPolicy extends Fields<typeof rollbackKeywords> {
  /**
   * Read-only tasks that collect evidence before anything is undone. They cannot stop the rollback.
   */
  before: TaskNode[];
  /** Tasks that run after everything is undone. */
  after: TaskNode[];
  /** Read-only tasks that must succeed for the rollback to count as verified. */
  verify: TaskNode[];
}

/** A typed value given by the operator; a flag of `runner play PLAYBOOK`. */
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

/** Variables and path of the role that contains a task. */
export interface RoleContext {
  name: string;
  path: string;
  defaults: SourceObject;
  inputs: SourceObject;
  /** Variables in `vars/`, which only the command line overrides. */
  constants: SourceObject;
  /** The role that includes this one. The inputs of this role can use its variables. */
  parent: RoleContext | undefined;
}

const taskTables = { ...sharedKeywords, ...loopKeywords, ...taskLoopKeywords, ...taskKeywords };

/** A task, with a field for each keyword of `taskTables`. */
export interface TaskNode extends Fields<typeof taskTables> {
  kind: 'task';
  id: string;
  name: string;
  at: SourceRef;
  module: string;
  args: SourceObject;
  argsAt: SourceRef;
  /** Loop variables of enclosing includes and blocks. They are data and never rendered. */
  loopValues: SourceObject;
  role: RoleContext | undefined;
  readOnly: boolean;
  undo: UndoSpec;
  capture: TaskNode[];
  probe: TaskNode | undefined;
}

/**
 * The items of a rendered loop; undefined if it is not a list. `with_items` flattens lists inside
 * the list by one level, `with_dict` turns a map into a list of maps with "key" and "value".
 */
export function loopItems(loop: JsonValue): JsonValue[] | undefined {
  if (Array.isArray(loop)) return loop;
  if (!isJsonObject(loop)) return undefined;
  const { with_items: list, with_dict: map } = loop;
  if (list !== undefined) return [list].flat().flatMap((item) => item);
  if (!isJsonObject(map)) return undefined;
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** The values of a task that are rendered when it runs, without its conditions. */
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

/** A task with a module, its arguments and `become`, and defaults for everything else. */
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
  /** The block contains a whole role, which `end_role` ends. */
  isRole: boolean;
}

/** A commit point: an automatic rollback does not undo steps before it. */
export interface CommitNode {
  kind: 'commit';
  id: string;
  name: string;
  at: SourceRef;
  tags: string[];
  gate: TaskNode[];
  /** The run starts only with `--accept-irreversible NAME`. */
  confirm: boolean;
  reason: string | undefined;
}

export interface FlushNode {
  kind: 'flush';
  at: SourceRef;
}

/** An action on the execution of the play, not on a host. */
export interface MetaNode {
  kind: 'meta';
  action: MetaAction;
  /** Evaluates the condition for each host, without contacting it. */
  task: TaskNode;
}

/**
 * Steps that are known only during the run, for each host: an include whose path is a template, or
 * an include, role or block in a loop.
 */
export interface IncludeNode {
  kind: 'include';
  /** Evaluates path and loop items, without contacting the host. */
  task: TaskNode;
  /** The steps as far as they are known before the run; empty if the path is a template. */
  preview: Expansion;
  /** Names defined by the files that the path can match. Undefined if no such file was found. */
  mayDefine: readonly string[] | undefined;
  /** Absolute path of the file or role called `name`. @throws PlaybookError if it does not exist */
  locate: (name: string) => string;
  /** @throws PlaybookError */
  expand: (part: IncludePart) => Expansion;
}

/** One item of an include, for all hosts with the same item. */
export interface IncludePart {
  /** Absolute path of the file or role. Empty for a block. */
  source: string;
  /** Last part of the path of its steps, which distinguishes them from those of other parts. */
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

/** Full name of a task of a role: `ROLE : NAME`. */
export function wholeName({ role, name }: TaskNode): string {
  return role ? `${role.name} : ${name}` : name;
}

/** All names by which `notify` can refer to a handler. */
export function handlerNames(handler: TaskNode): string[] {
  return [handler.name, wholeName(handler), ...handler.listen];
}

/** Undo tasks of blocks, nested blocks included. */
export function* blockUndosOf(nodes: readonly Node[]): Generator<TaskNode> {
  for (const node of nodes) {
    if (node.kind === 'include') yield* blockUndosOf(node.preview.nodes);
    if (node.kind !== 'block') continue;
    yield* node.undo?.tasks ?? [];
    for (const part of [node.block, node.rescue, node.always]) yield* blockUndosOf(part);
  }
}

/** Every task of these nodes and of nested blocks, in order. */
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

/** Every include of a play that can only be resolved during the run. */
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
