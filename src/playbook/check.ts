import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { TemplateError, type Problem } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { effectOf, type ModuleRegistry } from '../core/module.ts';
import {
  blockUndosOf,
  handlerNames,
  playIncludes,
  playTasks,
  renderedValues,
  type Node,
  type Play,
  type Playbook,
  type RoleContext,
  type RollbackPolicy,
  type TaskNode,
} from '../language/document.ts';
import { parseCondition } from '../template/conditions.ts';
import { jinjaIn } from '../template/jinja.ts';
import { withPartials } from '../template/partials.ts';
import { isTemplate, jinjaError, parseTemplate, type Template } from '../template/templates.ts';
import { placesOf } from '../util/paths.ts';
import { didYouMean } from '../util/text.ts';

const magic = [
  'inventory_hostname',
  'ansible_host',
  'ansible_port',
  'ansible_user',
  'ansible_ssh_private_key_file',
  'group_names',
  'groups',
  'hostvars',
  'play',
  'run',
  'playbook_dir',
  'inventory_file',
  'role_name',
  'role_path',
  'vars',
  'loop',
  'item',
  'failed',
  'ansible_facts',
  'ansible_play_name',
  'ansible_play_hosts',
  'ansible_play_hosts_all',
  'ansible_play_batch',
  'ansible_check_mode',
  'ansible_diff_mode',
  'ansible_run_tags',
  'ansible_skip_tags',
  'inventory_dir',
  'omit',
];
/** Magic names that nothing else may have. How a host is reached is told by variables; items and facts have their own ways. */
const taken = magic.filter(
  (name) =>
    !['item', 'ansible_facts'].includes(name) &&
    !['host', 'port', 'user', 'ssh_private_key_file'].some((one) => name === `ansible_${one}`),
);

/** Among the known names: there may be others. */
const ANY_NAME = '*';
const undoNames = ['result', 'captured', 'undo', 'live'];

/** A planned point that automatic rollback cannot go behind. */
export interface PointOfNoReturn {
  name: string;
  reason: string;
}

export function pointsOfNoReturn(playbook: Playbook): PointOfNoReturn[] {
  const points: PointOfNoReturn[] = [];
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.kind === 'commit' && node.confirm)
        points.push({ name: node.name, reason: node.reason ?? '' });
      if (node.kind === 'task' && node.irreversible !== undefined)
        points.push({ name: node.name, reason: node.irreversible });
      if (node.kind === 'block') [node.block, node.rescue, node.always].forEach(visit);
    }
  };
  for (const play of playbook.plays) for (const { nodes } of play.sections) visit(nodes);
  return points;
}

/** The steps before the first point of no return, in the order of the file. */
export function stepsBeforeNoReturn(playbook: Playbook): TaskNode[] {
  const steps: TaskNode[] = [];
  const visit = (nodes: readonly Node[]): boolean => {
    for (const node of nodes) {
      if (node.kind === 'commit' && node.confirm) return true;
      if (node.kind === 'task') {
        if (node.irreversible !== undefined) return true;
        steps.push(node);
      }
      if (node.kind === 'block' && visit(node.block)) return true;
      if (node.kind === 'include') visit(node.preview.nodes);
    }
    return false;
  };
  for (const { sections } of playbook.plays) {
    if (sections.some(({ nodes }) => visit(nodes))) break;
  }
  return steps;
}

