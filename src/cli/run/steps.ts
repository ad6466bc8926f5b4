import { UsageError } from '../../core/errors.ts';
import { playIncludes, playTasks, type Playbook } from '../../language/document.ts';
import { stepsBeforeNoReturn } from '../../playbook/no-return.ts';
import { stepsBefore } from '../../playbook/from.ts';
import { didYouMean } from '../../util/text.ts';

/** IDs of the steps before the step of `--from`. @throws UsageError */
export function stepsLeftOut(playbook: Playbook, from: string | undefined): string[] {
  if (from === undefined) return [];
  const before = stepsBefore(playbook, from);
  if (before) return before;
  throw new UsageError(`There is no step "${from}" to start at.`, {
    hint: didYouMean(from, idsAndNames(playbook)) || 'List the steps with --list-tasks.',
  });
}

/** ID of the step of `--fail-at`. @throws UsageError */
export function failingStep(playbook: Playbook, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  const last = stepsBeforeNoReturn(playbook).at(-1)?.id;
  if (wanted === 'last' && last !== undefined) return last;
  const steps = playbook.plays.flatMap(playTasks);
  const step = steps.find(({ id }) => id === wanted) ?? steps.find(({ name }) => name === wanted);
  if (step) return step.id;
  const includes = playbook.plays.flatMap(playIncludes);
  if (includes.some(({ task }) => wanted.startsWith(`${task.id}/`))) return wanted;
  throw new UsageError(`There is no step "${wanted}".`, {
    hint: didYouMean(wanted, idsAndNames(playbook)) || 'List the steps with --list-tasks.',
  });
}

/** @throws UsageError for a tag that no task has */
export function checkTags({ plays }: Playbook, wanted: readonly string[]): void {
  const used = plays.flatMap(playTasks).flatMap((task) => task.tags);
  const known = [...new Set([...used, 'always', 'never', 'all', 'tagged', 'untagged'])];
  for (const tag of wanted) {
    if (!known.includes(tag))
      throw new UsageError(`No task has the tag "${tag}".`, {
        hint: didYouMean(tag, known) || `Tags: ${known.join(', ')}.`,
      });
  }
}

function idsAndNames({ plays }: Playbook): string[] {
  return plays.flatMap(playTasks).flatMap(({ id, name }) => [id, name]);
}
