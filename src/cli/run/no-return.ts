import { UsageError } from '../../core/errors.ts';
import { pointsOfNoReturn } from '../../playbook/no-return.ts';
import { didYouMean } from '../../util/text.ts';
import { canAsk, confirm } from '../operator.ts';
import type { World } from '../world.ts';
import type { RunRequest } from './request.ts';

/**
 * Names of the points of no return that the operator agrees to: on the command line, or when asked. A check run passes
 * all of them.
 * @throws UsageError when one is not agreed to
 */
export async function acceptedPoints(
  world: World,
  { playbook, options, check }: RunRequest,
): Promise<string[]> {
  const points = pointsOfNoReturn(playbook);
  const accepted = options.acceptIrreversible ?? [];
  const names = points.map(({ name }) => name);
  for (const name of accepted) checkName(name, names);
  if (check) return names;
  for (const { name, reason } of points) {
    if (accepted.includes(name)) continue;
    const question = `"${name}" is a point of no return: ${reason}. Go behind it when all before it is done?`;
    if (!canAsk(world) || !(await confirm(world, question))) {
      throw new UsageError(
        `This playbook has a point of no return, "${name}": ${reason}. Nothing was contacted.`,
        { hint: `Agree to it with --accept-irreversible ${name}.` },
      );
    }
    accepted.push(name);
  }
  return accepted;
}

function checkName(name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new UsageError(`"${name}" is no point of no return of this playbook.`, {
    hint:
      didYouMean(name, names) ||
      (names.length > 0 ? `There is: ${names.join(', ')}.` : 'It has none.'),
  });
}
