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

/**
 * Shows a run on a display until the output is lost. An error in the display ends the output, but
 * not the run.
 */
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
