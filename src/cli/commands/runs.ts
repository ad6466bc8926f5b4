import { JournalError } from '../../core/errors.ts';
import { exitCodes } from '../../core/events.ts';
import type { RecordedRun } from '../../journal/recorded-run.ts';
import { newCommand } from '../command.ts';
import { stateOf } from '../run-process.ts';
import type { World } from '../world.ts';

/** `runner runs`: one line a run, newest first. */
export function runsCommand(world: World, argv: string[]): number {
  const command = newCommand(world, 'runner runs')
    .description('List runs, newest first.')
    .option('--json', 'as JSON');
  command.parse(argv, { from: 'user' });
  const runs = world.store.ids().map((id) => ({ id, run: readOrError(world, id) }));
  if (command.opts<{ json?: boolean }>().json) {
    const list = runs.map(({ id, run }) =>
      'error' in run
        ? { id, state: 'unreadable', error: run.error }
        : {
            id,
            playbook: run.header.playbook,
            startedAt: run.header.startedAt,
            state: stateOf(run),
            exitCode: run.end?.exitCode ?? null,
            lostOutputs: run.lostOutputs,
          },
    );
    world.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    return exitCodes.done;
  }
  if (runs.length === 0) world.stdout.write('No runs yet.\n');
  for (const { id, run } of runs) {
    world.stdout.write(
      'error' in run
        ? `${id}  ${'unreadable'.padEnd(20)} ${run.error}\n`
        : `${id}  ${stateOf(run).padEnd(20)} ${String(run.hosts.size).padStart(3)} hosts  ${run.header.playbook}${lostMark(run)}\n`,
    );
  }
  return exitCodes.done;
}

/** One journal that cannot be read does not hide the other runs. */
function readOrError({ store }: World, id: string): RecordedRun | { error: string } {
  try {
    return store.read(id);
  } catch (error) {
    if (error instanceof JournalError) return { error: error.describe() };
    throw error;
  }
}

/** Says that not all of the run was shown. */
function lostMark({ lostOutputs: [lost] }: RecordedRun): string {
  return lost === undefined ? '' : `  (${lost.output} lost at ${lost.at}: ${lost.code})`;
}
