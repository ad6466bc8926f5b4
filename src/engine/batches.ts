import { PlaybookError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { HostOrder, Play } from '../language/document.ts';

/**
 * The hosts of a play in batches, as `serial` says.
 *
 * @param render gives the value of a size that is a template
 * @throws PlaybookError when a size is no count and no percentage
 */
export function batchesOf(
  { serial, at }: Pick<Play, 'serial' | 'at'>,
  hosts: readonly string[],
  render: (size: string) => JsonValue,
): string[][] {
  if (hosts.length === 0) return [];
  if (serial.length === 0) return [[...hosts]];
  const sizes = serial.map((size) => {
    const text = String(typeof size === 'string' ? render(size) : size);
    const count = text.endsWith('%') ? share(hosts.length, text) : Number(text);
    if (Number.isInteger(count) && count >= 0) return Math.max(1, count);
    throw new PlaybookError([
      { message: `"serial" is ${text}, which is no count and no percentage.`, at },
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

/** Hosts of a batch that may fail. */
export function mostFailures({ maxFailures }: Pick<Play, 'maxFailures'>, batch: number): number {
  const most = typeof maxFailures === 'number' ? maxFailures : share(batch, maxFailures);
  // Where no host is left, the cause is not the hosts.
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
