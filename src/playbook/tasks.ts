import { fieldsAsWritten } from '../core/value.ts';
import { effectOf, type Module } from '../core/module.ts';
import type { SourceRef } from '../core/source.ts';
import type { TaskNode } from '../language/document.ts';
import * as fields from '../language/fields.ts';
import { keywordHint, moduleOfName } from '../language/hints.ts';
import {
  loopKeywords,
  shorthandFields,
  sharedKeywords,
  taskDefaults,
  taskKeywords,
  taskLoopKeywords,
  taskShorthands,
} from '../language/keywords.ts';
import type { Fields } from '../language/table.ts';
import { didYouMean } from '../util/text.ts';
import type { MapReader } from '../yaml/map-reader.ts';
import { loadArguments } from './arguments.ts';
import { inherit, stepId, type Context, type PlaybookReading } from './reading.ts';
import { checkLoopVar } from './loop.ts';
import { loadProbe, loadReadOnlyTasks, loadUndo, reportHiddenPointOfNoReturn } from './undo.ts';

const controlKeywords = { ...loopKeywords, ...taskLoopKeywords };

/** A task, a handler, or a task inside `undo`, `capture` and `fingerprint`. */
export function loadTask(
  reader: MapReader,
  outer: Context,
  reading: PlaybookReading,
): TaskNode | undefined {
  const at = reader.at();
  const name = reader.string('name');
  const context = inherit(reader, outer);
  const own = ownFields(reader, outer);
  for (const key of ['undo', 'capture', 'probe', 'args']) reader.has(key);
  const candidates = reader.rest();
  const module = moduleOf(reader, candidates, reading);
  if (!module) return undefined;
  if (name === undefined) reportNoName(module, at, reading);
  const id = stepId(outer.path, name ?? module.name, reading.ids);
  const args = loadArguments(reader, module, context, reading);
  const inner = { ...context, path: id };
  const undo = loadUndo(reader, inner, reading);
  if (own.irreversible !== undefined && reading.dynamic) reportHiddenPointOfNoReturn(reader);
  return {
    kind: 'task',
    id,
    name: name ?? module.name,
    at,
    module: module.name,
    args,
    argsAt: reader.keyAt(module.name),
    ...fields.pick(sharedKeywords, context),
    ...own,
    loopValues: context.loopValues,
    role: context.role,
    readOnly: effectOf(module, fieldsAsWritten(args)) === 'reads',
    undo,
    capture: loadReadOnlyTasks(reader, 'capture', inner, reading),
    probe: loadProbe(reader, inner, reading),
  };
}

/** The fields of a task that are not inherited. */
function ownFields(
  reader: MapReader,
  outer: Context,
): Fields<typeof taskKeywords & typeof controlKeywords> {
  const given = {
    ...fields.read(taskKeywords, reader),
    ...shorthandFields(fields.read(taskShorthands, reader)),
  };
  const loopControl = reader.reader('loop_control');
  const control = fields.complete(
    controlKeywords,
    loopControl ? fields.read(controlKeywords, loopControl) : {},
  );
  loopControl?.close('"loop_control"');
  if (given.loop !== undefined) checkLoopVar(reader, control.loopVar, outer);
  return { ...fields.complete(taskKeywords, given, taskDefaults), ...control };
}

/** The module of a task. Reports unknown keys and additional modules. */
function moduleOf(
  reader: MapReader,
  candidates: string[],
  reading: PlaybookReading,
): Module | undefined {
  const { modules, problems } = reading;
  const name = candidates.find((key) => modules.has(key));
  const module = name === undefined ? undefined : modules.get(name);
  if (name === undefined || !module) {
    reportNoModule(reader, candidates, reading);
    return undefined;
  }
  for (const key of candidates.filter((one) => one !== name)) {
    const message = modules.has(key)
      ? `A task can have only one module, but this one has "${name}" and "${key}".`
      : `Unknown key "${key}" in a task.`;
    problems.push({
      rule: modules.has(key) ? 'structure' : 'unknown-key',
      message,
      at: reader.keyAt(key),
      hint: keywordHint(key) ?? (didYouMean(key, reader.known()) || undefined),
    });
  }
  if (modules.undoOnly.has(name))
    problems.push({
      message: `Module "${name}" cannot be used in a playbook.`,
      at: reader.keyAt(name),
    });
  return module;
}

function reportNoName({ name }: Module, at: SourceRef, { problems }: PlaybookReading): void {
  problems.push({
    rule: 'missing-name',
    message: `A task with "${name}" has no name.`,
    at,
    hint: 'Add "name:". Output and journal show it.',
  });
}

function reportNoModule(reader: MapReader, candidates: string[], reading: PlaybookReading): void {
  const { undoOnly } = reading.modules;
  const names = [...reading.modules.keys()].filter((name) => !undoOnly.has(name));
  if (candidates.length === 0) {
    reading.problems.push({
      message: 'A task has no module.',
      at: reader.at(),
      hint: 'List the modules with: runner doc.',
    });
  }
  for (const key of candidates) {
    const same = moduleOfName(key, names);
    const hint = same === undefined ? keywordHint(key) : `Use "${same}".`;
    const near = hint ?? didYouMean(key, [...names, ...reader.known()]);
    reading.problems.push({
      rule: 'unknown-module',
      message: `Unknown module or keyword "${key}".`,
      at: reader.keyAt(key),
      hint: `${near ? `${near} ` : ''}List the modules with: runner doc.`,
      ...(same === undefined ? {} : { fix: { from: key, to: same } }),
    });
  }
}
