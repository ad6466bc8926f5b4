import { TemplateError, type Problem } from '../../core/errors.ts';
import { conditionsIn, templatesIn, type Condition } from '../../core/value.ts';
import {
  handlerNames,
  playIncludes,
  playTasks,
  renderedValues,
  type Play,
  type Playbook,
  type RoleContext,
  type TaskNode,
} from '../../language/document.ts';
import { parseCondition } from '../../template/conditions.ts';
import { jinjaIn } from '../../template/jinja.ts';
import { jinjaError } from '../../template/templates.ts';
import { connectionVariable } from '../../util/connection-variables.ts';
import { didYouMean } from '../../util/text.ts';
import { namesOf } from './values.ts';

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
/** Magic variables that cannot be defined. Connection variables, "item" and "ansible_facts" can. */
const reservedNames = magic.filter(
  (name) =>
    !['item', 'ansible_facts'].includes(name) &&
    !['host', 'port', 'user', 'ssh_private_key_file'].some((one) => name === `ansible_${one}`),
);

/** Marks a list of known names as incomplete. */
const ANY_NAME = '*';
/** Names that only the tasks of an undo can use. */
export const undoNames = ['result', 'captured', 'undo', 'live'];

/** Names that every task of a playbook can use. */
export function globalNames(
  { plays, fingerprint, inputs }: Playbook,
  { outside, inRollback }: { outside: readonly string[]; inRollback: readonly TaskNode[] },
): string[] {
  const registered = new Set<string>();
  for (const task of [...plays.flatMap(playTasks), ...fingerprint, ...inRollback])
    addRegistered(task, registered);
  const includes = plays.flatMap(playIncludes);
  for (const name of includes.flatMap(({ mayDefine }) => mayDefine ?? [])) registered.add(name);
  // An include that can match any file can define any name.
  if (includes.some(({ mayDefine }) => mayDefine === undefined)) registered.add(ANY_NAME);
  return [...magic, ...outside, ...registered, ...inputs.map(({ name }) => name)];
}

function addRegistered(task: TaskNode, names: Set<string>): void {
  if (task.register !== undefined) names.add(task.register);
  if (task.module === 'include_vars') names.add(String(task.args['name'] ?? ANY_NAME));
  if (task.module === 'set_fact') for (const name of Object.keys(task.args)) names.add(name);
}

/**
 * Reports undefined names in a task, without its undo.
 * @param outer names that are defined outside the task
 */
export function checkTaskNames(task: TaskNode, outer: readonly string[]): Problem[] {
  const known = [...outer, ...namesOfTask(task)];
  const own = [...known, 'result'];
  const where = `task "${task.name}"`;
  const undefinedIn = (conditions: readonly Condition[], names: readonly string[]) =>
    conditions.flatMap((condition) =>
      checkNames([...parseCondition(condition).roots], names, condition.at ?? task.at, where),
    );
  const problems: Problem[] = [];
  try {
    const early = [...task.when, ...task.undoWhen];
    problems.push(...undefinedIn(early, [...known, ...undoNames]));
    const late = [...task.until, ...(task.changedWhen ?? []), ...(task.failedWhen ?? [])];
    problems.push(...undefinedIn([...late, ...conditionsIn(task.args)], own));
    const values = renderedValues(task);
    problems.push(...checkNames(values.flatMap(namesOf), own, task.argsAt, where));
    const jinja = values
      .flatMap(templatesIn)
      .map(({ text }) => jinjaIn(text))
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
  return problems;
}

/** Names that are defined only inside a task. */
export function namesOfTask(task: TaskNode): string[] {
  return [
    task.loopVar,
    ...(task.indexVar === undefined ? [] : [task.indexVar]),
    ...task.vars.flatMap((vars) => Object.keys(vars)),
    ...Object.keys(task.loopValues),
    ...namesOfRole(task.role),
  ];
}

/** Names that a role defines. */
function namesOfRole(role: RoleContext | undefined): string[] {
  if (!role) return [];
  return [role.defaults, role.inputs, role.constants].flatMap(Object.keys);
}

/** Names that a task and its role define. */
export function definedBy(task: TaskNode): string[] {
  return [
    ...setBy(task),
    ...(task.loopVar === 'item' ? [] : [task.loopVar]),
    ...(task.indexVar === undefined ? [] : [task.indexVar]),
    ...namesOfRole(task.role),
  ];
}

/** Reports definitions of magic variables. */
export function checkMagicNames(
  names: readonly string[],
  at: Problem['at'],
  where: string,
): Problem[] {
  return [...new Set(names)]
    .filter((name) => reservedNames.includes(name))
    .map((name) => ({
      rule: 'magic-variable' as const,
      message: `"${name}" is a magic variable and cannot be defined in ${where}.`,
      at,
      hint: 'Choose another name.',
    }));
}

const keywordOf: Readonly<Record<string, string>> = {
  transport: 'connection',
  user: 'remote_user',
  port: 'port',
  become: 'become',
  become_user: 'become_user',
  become_method: 'become_method',
};

/**
 * Reports connection variables outside the inventory and the command line, where they have no
 * effect.
 */
export function checkConnection(
  names: readonly string[],
  at: Problem['at'],
  where: string,
): Problem[] {
  return [...new Set(names)].flatMap((name) => {
    const row = connectionVariable(name);
    if (!row || row.is === 'unneeded') return [];
    const keyword = row.is === 'supported' ? keywordOf[row.as] : undefined;
    const first = keyword === undefined ? 'Set it' : `Use the keyword "${keyword}", or set it`;
    return {
      rule: 'connection-variable' as const,
      message: `"${name}" has no effect in ${where}.`,
      at,
      hint: row.is === 'named' ? row.hint : `${first} in the inventory.`,
    };
  });
}

/** Names that a task itself sets, without its role. */
export function setBy(task: TaskNode): string[] {
  return [
    ...task.vars.flatMap((vars) => Object.keys(vars)),
    ...(task.register === undefined ? [] : [task.register]),
    ...(task.module === 'set_fact' ? Object.keys(task.args) : []),
  ];
}

/** Reports undefined names. */
export function checkNames(
  names: readonly string[],
  known: readonly string[],
  at: Problem['at'],
  where: string,
): Problem[] {
  if (known.includes(ANY_NAME)) return [];
  const missing = [...new Set(names)].filter((name) => !known.includes(name));
  return missing.map((name) => ({
    rule: 'undefined-variable' as const,
    message: `Variable "${name}" is not defined, but used in ${where}.`,
    at,
    hint: didYouMean(name, known) || undefined,
  }));
}

/** Reports notified handlers that the play does not have. */
export function checkNotify(task: TaskNode, play: Play): Problem[] {
  const foreseen = playIncludes(play).flatMap(({ preview }) => preview.handlers);
  const names = [...play.handlers, ...foreseen].flatMap(handlerNames);
  return task.notify
    .filter((name) => !names.includes(name))
    .map((name) => ({
      rule: 'unknown-handler' as const,
      message: `Task "${task.name}" notifies "${name}", which is not a handler of this play.`,
      at: task.at,
      hint: didYouMean(name, names) || undefined,
    }));
}
