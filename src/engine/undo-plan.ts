import type { JsonObject, JsonValue } from '../core/json.ts';
import {
  effectOf,
  HostCopy,
  type Module,
  type ModuleCall,
  type Plan,
  type PlannedUndo,
  type UndoCall,
  type UndoValue,
} from '../core/module.ts';
import { TaskError } from '../core/errors.ts';
import type { UndoKind } from '../core/states.ts';
import { renderedValues, type TaskNode } from '../language/document.ts';
import type { UndoBody } from '../journal/records.ts';
import { parseCondition } from '../template/conditions.ts';
import type { Scope } from '../template/scope.ts';
import type { HostPath } from '../core/host-path.ts';
import { conditionsIn, OMIT, templatesIn } from '../core/value.ts';
import { ALL } from '../template/host-variables.ts';
import { parseTemplate } from '../template/templates.ts';

/** Names that exist only when the undo runs. */
const lateNames = new Set(['result', 'captured', 'undo', 'live']);

/** The undo of a unit that is about to run, resolved as far as possible. */
export function undoBody(
  { task, module, args, isHandler }: PlannedUnit,
  { undo }: Plan,
  { scope, captured }: { scope: Scope; captured: (path: string) => HostPath },
): UndoBody {
  if (task.irreversible !== undefined) return { kind: 'irreversible', reason: task.irreversible };
  if (task.undo.kind === 'none') return { kind: 'none', reason: task.undo.reason };
  if (task.undo.kind === 'tasks') {
    return { kind: 'declared', tasks: task.undo.tasks, vars: snapshot(task.undo.tasks, scope) };
  }
  if (isHandler && !restores(undo))
    return {
      kind: 'rerun',
      calls: placeCopies([undo?.rerun ?? { module: module.name, args }], captured),
    };
  if (undo?.impossible !== undefined) throw new TaskError(undo.impossible);
  if (undo) return { kind: 'auto', calls: placeCopies(undo.calls, captured) };
  return effectOf(module, args) === 'passes' ? { kind: 'none' } : { kind: 'uncovered' };
}

/** Whether a handler changes something that its module can restore, such as a file. */
function restores(undo: PlannedUndo | undefined): boolean {
  return undo !== undefined && undo.rerun === undefined && undo.calls.length > 0;
}

/** A unit whose module has planned. */
export interface PlannedUnit {
  task: TaskNode;
  module: Module;
  args: JsonObject;
  /** A handler that restores nothing runs again after the changes that notified it are undone. */
  isHandler: boolean;
}

/** The calls with the locations of the copies that they name. */
export function placeCopies(
  calls: readonly UndoCall[],
  placeOf: (path: string) => HostPath,
): ModuleCall[] {
  const placed = (value: UndoValue): JsonValue => {
    if (value instanceof HostCopy) return placeOf(value.path);
    if (Array.isArray(value)) return value.map(placed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, placed(one)]));
  };
  return calls.map(({ module, args }) => ({ module, args: placed(args) as JsonObject }));
}

/** The kind of undo that `runner plan` shows for a task. @param args as far as they are known */
export function undoKind(task: TaskNode, module: Module, args: JsonObject): UndoKind {
  if (task.irreversible !== undefined) return 'irreversible';
  if (task.undo.kind === 'tasks') return 'declared';
  if (task.undo.kind === 'none') return 'none';
  if (task.readOnly) return 'not-needed';
  const kinds = {
    reads: 'not-needed',
    passes: 'not-needed',
    restores: 'auto',
    changes: 'uncovered',
  } as const;
  return kinds[effectOf(module, args)];
}

/** Whether the undo of a step runs even if it changed nothing. */
export function undoesAlways({ undo, undoOn }: TaskNode, plan: Plan): boolean {
  if (undo.kind === 'tasks') return undoOn === 'always';
  return undo.kind !== 'none' && plan.undo?.always === true;
}

/**
 * Whether a step can change a host: itself, or by an undo that always runs although the step is
 * read-only.
 */
export function mayChange({ readOnly, undo, undoOn }: TaskNode): boolean {
  return !readOnly || (undo.kind === 'tasks' && undoOn === 'always');
}

/**
 * Current values of all variables that the undo reads. Undefined variables are left out, as they
 * may be optional.
 */
export function snapshot(tasks: readonly TaskNode[], scope: Scope): JsonObject {
  const read: ReadNames = { own: new Set(), ofHosts: new Set() };
  for (const task of tasks) collectNames(task, read);
  const values: JsonObject = {};
  for (const name of read.own) {
    if (name === 'vars' || name === 'omit' || lateNames.has(name) || !scope.has(name)) continue;
    const value = scope.get(name) ?? null;
    const kept = name === 'hostvars' ? ofHosts(value as JsonObject, read.ofHosts) : value;
    values[name] = (kept === OMIT ? kept : JSON.parse(JSON.stringify(kept))) as JsonValue;
  }
  return values;
}

interface ReadNames {
  own: Set<string>;
  /** Variables that are read through `hostvars`. */
  ofHosts: Set<string>;
}

/** The variables of all hosts with these names: which host is read is known only when the undo runs. */
function ofHosts(hostvars: JsonObject, names: ReadonlySet<string>): JsonObject {
  if (names.has(ALL)) return hostvars;
  const hosts = Object.entries(hostvars) as [string, JsonObject][];
  return Object.fromEntries(
    hosts.map(([host, variables]) => {
      const known = [...names].filter((name) => Object.hasOwn(variables, name));
      return [host, Object.fromEntries(known.map((name) => [name, variables[name] ?? null]))];
    }),
  );
}

function collectNames(task: TaskNode, { own, ofHosts }: ReadNames): void {
  const conditions = [
    ...task.when,
    ...task.until,
    ...(task.changedWhen ?? []),
    ...(task.failedWhen ?? []),
    ...conditionsIn(task.args),
  ];
  const readers = [
    ...conditions.map((condition) => {
      const { roots, hostVariables } = parseCondition(condition);
      return { names: [...roots], hostVariables };
    }),
    ...renderedValues(task)
      .flatMap(templatesIn)
      .map(({ text }) => {
        const { roots, optionalRoots, hostVariables } = parseTemplate(text);
        return { names: [...roots, ...optionalRoots], hostVariables };
      }),
  ];
  for (const { names, hostVariables } of readers) {
    for (const name of names) own.add(name);
    for (const name of hostVariables) ofHosts.add(name);
  }
}
