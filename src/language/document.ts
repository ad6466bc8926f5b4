import type { Problem } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { JsonSchema } from '../core/module.ts';
import type { SourceRef } from '../core/source.ts';

/** A checked and linked playbook: roles and includes are expanded, keywords inherited, names unique. */
export interface Playbook {
  name: string;
  path: string;
  inputs: InputSpec[];
  rollback: RollbackPolicy;
  /** Seconds after which no new step begins and the run counts as failed, up to the first point of no return. */
  timeLimitSeconds: Limit | undefined;
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
  placeOf(vars: JsonObject, name: string): SourceRef | undefined;
}

/** A step or play that an overlay puts something around, replaces or takes out. */
export interface PlaybookChange {
  action: 'before' | 'after' | 'replace' | 'disable';
  /** Id of the step or play. */
  target: string;
  reason: string | undefined;
  at: SourceRef;
}

export type OnFailure = 'auto' | 'ask' | 'stop';

/** What a playbook or a play says about its way back. */
export interface RollbackPolicy {
  onFailure: OnFailure | undefined;
  /** Read-only tasks that keep evidence before anything is taken back; they cannot stop the rollback. */
  before: TaskNode[];
  /** Tasks on the way out, once all is taken back. */
  after: TaskNode[];
  /** Read-only tasks that must succeed for the rollback to count as verified. */
  verify: TaskNode[];
  /** Seconds that hosts which are away are waited for. */
  budgetSeconds: number | undefined;
  /** Seconds that the old state is given to show itself once all is taken back. */
  settleSeconds: number | undefined;
}

/** A typed value the operator gives: a flag of `runner play PLAYBOOK`. */
export interface InputSpec {
  name: string;
  schema: JsonSchema;
  description: string;
  required: boolean;
  default?: JsonValue;
  secret: boolean;
  /** False: no flag takes the value itself, only a file or a prompt. */
  hasFlag: boolean;
  /** Environment variable that is read when the flag is absent. */
  env?: string;
  /** Question asked in a terminal when nothing else gave a value; for a secret that is not required, only with its flag --ask-NAME. */
  prompt?: string;
  /** The value is the path of a file on the controller, made absolute. */
  isPath: boolean;
  /** Each text is a public key of age. */
  isRecipient: boolean;
  /** Kind of inventory the value names, when it is one. */
  isInventory: boolean;
  at: SourceRef;
}

export interface Play {
  id: string;
  name: string;
  at: SourceRef;
  hosts: string;
  allowEmpty: boolean;
  vars: JsonObject;
  order: HostOrder;
  /** Step by step on all hosts, or each host as fast as it can. */
  strategy: Strategy;
  /** Hosts a batch, each a count or a percentage; the last repeats. Empty: all at once. */
  serial: (number | string)[];
  /** A commit point after each batch or at the end of the play. */
  commit: 'batch' | 'end' | undefined;
  /** Hosts of a batch that may fail without failing the run, a count or a percentage of the batch. */
  maxFailures: number | string;
  rollback: RollbackPolicy;
  sections: PlaySection[];
  handlers: TaskNode[];
}

export const hostOrders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted'] as const;
export type HostOrder = (typeof hostOrders)[number];

export const strategies = ['linear', 'free'] as const;
export type Strategy = (typeof strategies)[number];

export interface PlaySection {
  name: 'pre_tasks' | 'tasks' | 'post_tasks';
  nodes: Node[];
}

export type Node = TaskNode | BlockNode | CommitNode | FlushNode | MetaNode | IncludeNode;

/** As whom a task works. A user in it may be a template. */
export interface Become {
  enabled: boolean;
  user: string;
  method: 'sudo' | 'su' | 'doas';
  /** How its hosts are reached, as far as the inventory does not say it. */
  login?: Login | undefined;
}

export interface Login {
  transport?: 'ssh' | 'openssh' | 'local';
  user?: string;
  port?: Limit;
}

/** Variables and paths of the role a task stands in. */
export interface RoleContext {
  name: string;
  path: string;
  defaults: JsonObject;
  inputs: JsonObject;
  /** What only the command line can change. */
  constants: JsonObject;
  /** The role in which this one is included, whose variables its inputs may name. */
  parent: RoleContext | undefined;
}

