import type { Problem } from '../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { effectOf, markedArguments, type Module } from '../core/module.ts';
import type {
  BlockNode,
  Limit,
  RollbackPolicy,
  TaskNode,
  UndoSpec,
  UndoTrigger,
} from '../language/document.ts';
import type { SourceRef } from '../core/source.ts';
import { validateValue } from '../util/schema.ts';
import { didYouMean } from '../util/text.ts';
import { inherit, stepId, type Inherited, type LoadContext } from './inherited.ts';
import { readLoop } from './loop.ts';
import { argumentInstead, hereInstead, moduleOfName } from '../language/hints.ts';
import { MapReader } from '../yaml/map-reader.ts';

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

/** A point of no return is agreed to before the run: it has to stand where it is seen. */
export function reportHiddenPivot(reader: MapReader): void {
  reader.problem(
    'irreversible',
    'A point of no return cannot stand in a loop, or in an include whose path is a template.',
    'What is behind it could not be agreed to before the run. Put it beside the include.',
  );
}

/** A loop inside a loop that would hide the outer one's item. */
export function checkLoopVar(reader: MapReader, loopVar: string, outer: Inherited): void {
  if (!(loopVar in outer.loopValues)) return;
  reader.problem(
    'loop',
    `The loop variable "${loopVar}" is that of the loop around, too.`,
    'Name one of them with loop_control: {loop_var: NAME}.',
  );
}

/** Tasks of a list in which nothing but tasks may stand. */
export function plainTasks(
  list: JsonValue[],
  inherited: Inherited,
  context: LoadContext,
  { at, where }: { at: SourceRef; where: string },
): TaskNode[] {
  return context.loadNodes(list, inherited, context, at).flatMap((node) => {
    if (node.kind === 'task') return [node];
    context.problems.push({ message: `Only plain tasks may stand in "${where}".`, at });
    return [];
  });
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
    loop: readLoop(reader),
    register: reader.string('register'),
    until: reader.conditions('until') ?? [],
    retries: reader.limit('retries'),
    delaySeconds: reader.limit('delay') ?? 5,
    changedWhen: reader.conditions('changed_when'),
    failedWhen: reader.conditions('failed_when'),
    listen: reader.strings('listen'),
    timeoutSeconds: reader.limit('timeout'),
    detach: reader.boolean('detach') ?? false,
    irreversible: reader.string('irreversible'),
    loopVar: control?.string('loop_var') ?? 'item',
    label: control?.string('label'),
    indexVar: control?.string('index_var'),
    loopPauseSeconds: control?.number('pause') ?? 0,
    loopParallel: readParallel(control),
    loopStops: control?.oneOf('on_error', ['continue', 'stop']) === 'stop',
    breakWhen: control?.conditions('break_when') ?? [],
    ...readAsync(reader),
  };
  control?.close('"loop_control"');
  if (own.loop !== undefined) checkLoopVar(reader, own.loopVar, outer);
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
      rule: context.modules.has(key) ? 'structure' : 'unknown-key',
      message,
      at: reader.keyAt(key),
      hint: hereInstead(key) ?? (didYouMean(key, reader.known()) || undefined),
    });
  }
  const module = context.modules.get(moduleName) as Module;
  if (context.modules.undoOnly.has(moduleName)) {
    problems.push({
      message: `Module "${moduleName}" is not for playbooks.`,
      at: reader.keyAt(moduleName),
    });
  }
  if (name === undefined) {
    problems.push({
      rule: 'missing-name',
      message: `A task with "${moduleName}" has no name.`,
      at,
      hint: 'Add "name:"; it is what the log and the journal show.',
    });
  }
  const id = stepId(outer.path, taskName, context.ids);
  const args = loadArguments(reader, module, inherited, context);
  const inner = { ...inherited, path: id };
  const readOnly = effectOf(module, args) === 'reads';
  const undo = loadUndo(reader, inner, context);
  const irreversible = own.irreversible;
  if (irreversible !== undefined && context.dynamic) reportHiddenPivot(reader);
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
    indexVar: own.indexVar,
    loopPauseSeconds: own.loopPauseSeconds,
    loopParallel: own.loopParallel,
    loopStops: own.loopStops,
    breakWhen: own.breakWhen,
    register: own.register,
    until: own.until,
    retries: own.retries ?? (own.until.length > 0 ? 3 : 0),
    delaySeconds: own.delaySeconds,
    changedWhen: own.changedWhen,
    failedWhen: own.failedWhen,
    notify: inherited.notify,
    listen: own.listen,
    vars: inherited.vars,
    loopValues: inherited.loopValues,
    become: inherited.become,
    delegateTo: inherited.delegateTo,
    delegateFacts: inherited.delegateFacts,
    allowFailedDelegate: inherited.allowFailedDelegate,
    runOnce: inherited.runOnce,
    oncePerPlay: inherited.oncePerPlay,
    tags: inherited.tags,
    ignoreErrors: inherited.ignoreErrors,
    ignoreUnreachable: inherited.ignoreUnreachable,
    anyErrorsFatal: inherited.anyErrorsFatal,
    throttle: inherited.throttle,
    simulate: inherited.simulate,
    showDiff: inherited.showDiff,
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

