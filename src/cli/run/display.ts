import type { Display } from '../../output/display.ts';
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
