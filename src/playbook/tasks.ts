import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Problem } from '../core/errors.ts';
import type { Module, ModuleRegistry } from '../core/module.ts';
import type {
  Become,
  BlockNode,
  CommitNode,
  Node,
  RoleContext,
  RollbackPolicy,
  TaskNode,
  UndoSpec,
  UndoTrigger,
} from '../core/playbook.ts';
import type { SourceRef } from '../core/source.ts';
import { validateValue } from '../util/schema.ts';
import { didYouMean, slug } from '../util/text.ts';
import { MapReader } from './reader.ts';
import { readYaml, type SourceMap } from './yaml.ts';

/** What a node takes over from the play, role and blocks around it. */
export interface Inherited {
  path: string;
  when: string[];
  tags: string[];
  vars: JsonObject[];
  become: Become;
  environment: JsonObject;
  delegateTo: string | undefined;
  runOnce: boolean;
  ignoreErrors: boolean;
  noLog: boolean;
  notify: string[];
  role: RoleContext | undefined;
  /** Folder that relative includes are looked up in. */
  folder: string;
}

export interface LoadContext {
  modules: ModuleRegistry;
  problems: Problem[];
  map: SourceMap;
  files: Set<string>;
  /** Step ids given so far. */
  ids: Set<string>;
  /** Adds a role's tasks; set by the role loader, which needs this file in turn. */
  loadRole(reader: MapReader, inherited: Inherited): BlockNode | undefined;
}

const noBecome: Become = { enabled: false, user: 'root', method: 'sudo' };

export function topLevel(folder: string, path: string): Inherited {
  return {
    path,
    when: [],
    tags: [],
    vars: [],
    become: noBecome,
    environment: {},
    delegateTo: undefined,
    runOnce: false,
    ignoreErrors: false,
    noLog: false,
    notify: [],
    role: undefined,
    folder,
  };
}

/** Keywords that plays, roles, blocks and tasks share; each takes effect on everything inside. */
export function inherit(reader: MapReader, outer: Inherited): Inherited {
  const become = reader.boolean('become');
  const vars = reader.object('vars');
  return {
    ...outer,
    when: [...outer.when, ...(reader.conditions('when') ?? [])],
    tags: [...new Set([...outer.tags, ...reader.strings('tags')])],
    vars: vars ? [...outer.vars, vars] : outer.vars,
    become: {
      enabled: become ?? outer.become.enabled,
      user: reader.string('become_user') ?? outer.become.user,
      method: reader.oneOf('become_method', ['sudo', 'su', 'doas']) ?? outer.become.method,
    },
    environment: { ...outer.environment, ...reader.object('environment') },
    delegateTo: reader.string('delegate_to') ?? outer.delegateTo,
    runOnce: reader.boolean('run_once') ?? outer.runOnce,
    ignoreErrors: reader.boolean('ignore_errors') ?? outer.ignoreErrors,
    noLog: reader.boolean('no_log') ?? outer.noLog,
    notify: [...outer.notify, ...reader.strings('notify')],
  };
}

export function stepId(path: string, name: string, ids: Set<string>): string {
  const base = `${path}/${slug(name)}`;
  let id = base;
  for (let ordinal = 2; ids.has(id); ordinal++) id = `${base}~${String(ordinal)}`;
  ids.add(id);
  return id;
}

export function loadNodes(
  list: JsonValue[],
  inherited: Inherited,
  context: LoadContext,
  fallback: SourceRef,
): Node[] {
  return list.flatMap((item, index) => {
    if (!isJsonObject(item)) {
      const at = context.map.value(list, index) ?? fallback;
      context.problems.push({ message: 'A task must be a map of keywords.', at });
      return [];
    }
    return loadNode(new MapReader(item, context.map, context.problems), inherited, context);
  });
}

