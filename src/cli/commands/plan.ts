import { checkRun } from '../run/check-run.ts';
import { prepareAnd } from '../run/prepare.ts';
import type { World } from '../world.ts';

/** `runner plan PLAYBOOK …`: what a run would change, and how it would be undone. */
export function planCommand(world: World, argv: string[]): Promise<number> {
  return prepareAnd(world, ['plan', argv], (run) => checkRun(world, run));
}
