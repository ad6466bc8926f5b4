import { JournalError } from '../../core/errors.ts';
import { exitCodes } from '../../core/events.ts';
import { isSettled, type RecordedRun } from '../../journal/recorded-run.ts';
import { formatDuration } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { lostOutputLines } from '../lost-output.ts';
import { isRunning } from '../run-process.ts';
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

function stateOf(run: RecordedRun): string {
  if (run.end) return run.end.outcome.replaceAll('_', ' ');
  return isRunning(run.header.pid, run.header.bootId) ? 'running' : 'cut off';
}

/** `runner show [RUN]`: its steps, and of each change whether it is taken back. */
export async function showCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner show')
    .description('Show one run.')
    .argument('[run]', 'id; the newest when left out');
  command.parse(argv, { from: 'user' });
  const id = world.store.find(command.args[0]);
  const run = world.store.read(id);
  const say = (line: string) => world.stdout.write(`${world.redactor.mask(line)}\n`);
  say(`Run ${id}: ${stateOf(run)}`);
  say(`Playbook ${run.header.playbook}, started ${run.header.startedAt}`);
  if (run.end) say(run.end.message);
  for (const line of lostOutputLines(run)) say(line);
  if (run.commit) say(`Last commit point: ${run.commit.name}`);
  say('');
  const undone = new Map([...run.units.values()].map((unit) => [unit.intent.unit, unit]));
  const shown = new Set<number>();
  for (const stored of run.results) {
    const result = stored();
    const step = run.steps.get(result.step);
    if (step && !shown.has(result.step)) {
      shown.add(result.step);
      say(`${step.info.play} › ${step.info.name}   ${step.info.id}`);
    }
    const unit = undone.get(result.unit);
    const undo = unit
      ? ` [unit ${String(result.unit)}, undo ${unit.undo ?? (isSettled(unit) ? 'not needed' : unit.intent.undo.kind)}]`
      : '';
    const message =
      result.state === 'failed' && result.message !== undefined ? `: ${result.message}` : '';
    say(
      `    ${result.state.padEnd(8)} ${result.host} ${formatDuration(result.durationMs)}${undo}${message}`,
    );
  }
  for (const unit of undone.values()) {
    if (unit.result === undefined && !unit.intent.block)
      say(
        `    ${unit.state.padEnd(8)} ${unit.intent.host} unit ${String(unit.intent.unit)} has no result`,
      );
  }
  if ((await world.stdout.flushed()) === undefined && run.end) world.store.markSeen(id);
  return exitCodes.done;
}