function loadNode(reader: MapReader, inherited: Inherited, context: LoadContext): Node[] {
  const { source } = reader;
  if ('block' in source) return [loadBlock(reader, inherited, context)];
  if ('commit' in source) return [loadCommit(reader, inherited, context)];
  if ('meta' in source) return loadMeta(reader);
  for (const key of ['include_tasks', 'import_tasks']) {
    if (key in source) return loadInclude(key, reader, inherited, context);
  }
  for (const key of ['include_role', 'import_role']) {
    if (key in source) return loadRoleTask(key, reader, inherited, context);
  }
  const task = loadTask(reader, inherited, context);
  return task ? [task] : [];
}

function loadBlock(reader: MapReader, outer: Inherited, context: LoadContext): BlockNode {
  const name = reader.string('name') ?? 'block';
  const id = stepId(outer.path, name, context.ids);
  const inherited = { ...inherit(reader, outer), path: id };
  const nodes = (key: string) => loadNodes(reader.list(key) ?? [], inherited, context, reader.at());
  const block: BlockNode = {
    kind: 'block',
    id,
    name,
    at: reader.at(),
    block: nodes('block'),
    rescue: nodes('rescue'),
    always: nodes('always'),
    undo: loadBlockUndo(reader, inherited, context),
  };
  reader.close('a block');
  return block;
}

export function loadBlockUndo(
  reader: MapReader,
  inherited: Inherited,
  context: LoadContext,
): BlockNode['undo'] {
  const value = reader.value('undo');
  if (value === undefined || value === 'auto') return undefined;
  const replacing = isJsonObject(value)
    ? new MapReader(value, context.map, context.problems)
    : undefined;
  const list = replacing ? replacing.list('tasks') : reader.list('undo');
  const replace = replacing?.boolean('replace') ?? false;
  replacing?.close('"undo" of a block');
  return { tasks: loadUndoTasks(list ?? [], inherited, context, reader.at('undo')), replace };
}

function loadCommit(reader: MapReader, inherited: Inherited, context: LoadContext): CommitNode {
  const name = reader.string('commit') ?? 'commit';
  const own = inherit(reader, inherited);
  const gate = reader.list('gate') ?? [];
  const id = stepId(inherited.path, `commit ${name}`, context.ids);
  const reason = reader.string('irreversible');
  const node: CommitNode = {
    kind: 'commit',
    id,
    name,
    at: reader.at(),
    tags: own.tags,
    gate: loadNodes(gate, { ...own, path: id }, context, reader.at()).filter(
      (one) => one.kind === 'task',
    ),
    confirm: reason !== undefined,
    reason,
  };
  reader.close('a commit point');
  return node;
}

function loadMeta(reader: MapReader): Node[] {
  const action = reader.oneOf('meta', ['flush_handlers', 'noop']);
  reader.string('name');
  reader.close('a meta task');
  return action === 'flush_handlers' ? [{ kind: 'flush', at: reader.at() }] : [];
}

function loadInclude(
  key: string,
  reader: MapReader,
  outer: Inherited,
  context: LoadContext,
): Node[] {
  const file = reader.string(key);
  const name = reader.string('name');
  const inherited = inherit(reader, outer);
  reader.close(`"${key}"`);
  if (file === undefined) return [];
  if (file.includes('{{')) {
    reader.problem(
      key,
      `The path of "${key}" must be constant.`,
      'Use "when" on several includes instead.',
    );
    return [];
  }
  const path = findFile(file, [
    ...(outer.role ? [join(outer.role.path, 'tasks')] : []),
    dirname(reader.at().file),
    outer.folder,
  ]);
  if (path === undefined) {
    reader.problem(key, `There is no file "${file}" to include.`);
    return [];
  }
  const steps =
    name === undefined ? inherited : { ...inherited, path: `${inherited.path}/${slug(name)}` };
  return loadTaskFile(path, steps, context);
}

export function loadTaskFile(path: string, inherited: Inherited, context: LoadContext): Node[] {
  context.files.add(path);
  const { value } = readYaml(path, context.problems, context.map);
  if (value === null) return [];
  const at = { file: path, line: 1, column: 1 };
  if (!Array.isArray(value)) {
    context.problems.push({ message: 'A task file must be a list of tasks.', at });
    return [];
  }
  return loadNodes(value, inherited, context, at);
}

