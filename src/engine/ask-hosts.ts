import { TaskError } from '../core/errors.ts';
import type { TaskNode } from '../language/document.ts';
import type { Log } from '../journal/log.ts';
import { Interrupted } from './interrupted.ts';
import { resolveUnknown, type Prober, type ResolveParts } from './resolve.ts';

/**
 * Asks hosts for the results of changes that the journal has no result of, before the task runs
 * again.
 *
 * @param numbers unit numbers of these changes
 * @returns by host, why the task must not run again: its first attempt may still be running there
 * @throws Interrupted when the operator interrupts the run meanwhile
 */
export async function askHosts(
  parts: ResolveParts & { log: Pick<Log, 'state' | 'write' | 'signal'> },
  task: TaskNode,
  numbers: readonly number[],
  undo: Prober,
): Promise<Map<string, TaskError>> {
  if (numbers.length === 0) return new Map();
  const { log } = parts;
  const units = numbers.flatMap((number) => log.state.units.get(number) ?? []);
  const hosts = [...new Set(units.map(({ intent }) => intent.target))].join(', ');
  const text = `"${task.name}" was interrupted; checking its result on ${hosts}.`;
  log.signal({ t: 'message', level: 'info', text });
  const resolutions = await resolveUnknown(parts, log.state, units, undo);
  if (parts.isStopping()) throw new Interrupted();
  const obstacles = new Map<string, TaskError>();
  for (const { intent } of units) {
    const resolution = resolutions.get(intent.unit);
    if (resolution !== 'running' && resolution !== 'unreachable' && resolution !== 'refused')
      continue;
    const where =
      resolution === 'running'
        ? `It is still running on "${intent.target}"`
        : `Cannot check whether it is still running on "${intent.target}"`;
    const message = `"${task.name}" was interrupted and is not run again. ${where}.`;
    obstacles.set(intent.host, new TaskError(message, { at: task.at }));
  }
  return obstacles;
}
