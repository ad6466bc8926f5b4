import type { JsonObject, JsonValue } from '../core/json.ts';
import type { CapturePath, HostView, Module } from '../core/module.ts';
import type { UndoKind } from '../core/events.ts';
import { renderedValues, type TaskNode } from '../language/document.ts';
import type { UndoBody } from '../journal/records.ts';
import { parseCondition } from '../template/conditions.ts';
import type { Scope } from '../template/scope.ts';
import { isTemplate, parseTemplate } from '../template/templates.ts';

/** Names that exist only when the undo runs. */
const lateNames = new Set(['result', 'captured', 'undo', 'live']);

/** How a unit that is about to run would be taken back, resolved as far as it can be now. */
export async function undoBody(
  task: TaskNode,
  module: Module,
  args: JsonObject,
  {
    view,
    scope,
    captured,
    handler,
  }: { view: HostView; scope: Scope; captured: CapturePath; handler: boolean },
): Promise<UndoBody> {
  if (task.irreversible !== undefined) return { kind: 'irreversible', reason: task.irreversible };
  if (task.undo.kind === 'none') return { kind: 'none', reason: task.undo.reason };
  if (task.undo.kind === 'tasks') {
    return { kind: 'declared', tasks: task.undo.tasks, vars: snapshot(task.undo.tasks, scope) };
  }
  if (handler)
    return { kind: 'auto', calls: [{ module: module.name, args: module.again?.(args) ?? args }] };
  const calls = await module.restore?.(args, view, captured);
  if (calls) return { kind: 'auto', calls };
  if (module.undoFor?.(args) === 'none') return { kind: 'none' };
  return { kind: 'uncovered' };
}

/** What `runner plan` says about a task before any host is asked. */
export function undoKind(task: TaskNode, module: Module): UndoKind {
  if (task.irreversible !== undefined) return 'irreversible';
  if (task.undo.kind === 'tasks') return 'declared';
  if (task.undo.kind === 'none') return 'none';
  if (task.readOnly) return 'not-needed';
  if (module.restore) return 'auto';
  return module.undoFor?.(task.args) === 'none' ? 'not-needed' : 'uncovered';
}

/** Values of all names the undo reads, as they are now. Names that are missing now may still be optional then. */
export function snapshot(tasks: readonly TaskNode[], scope: Scope): JsonObject {
  const names = new Set<string>();
  for (const task of tasks) collectNames(task, names);
  const values: JsonObject = {};
  for (const name of names) {
    if (name === 'vars' || lateNames.has(name) || !scope.has(name)) continue;
    values[name] = JSON.parse(JSON.stringify(scope.get(name) ?? null)) as JsonValue;
  }
  return values;
}

function collectNames(task: TaskNode, names: Set<string>): void {
  for (const source of [
    ...task.when,
    ...task.until,
    ...(task.changedWhen ?? []),
    ...(task.failedWhen ?? []),
  ]) {
    for (const root of parseCondition(source).roots) names.add(root);
  }
  for (const value of renderedValues(task)) {
    collectFromValue(value, names);
  }
}

function collectFromValue(value: JsonValue, names: Set<string>): void {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return;
    const { roots, optionalRoots } = parseTemplate(value);
    for (const root of [...roots, ...optionalRoots]) names.add(root);
  } else if (Array.isArray(value)) {
    for (const item of value) collectFromValue(item, names);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collectFromValue(item, names);
  }
}