function loadRoleTask(
  key: string,
  reader: MapReader,
  outer: Inherited,
  context: LoadContext,
): Node[] {
  const value = reader.value(key);
  if (typeof value === 'string') {
    // `include_role: name` beside the keywords of the task.
    const others = Object.entries(reader.source).filter(([name]) => name !== key);
    const source: JsonObject = { ...Object.fromEntries(others), role: value };
    const places = { self: reader.at(), keys: new Map(), values: new Map() };
    context.map.set(source, places);
    const block = context.loadRole(new MapReader(source, context.map, context.problems), outer);
    return block ? [block] : [];
  }
  reader.problem(key, `"${key}" wants the name of a role.`);
  return [];
}

export function findFile(name: string, folders: string[]): string | undefined {
  return folders.map((folder) => resolve(folder, name)).find((path) => existsSync(path));
}

const triggers = ['changed', 'failed', 'unknown'] as const;

/** A task, a handler, or a task inside `undo`, `capture` and `fingerprint`. */
export function loadTask(
  reader: MapReader,
  outer: Inherited,
  context: LoadContext,
): TaskNode | undefined {
  const { problems } = context;
  const at = reader.at();
  const name = reader.string('name');
  const inherited = inherit(reader, outer);
  const control = reader.reader('loop_control');
  const own = {
    loop: reader.value('loop'),
    register: reader.string('register'),
    until: reader.conditions('until') ?? [],
    retries: reader.number('retries'),
    delaySeconds: reader.number('delay') ?? 5,
    changedWhen: reader.conditions('changed_when'),
    failedWhen: reader.conditions('failed_when'),
    listen: reader.strings('listen'),
    timeoutSeconds: reader.number('timeout'),
    detach: reader.boolean('detach') ?? false,
    irreversible: reader.string('irreversible'),
    loopVar: control?.string('loop_var') ?? 'item',
    label: control?.string('label'),
  };
  control?.close('"loop_control"');
  const undoParts = {
    undoOn: loadUndoOn(reader),
    undoWhen: reader.conditions('undo_when') ?? [],
    undoError: reader.oneOf('undo_error', ['block', 'continue']) ?? 'block',
  } as const;
  reader.has('undo');
  reader.has('capture');
  reader.has('probe');
  reader.has('args');

  const candidates = reader.rest();
  const moduleName = candidates.find((key) => context.modules.has(key));
  const taskName = name ?? moduleName ?? candidates[0] ?? 'task';
  if (moduleName === undefined) {
    reportNoModule(reader, candidates, context);
    return undefined;
  }
  for (const key of candidates.filter((one) => one !== moduleName)) {
    const message = context.modules.has(key)
      ? `A task has one module; this one has "${moduleName}" and "${key}".`
      : `Unknown key "${key}" in a task.`;
    problems.push({
      message,
      at: reader.keyAt(key),
      hint: didYouMean(key, reader.known()) || undefined,
    });
  }
  const module = context.modules.get(moduleName) as Module;
  if (module.internal) {
    problems.push({
      message: `Module "${moduleName}" is not for playbooks.`,
      at: reader.keyAt(moduleName),
    });
  }
  if (name === undefined) {
    problems.push({
      message: `A task with "${moduleName}" has no name.`,
      at,
      hint: 'Add "name:"; it is what the log and the journal show.',
    });
  }
  const id = stepId(outer.path, taskName, context.ids);
  const args = loadArguments(reader, module, context);
  const inner = { ...inherited, path: id };
  const readOnly = module.readOnly === true || args['read_only'] === true;
  const undo = loadUndo(reader, inner, context);
  const irreversible = own.irreversible;
  return {
    kind: 'task',
    id,
    name: taskName,
    at,
    module: moduleName,
    args,
    argsAt: reader.keyAt(moduleName),
    when: inherited.when,
    loop: own.loop,
    loopVar: own.loopVar,
    label: own.label,
    register: own.register,
    until: own.until,
    retries: own.retries ?? (own.until.length > 0 ? 3 : 0),
    delaySeconds: own.delaySeconds,
    changedWhen: own.changedWhen,
    failedWhen: own.failedWhen,
    notify: inherited.notify,
    listen: own.listen,
    vars: inherited.vars,
    become: inherited.become,
    delegateTo: inherited.delegateTo,
    runOnce: inherited.runOnce,
    tags: inherited.tags,
    ignoreErrors: inherited.ignoreErrors,
    noLog: inherited.noLog,
    timeoutSeconds: own.timeoutSeconds,
    detach: own.detach,
    environment: inherited.environment,
    role: inherited.role,
    readOnly,
    undo,
    ...undoParts,
    capture: loadReadOnlyTasks(reader, 'capture', inner, context),
    probe: loadProbe(reader, inner, context),
    irreversible,
  };
}

