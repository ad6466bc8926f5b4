import type { SourceObject } from '../../core/value.ts';
import { exitCodes } from '../../core/states.ts';
import { UsageError } from '../../core/errors.ts';
import type { VariableOrigin } from '../../core/inventory.ts';
import { playTasks, type Play, type Playbook, type TaskNode } from '../../language/document.ts';
import { formatSource, type SourceRef } from '../../core/source.ts';
import { readInventory } from '../host-selection.ts';
import { didYouMean } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { print } from '../fail.ts';
import { inventoryOption } from '../host-selection.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { openPlaybook } from '../playbooks.ts';
import type { World } from '../world.ts';

interface WhyFlags {
  inventory?: string;
  host?: string;
  at?: string;
}

/**
 * `runner why VARIABLE [PLAYBOOK]`: lists all definitions of a variable for a host, and marks the
 * one in effect.
 */
export async function whyCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner why')
    .description('Show where the value of a variable comes from. No host is contacted.')
    .argument('<variable>', 'name of the variable')
    .argument('[playbook]', 'playbook whose plays, roles and tasks are searched as well')
    .option(...inventoryOption)
    .option('--host <NAME>', 'host (default: the first one of the inventory)')
    .option('--at <STEP>', 'show the value at this step (ID or name)');
  addVaultOptions(command).parse(argv, { from: 'user' });
  await openVault(world, argv, { lenient: true });
  const [variable = '', file] = command.args;
  const flags = command.opts<WhyFlags>();
  const playbook = file === undefined ? undefined : await openPlaybook(world, file);
  const { host, origins } = inventoryOrigins(world, flags, playbook);
  const place = playbook && stepOf(playbook, flags.at);
  const all = [...origins, ...(playbook && place ? playbookOrigins(playbook, place) : [])]
    .filter(({ name }) => name === variable)
    .sort((a, b) => strength(a.level) - strength(b.level));
  const running = playbook ? settersOf(playbook, variable) : [];
  const lines = shown(variable, host, all, running);
  print(world, lines.join('\n'));
  return all.length + running.length > 0 ? exitCodes.done : exitCodes.invalid;
}

/**
 * Levels, lowest precedence first. All other levels are those of the inventory, which are already
 * sorted.
 */
const levels = ['role defaults', 'inventory', 'input', 'play', 'role inputs', 'task', 'role vars'];

function strength(level: string): number {
  const [first = ''] = level.split(' of ');
  const known = levels.indexOf(first);
  return known === -1 ? levels.indexOf('inventory') : known;
}

function inventoryOrigins(
  world: World,
  flags: WhyFlags,
  playbook: Playbook | undefined,
): { host: string | undefined; origins: readonly VariableOrigin[] } {
  const source = flags.inventory ?? world.env['RUNNER_INVENTORY'];
  if (source === undefined) return { host: flags.host, origins: [] };
  const varsDirectories = playbook?.directories ?? [];
  const { hosts, origins } = readInventory(world, source, { varsDirectories });
  const host = flags.host ?? [...hosts.keys()][0] ?? '';
  if (!hosts.has(host))
    throw new UsageError(`There is no host "${host}" in the inventory.`, {
      hint: didYouMean(host, [...hosts.keys()]) || undefined,
    });
  return { host, origins: origins?.get(host) ?? [] };
}

interface Place {
  play: Play;
  task: TaskNode | undefined;
}

function stepOf(playbook: Playbook, wanted: string | undefined): Place | undefined {
  const [first] = playbook.plays;
  if (wanted === undefined) return first && { play: first, task: undefined };
  for (const play of playbook.plays) {
    const task = playTasks(play).find(({ id, name }) => id === wanted || name === wanted);
    if (task) return { play, task };
  }
  const steps = playbook.plays.flatMap(playTasks).map(({ id }) => id);
  throw new UsageError(`There is no step "${wanted}".`, {
    hint: didYouMean(wanted, steps) || 'List the steps with: runner plan PLAYBOOK --list-tasks.',
  });
}

function playbookOrigins(playbook: Playbook, { play, task }: Place): VariableOrigin[] {
  const from = (level: string, vars: SourceObject): VariableOrigin[] =>
    Object.entries(vars).map(([name, value]) => ({
      level,
      name,
      value,
      at: playbook.placeOf(vars, name),
    }));
  const inputs = playbook.inputs.flatMap(({ name, default: value, secret, at }) =>
    value === undefined || secret ? [] : [{ level: 'input', name, value, at }],
  );
  const role = task?.role;
  return [
    ...(role ? from(`role defaults of ${role.name}`, role.defaults) : []),
    ...inputs,
    ...from(`play of ${play.name}`, play.vars),
    ...(role ? from(`role inputs of ${role.name}`, role.inputs) : []),
    ...(task?.vars ?? []).flatMap((vars) => from(`task of ${task?.name ?? ''}`, vars)),
    ...(role ? from(`role vars of ${role.name}`, role.constants) : []),
  ];
}

/** Steps that set the variable during the run. They override the other definitions. */
function settersOf(playbook: Playbook, variable: string): { how: string; at: SourceRef }[] {
  return playbook.plays.flatMap(playTasks).flatMap((task) => {
    if (task.register === variable) return [{ how: `register of ${task.id}`, at: task.at }];
    const sets = task.module === 'set_fact' && Object.hasOwn(task.args, variable);
    return sets ? [{ how: `set_fact of ${task.id}`, at: task.at }] : [];
  });
}

function shown(
  variable: string,
  host: string | undefined,
  all: readonly VariableOrigin[],
  running: readonly { how: string; at: SourceRef }[],
): string[] {
  const where = host === undefined ? '' : ` on ${host}`;
  if (all.length + running.length === 0) return [`Nothing sets "${variable}"${where}.`];
  const rows = all.map(({ level, at, value }) => [
    level.replace(' of ', ' '),
    at ? formatSource(at) : '',
    JSON.stringify(value),
  ]);
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map(([level = '', at = '', value = ''], index) => {
    const mark = index === rows.length - 1 ? '  <- in effect' : '';
    return `  ${level.padEnd(width(0))}  ${at.padEnd(width(1))}  ${value}${mark}`;
  });
  const later = running.map(({ how, at }) => `  ${how}  ${formatSource(at)}`);
  return [
    `${variable}${where}, lowest precedence first (--extra-vars overrides all):`,
    ...lines,
    ...(later.length > 0 ? ['Set during the run, and in effect from then on:', ...later] : []),
  ];
}
