import { UsageError } from '../core/errors.ts';
import type { InventoryHost } from '../core/inventory.ts';
import { loadInventory } from '../inventory/load.ts';
import { matchHosts } from '../util/patterns.ts';
import type { World } from './world.ts';

/**
 * Hosts that a command names: by pattern in an inventory, or, without one, as `[user@]host[:port]`.
 * @throws UsageError when nothing is named; PlaybookError for a broken inventory
 */
export function selectHosts(
  world: World,
  inventory: string | undefined,
  words: readonly string[],
): InventoryHost[] {
  const source = inventory ?? world.env['RUNNER_INVENTORY'];
  if (source !== undefined) {
    const { hosts, groups } = loadInventory(source, world.vault);
    const chosen =
      words.length === 0
        ? [...hosts.keys()]
        : matchHosts(words.join(','), [...hosts.keys()], groups);
    return chosen.flatMap((name) => hosts.get(name) ?? []);
  }
  if (words.length === 0)
    throw new UsageError('Which hosts? Name them, or an inventory with --inventory.');
  return [...loadInventory(`${words.join(',')},`).hosts.values()];
}