function reportNoModule(reader: MapReader, candidates: string[], context: LoadContext): void {
  const names = [...context.modules.values()].filter((one) => !one.internal).map((one) => one.name);
  if (candidates.length === 0) {
    context.problems.push({
      message: 'A task has no module.',
      at: reader.at(),
      hint: 'List them with: runner doc.',
    });
  }
  for (const key of candidates) {
    const near = didYouMean(key, [...names, ...reader.known()]);
    context.problems.push({
      message: `Unknown module or keyword "${key}".`,
      at: reader.keyAt(key),
      hint: `${near ? `${near} ` : ''}List the modules with: runner doc.`,
    });
  }
}

function loadArguments(reader: MapReader, module: Module, context: LoadContext): JsonObject {
  const value = reader.value(module.name);
  let args: JsonObject = {};
  let source: JsonObject = reader.source;
  if (isJsonObject(value)) {
    args = value;
    source = value;
  } else if (value !== null && value !== undefined && module.shorthand !== undefined) {
    args = { [module.shorthand]: value };
  } else if (value !== null) {
    reader.problem(module.name, `Arguments of "${module.name}" must be a map.`);
    return {};
  }
  const more = reader.object('args') ?? {};
  for (const key of Object.keys(more).filter((one) => one in args))
    reader.problem('args', `Argument "${key}" is given twice.`);
  args = { ...args, ...more };
  for (const problem of validateValue(module.schema, args, { templates: true })) {
    const top = problem.key ?? problem.path[0];
    const fromMore = top !== undefined && top in more;
    const at = fromMore
      ? reader.at('args')
      : problem.key !== undefined
        ? context.map.key(source, problem.key)
        : top !== undefined && source === value
          ? context.map.value(source, top)
          : reader.keyAt(module.name);
    context.problems.push({
      message: `Module "${module.name}": ${problem.message}`,
      hint: problem.hint,
      at,
    });
  }
  return args;
}

function loadUndoOn(reader: MapReader): UndoTrigger[] | 'always' {
  if (reader.value('undo_on') === 'always') return 'always';
  const wanted = reader.strings('undo_on');
  for (const one of wanted) {
    if (!triggers.some((trigger) => trigger === one)) {
      reader.problem(
        'undo_on',
        `"undo_on" knows changed, failed, unknown and always, not "${one}".`,
      );
    }
  }
  const chosen = triggers.filter((trigger) => wanted.includes(trigger));
  return chosen.length > 0 ? chosen : [...triggers];
}

function loadUndo(reader: MapReader, inherited: Inherited, context: LoadContext): UndoSpec {
  const value = reader.value('undo');
  if (value === undefined) return { kind: 'default' };
  if (value === 'auto') return { kind: 'auto' };
  if (value === 'none') return { kind: 'none', reason: undefined };
  if (isJsonObject(value)) {
    const none = new MapReader(value, context.map, context.problems);
    const reason = none.string('none');
    none.close('"undo"');
    return { kind: 'none', reason };
  }
  if (!Array.isArray(value)) {
    reader.problem('undo', '"undo" must be auto, none, {none: "why"} or a list of tasks.');
    return { kind: 'default' };
  }
  return { kind: 'tasks', tasks: loadUndoTasks(value, inherited, context, reader.at('undo')) };
}