/** Ansible's words for a step that goes on without its connection. */
function readAsync(reader: MapReader): { detach?: true; timeoutSeconds?: Limit } {
  const seconds = reader.limit('async');
  const poll = reader.number('poll');
  if (seconds === undefined || seconds === 0) return {};
  if (poll === 0)
    reader.problem(
      'poll',
      'A step that nobody waits for ("poll: 0") has no outcome that could be taken back.',
      'Items run side by side with "loop_control: {parallel: N}", hosts with "strategy: free".',
    );
  return { detach: true, timeoutSeconds: seconds };
}

function readParallel(control: MapReader | undefined): number {
  const wanted = control?.number('parallel') ?? 1;
  if (Number.isInteger(wanted) && wanted > 0) return wanted;
  control?.problem('parallel', '"parallel" must be a count of items, above 0.');
  return 1;
}

function reportNoModule(reader: MapReader, candidates: string[], context: LoadContext): void {
  const { undoOnly } = context.modules;
  const names = [...context.modules.keys()].filter((name) => !undoOnly.has(name));
  if (candidates.length === 0) {
    context.problems.push({
      message: 'A task has no module.',
      at: reader.at(),
      hint: 'List them with: runner doc.',
    });
  }
  for (const key of candidates) {
    const same = moduleOfName(key, names);
    const instead = same === undefined ? hereInstead(key) : `It is "${same}" here.`;
    const near = instead ?? didYouMean(key, [...names, ...reader.known()]);
    context.problems.push({
      rule: 'unknown-module',
      message: `Unknown module or keyword "${key}".`,
      at: reader.keyAt(key),
      hint: `${near ? `${near} ` : ''}List the modules with: runner doc.`,
      ...(same === undefined ? {} : { fix: { from: key, to: same } }),
    });
  }
}

function loadArguments(
  reader: MapReader,
  module: Module,
  { moduleDefaults }: Inherited,
  context: LoadContext,
): JsonObject {
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
  args = { ...moduleDefaults[module.name], ...args, ...more };
  for (const problem of validateValue(module.args, args, { templates: true })) {
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
      ...ruleOfArgument(problem.path.at(-1), problem.key, args),
      message: `Module "${module.name}": ${problem.message}`,
      hint: argumentInstead(problem.key) ?? problem.hint,
      at,
    });
  }
  return withVariables(reader, module, args);
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** The name of a variable, where an argument is one, becomes a template of its value. */
function withVariables(reader: MapReader, module: Module, args: JsonObject): JsonObject {
  const named = markedArguments(module, 'format', 'variable').filter((name) => name in args);
  const values: JsonObject = {};
  for (const name of named) {
    const variable = args[name];
    const plain = typeof variable === 'string' ? variable.replaceAll(/[{}]/g, '') : '';
    if (VARIABLE.test(plain)) values[name] = `{{${plain}}}`;
    else
      reader.problem(
        module.name,
        `Module "${module.name}": "${name}" must be the name of a variable.`,
      );
  }
  return { ...args, ...values };
}

/** A mode that is a number is one that lost its leading zero, or never had it. */
function ruleOfArgument(
  name: string | undefined,
  unknown: string | undefined,
  args: JsonObject,
): Pick<Problem, 'rule' | 'fix'> {
  if (unknown !== undefined) return { rule: 'unknown-argument' };
  const value = args['mode'];
  if (name !== 'mode' || typeof value !== 'number') return { rule: 'wrong-type' };
  const digits = String(value);
  const octal = /^[0-7]{3}$/.test(digits);
  const fix = octal ? { fix: { from: `0${digits}`, to: `'0${digits}'` } } : {};
  return { rule: 'unquoted-mode', ...fix };
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
  return context.loadNodes(list, outer, context, at).flatMap((node) => {
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
  return context.loadNodes(list, outer, context, reader.at()).flatMap((node) => {
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
    settleSeconds: rollback?.number('settle'),
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
