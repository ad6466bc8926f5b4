import type { RunEvent } from '../../core/events.ts';
import type { EngineContext } from '../../engine/context.ts';
import type { Playbook } from '../../language/document.ts';
import { describeChange } from '../../output/step-list.ts';
import { outputForm } from '../flags/run.ts';
import { createDisplay, type World } from '../world.ts';
import type { PreparedRun } from './prepare.ts';

export function displayOf(
  world: World,
  { options, settings, mode }: PreparedRun,
): ReturnType<typeof createDisplay> {
  return createDisplay(world, {
    output: outputForm(options),
    diff: settings.diff,
    undo: mode === 'plan',
    verbose: options.verbose === true,
  });
}

/** The event that opens a run. */
export function startOf(
  { name, changes }: Playbook,
  { settings, inventory }: Pick<EngineContext, 'settings' | 'inventory'>,
): RunEvent {
  return {
    type: 'run-start',
    run: settings.run,
    playbook: name,
    check: settings.check,
    hosts: [...inventory.hosts.keys()],
    changes: changes.map(describeChange),
  };
}