function loadUndoTasks(
  list: JsonValue[],
  inherited: Inherited,
  context: LoadContext,
  at: SourceRef,
): TaskNode[] {
  // An undo runs whether or not the condition of its step would hold now, and never notifies.
  const outer = {
    ...inherited,
    path: `${inherited.path}/undo`,
    when: [],
    notify: [],
    runOnce: false,
  };
  return loadNodes(list, outer, context, at).flatMap((node) => {
    if (node.kind !== 'task') {
      context.problems.push({ message: 'Only plain tasks may stand in "undo".', at });
      return [];
    }
    if (node.undo.kind !== 'default') {
      context.problems.push({
        message: 'A task inside "undo" has no "undo" of its own.',
        at: node.at,
      });
    }
    if (node.notify.length > 0) {
      context.problems.push({
        message: 'A task inside "undo" cannot notify handlers.',
        at: node.at,
      });
    }
    return [node];
  });
}

function loadReadOnlyTasks(
  reader: MapReader,
  key: string,
  inherited: Inherited,
  context: LoadContext,
): TaskNode[] {
  const list = reader.list(key) ?? [];
  const outer = { ...inherited, path: `${inherited.path}/${key}`, when: [], notify: [] };
  return loadNodes(list, outer, context, reader.at()).flatMap((node) => {
    if (node.kind === 'task' && ['command', 'shell', 'script'].includes(node.module)) {
      // What stands here only looks, by definition of the keyword.
      return [{ ...node, readOnly: true, args: { ...node.args, read_only: true } }];
    }
    if (node.kind === 'task' && node.readOnly) return [node];
    context.problems.push({
      message: `Only read-only tasks may stand in "${key}".`,
      at: reader.at(key),
    });
    return [];
  });
}

function loadProbe(
  reader: MapReader,
  inherited: Inherited,
  context: LoadContext,
): TaskNode | undefined {
  const probe = reader.reader('probe');
  if (!probe) return undefined;
  const source: JsonObject = { name: 'Probe', ...probe.source };
  context.map.set(source, { self: probe.at(), keys: new Map(), values: new Map() });
  const outer = { ...inherited, path: `${inherited.path}/probe`, when: [], notify: [] };
  const task = loadTask(new MapReader(source, context.map, context.problems), outer, context);
  return task && { ...task, readOnly: true, args: { ...task.args, read_only: true } };
}

/** `rollback` of a playbook or play. */
export function loadRollback(
  reader: MapReader,
  inherited: Inherited,
  context: LoadContext,
): RollbackPolicy {
  const rollback = reader.reader('rollback');
  const outer = { ...inherited, when: [], notify: [], runOnce: false };
  const policy: RollbackPolicy = {
    onFailure: rollback?.oneOf('on_failure', ['auto', 'ask', 'stop']),
    before: rollback ? loadReadOnlyTasks(rollback, 'before', outer, context) : [],
    after: rollback
      ? loadUndoTasks(
          rollback.list('after') ?? [],
          { ...outer, path: `${outer.path}/after` },
          context,
          rollback.at('after'),
        )
      : [],
    verify: rollback ? loadReadOnlyTasks(rollback, 'verify', outer, context) : [],
    budgetSeconds: rollback?.number('budget'),
  };
  rollback?.close('"rollback"');
  return policy;
}

/** `fingerprint` of a playbook: read-only tasks whose output is the state that must come back. */
export function loadFingerprint(
  reader: MapReader,
  inherited: Inherited,
  context: LoadContext,
): TaskNode[] {
  return loadReadOnlyTasks(reader, 'fingerprint', inherited, context);
}
