import type { Problem } from '../../core/errors.ts';
import type { ModuleRegistry } from '../../core/module.ts';
import type { Files } from '../../core/ports.ts';
import {
  blockUndosOf,
  playTasks,
  type Play,
  type Playbook,
  type RoleContext,
  type RollbackPolicy,
  type TaskNode,
} from '../../language/document.ts';
import { checkFiles, checkReadFiles } from './files.ts';
import {
  checkConnection,
  checkNames,
  checkNotify,
  checkMagicNames,
  checkTaskNames,
  definedBy,
  globalNames,
  namesOfTask,
  setBy,
  undoNames,
} from './names.ts';
import { checkControllerCalls, checkUndo } from './undo.ts';
import { namesOf } from './values.ts';

interface CheckOptions {
  files: Files;
  /** Names that the inventory and the command line define. */
  outside: readonly string[];
  requireUndo: boolean;
}

/**
 * Problems that are found in the complete playbook: undefined variables, missing handlers, files
 * and undos.
 */
export function checkPlaybook(
  playbook: Playbook,
  modules: ModuleRegistry,
  options: CheckOptions,
): Problem[] {
  const { plays, rollback, timeLimitSeconds = 0, path: file } = playbook;
  const { outside } = options;
  const inRollback = [playbook, ...plays].flatMap((one) => rollbackTasks(one.rollback));
  const blocks = plays.flatMap(({ sections }) =>
    sections.flatMap(({ nodes }) => [...blockUndosOf(nodes)]),
  );
  const global = globalNames(playbook, { outside, inRollback });
  const inFirst = [...global, ...Object.keys(plays[0]?.vars ?? {})];
  const at = { file, line: 1, column: 1 };
  return [
    ...rollbackTasks(rollback).flatMap((task) => checkTask(task, inFirst)),
    ...checkMagicNames(outside, at, 'the inventory or the command line'),
    ...checkNames(namesOf(timeLimitSeconds), global, at, '"time_limit"'),
    ...[...playbook.fingerprint, ...inRollback, ...blocks].flatMap(checkControllerCalls),
    ...plays.flatMap((play) => checkPlay(play, global, { ...options, modules, playbook })),
  ];
}

function checkPlay(
  play: Play,
  global: readonly string[],
  {
    playbook: { directories },
    modules,
    files,
    requireUndo,
  }: CheckOptions & { playbook: Playbook; modules: ModuleRegistry },
): Problem[] {
  const known = [...global, ...Object.keys(play.vars)];
  const where = `play "${play.name}"`;
  const places = { directories, files };
  return [
    ...checkMagicNames(Object.keys(play.vars), play.at, where),
    ...checkConnection(Object.keys(play.vars), play.at, where),
    ...rolesOf(play).flatMap(({ name, defaults, inputs, constants }) =>
      checkConnection(
        [defaults, inputs, constants].flatMap(Object.keys),
        play.at,
        `role "${name}"`,
      ),
    ),
    ...Object.values(play.vars).flatMap((value) => [
      ...checkNames(namesOf(value), known, play.at, where),
      ...checkReadFiles([value], places, play.at),
    ]),
    ...rollbackTasks(play.rollback).flatMap((task) => checkTask(task, known)),
    ...playTasks(play).flatMap((task) => [
      ...checkMagicNames(definedBy(task), task.at, `task "${task.name}"`),
      ...checkTask(task, known),
      ...checkNotify(task, play),
      ...checkFiles(task, places, known),
      ...(requireUndo ? checkUndo(task, modules) : []),
    ]),
  ];
}

/** Checks a task with its undo and capture tasks. */
function checkTask(task: TaskNode, outer: readonly string[]): Problem[] {
  const undo = task.undo.kind === 'tasks' ? task.undo.tasks : [];
  const inner = [...undo, ...task.capture];
  const captured = inner.flatMap(({ register }) => (register === undefined ? [] : [register]));
  const known = [...outer, ...namesOfTask(task), ...undoNames, ...captured];
  return [
    ...checkConnection(setBy(task), task.at, `task "${task.name}"`),
    ...checkTaskNames(task, outer),
    ...inner.flatMap((one) => checkTask(one, known)),
    ...undo.flatMap(checkControllerCalls),
  ];
}

function rolesOf(play: Play): RoleContext[] {
  return [
    ...new Map(playTasks(play).flatMap(({ role }) => (role ? [[role.path, role]] : []))).values(),
  ];
}

function rollbackTasks({ before, after, verify }: RollbackPolicy): TaskNode[] {
  return [...before, ...after, ...verify];
}
