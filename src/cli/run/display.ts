import type { Log } from '../../journal/log.ts';
import { readerFor, type Display } from '../../output/display.ts';
import { outputForm } from '../flags/run.ts';
import { createDisplay, type World } from '../world.ts';
import type { PreparedRun } from './prepare.ts';

export function displayOf(
  world: World,
  { options, settings, mode }: PreparedRun,
): Promise<Display> {
  return createDisplay(world, {
    output: outputForm(options),
    diff: settings.diff,
    undo: mode === 'plan',
    verbose: options.verbose === true,
  });
}

/** Lets a display follow a run. It ends with its output, and a fault of the display ends the output. */
export function follow(
  { stdout, redactor }: Pick<World, 'stdout' | 'redactor'>,
  log: Log,
  display: Display,
): void {
  const read = readerFor(display, redactor);
  log.subscribe(
    (entry, state) => {
      if (!stdout.lost) read(entry, state);
    },
    (error) => {
      stdout.fail(error);
    },
  );
}
