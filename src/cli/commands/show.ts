import { exitCodes } from '../../core/events.ts';
import { isSettled } from '../../journal/recorded-run.ts';
import { formatDuration } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { lostOutputLines } from '../lost-output.ts';
import { stateOf } from '../run-process.ts';
import type { World } from '../world.ts';

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
