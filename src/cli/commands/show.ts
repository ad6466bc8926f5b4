import { exitCodes } from '../../core/states.ts';
import { runLines } from '../../output/history.ts';
import { newCommand } from '../command.ts';
import { print } from '../fail.ts';
import { isRunning } from '../run-process.ts';
import type { World } from '../world.ts';

/** `runner show [RUN]`: shows the steps of a run, and for each change whether it is undone. */
export async function showCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner show')
    .description('Show the steps and changes of a run.')
    .argument('[run]', 'ID of the run (default: the newest run)');
  command.parse(argv, { from: 'user' });
  const id = world.store.find(command.args[0]);
  const run = world.store.read(id);
  for (const line of runLines({ run, running: isRunning(run.header) })) print(world, line);
  if ((await world.stdout.flushed()) === undefined && run.end) world.store.markSeen(id);
  return exitCodes.done;
}
