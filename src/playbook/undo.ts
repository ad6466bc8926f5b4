import { isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import type { SourceRef } from '../core/source.ts';
import type { BlockNode, Node, RollbackPolicy, TaskNode, UndoSpec } from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { rollbackKeywords } from '../language/keywords.ts';
import { MapReader } from '../yaml/map-reader.ts';
import type { Context, PlaybookReading } from './reading.ts';

/** `undo` of a task. */
export function loadUndo(reader: MapReader, context: Context, reading: PlaybookReading): UndoSpec {
  const value = reader.value('undo');
  if (value === undefined) return { kind: 'default' };
  if (value === 'auto') return { kind: 'auto' };
  if (value === 'none') return { kind: 'none', reason: undefined };
  if (isSourceObject(value)) {
    const none = new MapReader(value, reading.map, reading.problems);
    const reason = none.string('none');
    none.close('"undo"');
    return { kind: 'none', reason };
  }
  if (!Array.isArray(value)) {
    reader.problem('undo', '"undo" must be auto, none, {none: "why"} or a list of tasks.');
    return { kind: 'default' };
  }
  return { kind: 'tasks', tasks: loadUndoTasks(value, context, reading, reader.at('undo')) };
}

export function loadBlockUndo(
  reader: MapReader,
  context: Context,
  reading: PlaybookReading,
): BlockNode['undo'] {
  const value = reader.value('undo');
  if (value === undefined || value === 'auto') return undefined;
  const replacing = isSourceObject(value)
    ? new MapReader(value, reading.map, reading.problems)
    : undefined;
  const list = replacing ? replacing.list('tasks') : reader.list('undo');
  const replace = replacing?.boolean('replace') ?? false;
  replacing?.close('"undo" of a block');
  return { tasks: loadUndoTasks(list ?? [], context, reading, reader.at('undo')), replace };
}

function loadUndoTasks(
  list: Source[],
  context: Context,
  reading: PlaybookReading,
  at: SourceRef,
): TaskNode[] {
  // The condition and the handlers of the step do not apply to its undo.
  const outer = { ...withoutConditions(context, 'undo'), runOnce: false };
  const nodes = reading.readers.nodes(list, outer, reading, at);
  const tasks: TaskNode[] = [];
  for (const task of tasksAmong(nodes, { where: 'undo', at }, reading)) {
    const refuse = (message: string) => reading.problems.push({ message, at: task.at });
    if (task.undo.kind !== 'default') refuse('A task inside "undo" cannot have an "undo".');
    if (task.notify.length > 0) refuse('A task inside "undo" cannot notify handlers.');
    tasks.push(task);
  }
  return tasks;
}

/** `capture`, `fingerprint`, and `before` and `verify` of `rollback`. */
export function loadReadOnlyTasks(
  reader: MapReader,
  key: string,
  context: Context,
  reading: PlaybookReading,
): TaskNode[] {
  const list = reader.list(key) ?? [];
  return reading.readers
    .nodes(list, withoutConditions(context, key), reading, reader.at())
    .flatMap((node) => {
      // Commands in these keywords count as read-only.
      if (node.kind === 'task' && ['command', 'shell', 'script'].includes(node.module))
        return [readOnly(node)];
      if (node.kind === 'task' && node.readOnly) return [node];
      reader.problem(key, `Only read-only tasks are allowed in "${key}".`);
      return [];
    });
}

export function loadProbe(
  reader: MapReader,
  context: Context,
  reading: PlaybookReading,
): TaskNode | undefined {
  const probe = reader.reader('probe');
  if (!probe) return undefined;
  const source: SourceObject = { name: 'Probe', ...probe.source };
  reading.map.set(source, { self: probe.at(), keys: new Map(), values: new Map() });
  const named = new MapReader(source, reading.map, reading.problems);
  const task = reading.readers.task(named, withoutConditions(context, 'probe'), reading);
  return task && readOnly(task);
}

/**
 * Context for tasks inside a keyword of a node, without the conditions and handlers of the node.
 */
function withoutConditions(context: Context, part: string): Context {
  return { ...context, path: `${context.path}/${part}`, when: [], notify: [] };
}

function readOnly(task: TaskNode): TaskNode {
  return { ...task, readOnly: true, args: { ...task.args, read_only: true } };
}

/** `rollback` of a playbook or play. */
export function loadRollback(
  reader: MapReader,
  context: Context,
  reading: PlaybookReading,
): RollbackPolicy {
  const rollback = reader.reader('rollback');
  if (!rollback)
    return { ...fields.fallbacks(rollbackKeywords), before: [], after: [], verify: [] };
  const outer = { ...context, runOnce: false };
  const after = { ...outer, path: `${outer.path}/after` };
  const policy: RollbackPolicy = {
    ...fields.complete(rollbackKeywords, fields.read(rollbackKeywords, rollback)),
    before: loadReadOnlyTasks(rollback, 'before', outer, reading),
    after: loadUndoTasks(rollback.list('after') ?? [], after, reading, rollback.at('after')),
    verify: loadReadOnlyTasks(rollback, 'verify', outer, reading),
  };
  rollback.close('"rollback"');
  return policy;
}

/** `fingerprint`: read-only tasks whose output must be the same after a rollback. */
export function loadFingerprint(
  reader: MapReader,
  context: Context,
  reading: PlaybookReading,
): TaskNode[] {
  return loadReadOnlyTasks(reader, 'fingerprint', context, reading);
}

/**
 * Reports a point of no return in a loop or dynamic include: the operator could not accept it
 * before the run.
 */
export function reportHiddenPointOfNoReturn(reader: MapReader): void {
  reader.problem(
    'irreversible',
    'A point of no return cannot be in a loop, or in an include whose path is a template.',
    'Move it outside: the operator must be able to accept it before the run.',
  );
}

/** Loads a list in which only plain tasks are allowed. */
export function plainTasks(
  list: Source[],
  context: Context,
  reading: PlaybookReading,
  place: { at: SourceRef; where: string },
): TaskNode[] {
  const nodes = reading.readers.nodes(list, context, reading, place.at);
  return [...tasksAmong(nodes, place, reading)];
}

/** The tasks among nodes. Reports other nodes. */
export function* tasksAmong(
  nodes: Iterable<Node>,
  { at, where }: { at: SourceRef; where: string },
  { problems }: PlaybookReading,
): Generator<TaskNode> {
  for (const node of nodes) {
    if (node.kind === 'task') yield node;
    else problems.push({ message: `Only plain tasks are allowed in "${where}".`, at });
  }
}
