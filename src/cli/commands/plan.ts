import { checkRun } from '../run/check-run.ts';
import { prepareAnd } from '../run/prepare.ts';
import type { World } from '../world.ts';

/** `runner plan PLAYBOOK …`: shows the changes that a run would make, and their undo. */
export function planCommand(world: World, argv: string[]): Promise<number> {
  return prepareAnd(world, ['plan', argv], (run) => checkRun(world, run));
}