/** Problems that need the whole playbook: names that nothing defines, handlers that do not exist, undo that is missing. */
export function checkPlaybook(
  playbook: Playbook,
  modules: ModuleRegistry,
  { outside, requireUndo }: { outside: readonly string[]; requireUndo: boolean },
): Problem[] {
  const problems: Problem[] = [];
  const registered = new Set<string>();
  for (const task of playbook.plays.flatMap(playTasks)) addRegistered(task, registered);
  for (const task of playbook.fingerprint) addRegistered(task, registered);
  const around = [playbook, ...playbook.plays].flatMap(({ rollback }) => rollbackTasks(rollback));
  for (const task of around) addRegistered(task, registered);
  const includes = playbook.plays.flatMap(playIncludes);
  for (const name of includes.flatMap(({ mayDefine }) => mayDefine ?? [])) registered.add(name);
  // What an include of any file may define is not known.
  if (includes.some(({ mayDefine }) => mayDefine === undefined)) registered.add(ANY_NAME);
  const global = [...magic, ...outside, ...registered, ...playbook.inputs.map(({ name }) => name)];
  const [first] = playbook.plays;
  for (const task of rollbackTasks(playbook.rollback))
    problems.push(...checkTask(task, [...global, ...Object.keys(first?.vars ?? {})]));
  const { timeLimitSeconds = 0, path: file } = playbook;
  const at = { file, line: 1, column: 1 };
  problems.push(...checkTaken(outside, at, 'the inventory or the command line'));
  problems.push(...checkNames(namesOf(timeLimitSeconds), global, at, '"time_limit"'));
  const blocks = playbook.plays.flatMap(({ sections }) =>
    sections.flatMap(({ nodes }) => [...blockUndosOf(nodes)]),
  );
  for (const task of [...playbook.fingerprint, ...around, ...blocks])
    problems.push(...checkReadsNothing(task));
  for (const play of playbook.plays) {
    const known = [...global, ...Object.keys(play.vars)];
    problems.push(...checkTaken(Object.keys(play.vars), play.at, `play "${play.name}"`));
    for (const value of Object.values(play.vars)) {
      problems.push(...checkNames(namesOf(value), known, play.at, `play "${play.name}"`));
      problems.push(...checkReadFiles([value], playbook.folders, play.at));
    }
    for (const task of rollbackTasks(play.rollback)) problems.push(...checkTask(task, known));
    for (const task of playTasks(play)) {
      problems.push(...checkTaken(definedBy(task), task.at, `task "${task.name}"`));
      problems.push(...checkTask(task, known));
      problems.push(...checkNotify(task, play));
      problems.push(...checkFiles(task, playbook.folders, known));
      if (requireUndo) problems.push(...checkUndo(task, modules));
    }
  }
  return problems;
}

function rollbackTasks({ before, after, verify }: RollbackPolicy): TaskNode[] {
  return [...before, ...after, ...verify];
}

function addRegistered(task: TaskNode, names: Set<string>): void {
  if (task.register !== undefined) names.add(task.register);
  if (task.module === 'include_vars') names.add(String(task.args['name'] ?? ANY_NAME));
  if (task.module === 'set_fact') for (const name of Object.keys(task.args)) names.add(name);
}

function checkTask(task: TaskNode, outer: readonly string[]): Problem[] {
  const known = [...outer, ...namesOfTask(task)];
  const own = [...known, 'result'];
  const where = `task "${task.name}"`;
  const problems: Problem[] = [];
  try {
    const conditions = [...task.when, ...task.undoWhen].flatMap((source) => [
      ...parseCondition(source).roots,
    ]);
    const late = [...task.until, ...(task.changedWhen ?? []), ...(task.failedWhen ?? [])];
    const asserted =
      task.module === 'assert' && Array.isArray(task.args['that'])
        ? task.args['that'].map(String)
        : [];
    problems.push(...checkNames(conditions, [...known, ...undoNames], task.at, where));
    problems.push(
      ...checkNames(
        [...late, ...asserted].flatMap((source) => [...parseCondition(source).roots]),
        own,
        task.at,
        where,
      ),
    );
    const values = renderedValues(task);
    problems.push(...checkNames(values.flatMap(namesOf), own, task.argsAt, where));
    const jinja = values
      .flatMap(textsOf)
      .map(jinjaIn)
      .find((one) => one !== undefined);
    if (jinja !== undefined) throw jinjaError(jinja);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    problems.push({
      rule: 'broken-template',
      message: `In ${where}: ${error.message}`,
      hint: error.hint,
      at: task.argsAt,
    });
  }
  const undo = task.undo.kind === 'tasks' ? task.undo.tasks : [];
  const captured = [...undo, ...task.capture].flatMap(({ register }) =>
    register === undefined ? [] : [register],
  );
  for (const inner of [...undo, ...task.capture]) {
    problems.push(...checkTask(inner, [...known, ...undoNames, ...captured]));
  }
  for (const inner of undo) problems.push(...checkReadsNothing(inner));
  return problems;
}

