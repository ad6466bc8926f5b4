import { UsageError } from '../../core/errors.ts';
import type { Playbook } from '../../language/document.ts';
import { Selection } from '../../engine/select.ts';
import { pointsOfNoReturn } from '../../playbook/no-return.ts';
import { quote } from '../../util/shell.ts';
import { didYouMean } from '../../util/text.ts';
import type { ConsentFlags } from '../flags/consent.ts';
import { canAsk, confirm } from '../operator.ts';
import type { RunSettings } from '../../engine/settings.ts';
import type { World } from '../world.ts';

/**
 * Names of the points of no return that the operator has accepted: earlier in the run, on the
 * command line, or in a prompt. Points that `--tags`, `--skip-tags` or `--from` leave out need no
 * consent. Check mode passes all points.
 * @throws UsageError if one is not accepted
 */
export async function acceptedPoints(
  world: World,
  playbook: Playbook,
  {
    options,
    chosen = { tags: [], skipTags: [], leftOut: [] },
    check = false,
    before = [],
  }: {
    options: ConsentFlags;
    chosen?: Pick<RunSettings, 'tags' | 'skipTags' | 'leftOut'>;
    check?: boolean;
    before?: readonly string[];
  },
): Promise<string[]> {
  const points = pointsOfNoReturn(playbook);
  const given = options.acceptIrreversible ?? [];
  const names = points.map(({ name }) => name);
  for (const name of given) checkName(name, names);
  if (check) return names;
  const accepted = [...before, ...given];
  const selection = new Selection(chosen);
  for (const { name, reason, node } of points) {
    if (accepted.includes(name) || !selection.has(node)) continue;
    const question = `"${name}" is a point of no return: ${reason}. Pass it when all earlier steps are done?`;
    if (!canAsk(world) || !(await confirm(world, question))) {
      throw new UsageError(
        `This playbook has a point of no return, "${name}": ${reason}. No host was contacted.`,
        { hint: `To accept it, add --accept-irreversible ${quote(name)}.` },
      );
    }
    accepted.push(name);
  }
  return accepted;
}

function checkName(name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw new UsageError(`This playbook has no point of no return named "${name}".`, {
    hint:
      didYouMean(name, names) ||
      (names.length > 0 ? `Use one of ${names.join(', ')}.` : 'Remove --accept-irreversible.'),
  });
}
