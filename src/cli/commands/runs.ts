import { JournalError } from '../../core/errors.ts';
import { exitCodes } from '../../core/states.ts';
import { listData, listLines, type ListedRun } from '../../output/history.ts';
import { newCommand } from '../command.ts';
import { print } from '../fail.ts';
import { isRunning } from '../run-process.ts';
import type { World } from '../world.ts';

/** `runner runs`: lists runs, one line each, newest first. */
export function runsCommand(world: World, argv: string[]): number {
  const command = newCommand(world, 'runner runs')
    .description('List runs, newest first.')
    .option('--json', 'print JSON');
  command.parse(argv, { from: 'user' });
  const runs = world.store.ids().map((id) => listed(world, id));
  const isJson = command.opts<{ json?: boolean }>().json === true;
  if (isJson) world.stdout.write(`${JSON.stringify(listData(runs), undefined, 2)}\n`);
  else print(world, listLines(runs).join('\n'));
  return exitCodes.done;
}

/** An unreadable journal does not hide the other runs. */
function listed({ store }: World, id: string): ListedRun {
  try {
    const run = store.read(id);
    return { id, run, running: isRunning(run.header) };
  } catch (error) {
    if (error instanceof JournalError) return { id, error: error.describe() };
    throw error;
  }
}