/** What runs on the way back may do so from another machine, on another day: it is complete in itself. */
function checkReadsNothing(task: TaskNode): Problem[] {
  return asksOf([task.args, task.loop ?? null, task.delegateTo ?? null, ...task.vars]).map(
    ({ helper }) => ({
      rule: 'broken-template' as const,
      message: `"{{${helper} …}}" reads the controller, which task "${task.name}" cannot: it runs on the way back.`,
      at: task.argsAt,
      hint: 'Put it in "vars" of the play, or in an input: those are recorded with the run.',
    }),
  );
}

function asksOf(value: JsonValue): Template['asks'] {
  return textsOf(value).filter(isTemplate).flatMap(parsedAsks);
}

function parsedAsks(text: string): Template['asks'] {
  try {
    return parseTemplate(text).asks;
  } catch (error) {
    // Reported where its names are looked at.
    if (error instanceof TemplateError) return [];
    throw error;
  }
}

/** Files that templates read by a constant name. */
function checkReadFiles(
  values: readonly JsonValue[],
  folders: readonly string[],
  at: Problem['at'],
): Problem[] {
  return values.flatMap(asksOf).flatMap(({ helper, constant }) => {
    if (helper !== 'file' || constant === undefined || isAbsolute(constant)) return [];
    const places = placesOf(constant, folders, 'files');
    if (places.some((place) => existsSync(place))) return [];
    const message = `There is no file "${constant}", which a template reads.`;
    const hint = `Looked for ${places.join(', ')}.`;
    return [{ rule: 'missing-file' as const, message, at, hint }];
  });
}

function namesOfTask(task: TaskNode): string[] {
  return [
    task.loopVar,
    ...(task.indexVar === undefined ? [] : [task.indexVar]),
    ...task.vars.flatMap((vars) => Object.keys(vars)),
    ...Object.keys(task.loopValues),
    ...namesOfRole(task.role),
  ];
}

/** What a role defines; its inputs may name what the role around it defines. */
function namesOfRole(role: RoleContext | undefined): string[] {
  if (!role) return [];
  return [role.defaults, role.inputs, role.constants].flatMap(Object.keys);
}

/** What a task itself gives a name. */
function definedBy(task: TaskNode): string[] {
  return [
    ...task.vars.flatMap((vars) => Object.keys(vars)),
    ...(task.register === undefined ? [] : [task.register]),
    ...(task.module === 'set_fact' ? Object.keys(task.args) : []),
    ...(task.loopVar === 'item' ? [] : [task.loopVar]),
    ...(task.indexVar === undefined ? [] : [task.indexVar]),
    ...namesOfRole(task.role),
  ];
}

function checkTaken(names: readonly string[], at: Problem['at'], where: string): Problem[] {
  return [...new Set(names)]
    .filter((name) => taken.includes(name))
    .map((name) => ({
      rule: 'magic-variable' as const,
      message: `"${name}" means something else already: it cannot be defined in ${where}.`,
      at,
      hint: 'Choose another name.',
    }));
}

function textsOf(value: JsonValue): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function namesOf(value: JsonValue): string[] {
  return textsOf(value)
    .filter(isTemplate)
    .flatMap((text) => [...parseTemplate(text).roots]);
}

function checkNames(
  names: readonly string[],
  known: readonly string[],
  at: Problem['at'],
  where: string,
): Problem[] {
  if (known.includes(ANY_NAME)) return [];
  const missing = [...new Set(names)].filter((name) => !known.includes(name));
  return missing.map((name) => ({
    rule: 'undefined-variable' as const,
    message: `Nothing defines "${name}", used in ${where}.`,
    at,
    hint: didYouMean(name, known) || undefined,
  }));
}

