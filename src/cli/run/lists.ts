import { UsageError } from '../../core/errors.ts';
import type { Inventory } from '../../core/inventory.ts';
import { playTasks, type Play, type Playbook } from '../../language/document.ts';
import { describeChange, listedSteps } from '../../output/step-list.ts';
import { matchHosts } from '../../util/patterns.ts';

/** `--list-tasks`: the IDs of plays, steps and handlers. */
export function taskLines({ plays, changes }: Playbook): string[] {
  const lines = plays.flatMap((play) => listedSteps(play));
  return [...changes.map((change) => `# ${describeChange(change)}`), ...lines];
}

/** `--list-tags`: one line per play. */
export function tagLines({ plays }: Playbook): string[] {
  return plays.map((play) => {
    const tags = [...new Set(playTasks(play).flatMap((task) => task.tags))].sort();
    return `${play.id}: ${tags.join(', ') || '(none)'}`;
  });
}

/**
 * `--list-hosts`: one line per play, with its hosts before the run. Steps may add hosts to groups.
 */
export function hostLines(
  { plays }: Playbook,
  inventory: Inventory,
  limit: string | undefined,
): string[] {
  return plays.map((play) => {
    const names = hostsOfPlay(play, inventory, limit);
    const shown = names === undefined ? 'known only during the run' : names.join(', ');
    return `${play.id} (${play.hosts}): ${shown || '(none)'}`;
  });
}

/**
 * The hosts of a play before the run. Undefined if its pattern names a group that an earlier play
 * creates.
 */
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
