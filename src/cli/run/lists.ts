import { UsageError } from '../../core/errors.ts';
import type { Inventory } from '../../core/inventory.ts';
import { playTasks, type Play, type Playbook } from '../../language/document.ts';
import { describeChange, listedSteps } from '../../output/step-list.ts';
import { matchHosts } from '../../util/patterns.ts';

/** `--list-tasks`: the plays, steps and handlers with their ids. */
export function taskLines({ plays, changes }: Playbook): string[] {
  const lines = plays.flatMap((play) => listedSteps(play));
  return [...changes.map((change) => `# ${describeChange(change)}`), ...lines];
}

/** `--list-tags`: one line a play. */
export function tagLines({ plays }: Playbook): string[] {
  return plays.map((play) => {
    const tags = [...new Set(playTasks(play).flatMap((task) => task.tags))].sort();
    return `${play.id}: ${tags.join(', ') || '(none)'}`;
  });
}

/** `--list-hosts`: one line a play, as its hosts are before the run; a step may put hosts into further groups. */
export function hostLines(
  { plays }: Playbook,
  inventory: Inventory,
  limit: string | undefined,
): string[] {
  return plays.map((play) => {
    const names = hostsOfPlay(play, inventory, limit);
    const shown = names === undefined ? 'known when the run gets there' : names.join(', ');
    return `${play.id} (${play.hosts}): ${shown || '(none)'}`;
  });
}

/** The hosts of a play before the run; undefined where it names a group that a step of an earlier play makes. */
export function hostsOfPlay(
  { hosts: pattern }: Pick<Play, 'hosts'>,
  { hosts, groups }: Inventory,
  limit: string | undefined,
): string[] | undefined {
  const names = [...hosts.keys()];
  const allowed = limit === undefined ? names : matchHosts(limit, names, groups);
  try {
    const matched = matchHosts(pattern, names, groups);
    return matched.filter((name) => allowed.includes(name) || name === 'localhost');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return undefined;
  }
}