function checkNotify(task: TaskNode, play: Play): Problem[] {
  const foreseen = playIncludes(play).flatMap(({ preview }) => preview.handlers);
  const names = [...play.handlers, ...foreseen].flatMap(handlerNames);
  return task.notify
    .filter((name) => !names.includes(name))
    .map((name) => ({
      rule: 'unknown-handler' as const,
      message: `Task "${task.name}" notifies "${name}", which is no handler of this play.`,
      at: task.at,
      hint: didYouMean(name, names) || undefined,
    }));
}

/** Modules that take a file of the controller, by the argument that names it. */
const fileArguments: Record<string, 'files' | 'templates'> = {
  copy: 'files',
  script: 'files',
  template: 'templates',
  unarchive: 'files',
};

/** Whether a path of the controller is what such a module takes. */
function serves(module: string, path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true || (module === 'copy' && found?.isDirectory() === true);
}

/** Files of the playbook whose names are constant must be there; templates must parse, and name only what is defined. */
function checkFiles(
  task: TaskNode,
  folders: readonly string[],
  outer: readonly string[],
): Problem[] {
  const places = [...(task.role ? [task.role.path] : []), ...folders];
  const read = checkReadFiles([task.args, ...task.vars], places, task.argsAt);
  return [...read, ...checkNamedFile(task, places, outer)];
}

function checkNamedFile(
  task: TaskNode,
  places: readonly string[],
  outer: readonly string[],
): Problem[] {
  const kind = fileArguments[task.module];
  const named = task.args[task.module === 'script' ? 'cmd' : 'src'];
  const name = task.module === 'script' ? String(named ?? '').split(/\s/)[0] : named;
  if (!kind || typeof name !== 'string' || name === '' || isTemplate(name)) return [];
  if (task.args['remote_src'] !== undefined) return [];
  // Such a file may be made by a step before.
  if (isAbsolute(name)) return [];
  const candidates = placesOf(name, places, kind);
  const path = candidates.find((one) => serves(task.module, one));
  const at = task.argsAt;
  if (path === undefined) {
    const message = `There is no file "${name}" for task "${task.name}".`;
    return [{ rule: 'missing-file', message, at, hint: `Looked for ${candidates.join(', ')}.` }];
  }
  if (kind === 'files') return [];
  try {
    const { roots } = parseTemplate(wholeTemplate(path, places));
    const known = [...outer, ...namesOfTask(task)];
    const place = { file: path, line: 1, column: 1 };
    return checkNames([...roots], known, place, `template "${name}"`);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const [, line = '1'] = /line (\d+)/i.exec(error.message) ?? [];
    const place = { file: path, line: Number(line), column: 1 };
    return [{ rule: 'broken-template', message: error.message, hint: error.hint, at: place }];
  }
}

/** @throws TemplateError when a partial is not there */
function wholeTemplate(path: string, folders: readonly string[]): string {
  const parts = withPartials(readFileSync(path, 'utf8'));
  let next = parts.next();
  while (!next.done) {
    const candidates = placesOf(next.value, folders, 'templates');
    const found = candidates.find((one) => serves('template', one));
    if (found === undefined)
      throw new TemplateError(`There is no partial "${next.value}".`, {
        hint: `Looked for ${candidates.join(', ')}.`,
      });
    next = parts.next(readFileSync(found, 'utf8'));
  }
  return next.value;
}

function checkUndo(task: TaskNode, modules: ModuleRegistry): Problem[] {
  const module = modules.get(task.module);
  const answered =
    task.readOnly ||
    task.irreversible !== undefined ||
    task.undo.kind === 'none' ||
    task.undo.kind === 'tasks' ||
    (module !== undefined && effectOf(module, task.args) !== 'changes');
  if (answered) return [];
  return [
    {
      rule: 'no-undo',
      message: `Task "${task.name}" changes the host and does not say how that is undone.`,
      at: task.at,
      hint: 'Add "undo:" with tasks, {none: "why"}, or "irreversible:".',
    },
  ];
}
