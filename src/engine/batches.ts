import { Template } from '../core/value.ts';
import { PlaybookError, RunnerError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { HostOrder, Play } from '../language/document.ts';
import { hostsOf, type Knowledge } from './knowledge.ts';

/**
 * The hosts that a play runs on, in the order of the play. Hosts that failed before and were
 * tolerated are left out.
 *
 * @throws PlaybookError when no host matches and the play does not set `allow_empty`
 */
export function playHosts(
  play: Pick<Play, 'hosts' | 'order' | 'allowEmpty' | 'at'>,
  knowledge: Knowledge,
  { limit, check }: { limit: string | undefined; check: boolean },
): string[] {
  const { hosts: pattern, order, allowEmpty, at } = play;
  let matched: string[];
  try {
    matched = inOrder(hostsOf(knowledge, pattern, limit), order);
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    // In check mode, no step created the group.
    if (allowEmpty || (check && !knowledge.groups.has(pattern))) return [];
    throw new PlaybookError([{ message: error.message, at, hint: error.hint }]);
  }
  if (matched.length > 0 || allowEmpty || limit !== undefined)
    return matched.filter((host) => !knowledge.tolerated.has(host));
  const hint = 'Add "allow_empty: true" to the play to allow this.';
  throw new PlaybookError([{ message: `No host matches "${pattern}".`, at, hint }]);
}

/** Hosts that match a play but are left out, because they failed before and were tolerated. */
export function leftOf(
  { hosts }: Pick<Play, 'hosts'>,
  knowledge: Knowledge,
  limit: string | undefined,
): string[] {
  return hostsOf(knowledge, hosts, limit).filter((host) => knowledge.tolerated.has(host));
}

/**
 * Splits the hosts of a play into batches according to `serial`.
 *
 * @param render renders a size that is a template
 * @throws PlaybookError when a size is neither a number nor a percentage
 */
export function batchesOf(
  { serial, at }: Pick<Play, 'serial' | 'at'>,
  hosts: readonly string[],
  render: (size: Template) => JsonValue,
): string[][] {
  if (hosts.length === 0) return [];
  if (serial.length === 0) return [[...hosts]];
  const sizes = serial.map((size) => {
    const text = String(size instanceof Template ? render(size) : size);
    const count = text.endsWith('%') ? share(hosts.length, text) : Number(text);
    if (Number.isInteger(count) && count >= 0) return Math.max(1, count);
    throw new PlaybookError([
      { message: `"serial" must be a number of hosts or a percentage, not ${text}.`, at },
    ]);
  });
  const batches: string[][] = [];
  for (let start = 0; start < hosts.length;) {
    const size = sizes[Math.min(batches.length, sizes.length - 1)] ?? hosts.length;
    batches.push(hosts.slice(start, start + size));
    start += size;
  }
  return batches;
}

/** Number of hosts of a batch that may fail. */
export function mostFailures({ maxFailures }: Pick<Play, 'maxFailures'>, batch: number): number {
  const most = typeof maxFailures === 'number' ? maxFailures : share(batch, maxFailures);
  // If all hosts fail, the cause is not a single host.
  return Math.min(most, batch - 1);
}

export function inOrder(hosts: readonly string[], order: HostOrder): string[] {
  const sorted = order.endsWith('sorted')
    ? hosts.toSorted((a, b) => a.localeCompare(b))
    : [...hosts];
  return order.startsWith('reverse') ? sorted.reverse() : sorted;
}

function share(count: number, percentage: string): number {
  return Math.floor((count * Number(percentage.slice(0, -1))) / 100);
}