/** A number of at least 0, or a template that becomes one. */
export type Limit = number | string;

export interface TaskNode {
  kind: 'task';
  id: string;
  name: string;
  at: SourceRef;
  module: string;
  args: JsonObject;
  argsAt: SourceRef;
  when: string[];
  loop: JsonValue | undefined;
  loopVar: string;
  /** Variable with the position of an item, counted from 0. */
  indexVar: string | undefined;
  /** Seconds between two items. */
  loopPauseSeconds: number;
  /** Items at a time on one host. */
  loopParallel: number;
  /** No further item begins after one that failed. */
  loopStops: boolean;
  /** No further item begins once all of these hold. */
  breakWhen: string[];
  label: string | undefined;
  register: string | undefined;
  until: string[];
  retries: Limit;
  delaySeconds: Limit;
  changedWhen: string[] | undefined;
  failedWhen: string[] | undefined;
  notify: string[];
  listen: string[];
  /** Outermost first. */
  vars: JsonObject[];
  /** Loop variables of the includes and blocks around: data, which is never rendered. */
  loopValues: JsonObject;
  become: Become;
  delegateTo: string | undefined;
  /** Facts that it sets are those of the host it is delegated to. */
  delegateFacts: boolean;
  /** It may be delegated to a host that has failed. */
  allowFailedDelegate: boolean;
  /** On the first host of each batch, for all of them. */
  runOnce: boolean;
  /** That, only in the first batch. */
  oncePerPlay: boolean;
  tags: string[];
  ignoreErrors: boolean;
  ignoreUnreachable: boolean;
  /** A failure on one host is one on all hosts of the step. */
  anyErrorsFatal: boolean;
  /** Hosts at a time, 0 or undefined for as many as the run has forks. The undo keeps to it, too. */
  throttle: number | undefined;
  /** Only simulated, in a real run too. */
  simulate: boolean;
  showDiff: boolean;
  noLog: boolean;
  timeoutSeconds: Limit | undefined;
  /** Goes on without the connection, which is made again. */
  detach: boolean;
  environment: JsonObject;
  role: RoleContext | undefined;
  readOnly: boolean;
  undo: UndoSpec;
  undoOn: UndoTrigger[] | 'always';
  undoWhen: string[];
  undoError: 'block' | 'continue';
  capture: TaskNode[];
  probe: TaskNode | undefined;
  irreversible: string | undefined;
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
  if (map === undefined || !isJsonObject(map)) return undefined;
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** What of a task is rendered when it runs, conditions aside. */
export function renderedValues(task: TaskNode): JsonValue[] {
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
    ...own,
    argsAt: own.at,
    when: [],
    loop: undefined,
    loopVar: 'item',
    indexVar: undefined,
    loopPauseSeconds: 0,
    loopParallel: 1,
    loopStops: false,
    breakWhen: [],
    label: undefined,
    register: undefined,
    until: [],
    retries: 0,
    delaySeconds: 0,
    changedWhen: undefined,
    failedWhen: undefined,
    notify: [],
    listen: [],
    vars: [],
    loopValues: {},
    delegateTo: undefined,
    delegateFacts: false,
    allowFailedDelegate: false,
    runOnce: false,
    oncePerPlay: false,
    tags: [],
    ignoreErrors: false,
    ignoreUnreachable: false,
    anyErrorsFatal: false,
    throttle: undefined,
    simulate: false,
    showDiff: true,
    noLog: false,
    timeoutSeconds: undefined,
    detach: false,
    environment: {},
    role: undefined,
    readOnly: false,
    undo: { kind: 'default' },
    undoOn: 'always',
    undoWhen: [],
    undoError: 'block',
    capture: [],
    probe: undefined,
    irreversible: undefined,
  };
}

export type UndoTrigger = 'changed' | 'failed' | 'unknown';

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

export const metaActions = [
  'end_host',
  'end_role',
  'end_batch',
  'end_play',
  'clear_facts',
  'reset_connection',
] as const;
export type MetaAction = (typeof metaActions)[number];

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
  loopValues: JsonObject;
}

export interface Expansion {
  nodes: Node[];
  /** Handlers of the roles inside. */
  handlers: TaskNode[];
  /** Files that were read. */
  files: string[];
}

/** Every task of a play with those inside blocks, in order. */
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
