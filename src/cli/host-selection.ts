import { UsageError } from '../core/errors.ts';
import type { Inventory, InventoryHost } from '../core/inventory.ts';
import { loadInventory } from '../inventory/load.ts';
import { matchHosts } from '../util/patterns.ts';
import { withLogin, type ConnectFlags } from './flags/connect.ts';
import type { World } from './world.ts';

interface SelectionFlags extends ConnectFlags {
  inventory?: string;
}

/** The option of commands that also take the inventory of the environment. */
export const inventoryOption = [
  '-i, --inventory <FILE>',
  'hosts file (or environment variable RUNNER_INVENTORY)',
] as const;

/** The inventory that a command names, or the environment. */
export function namedInventory(world: World, flags: SelectionFlags): Inventory | undefined {
  const source = flags.inventory ?? world.env['RUNNER_INVENTORY'];
  if (source === undefined) return undefined;
  return withLogin(loadInventory(source, { vault: world.vault }), flags);
}

/**
 * Hosts that a command names: by pattern in an inventory, or, without one, as `[user@]host[:port]`.
 * @throws UsageError when nothing is named; PlaybookError for a broken inventory
 */
export function selectHosts(
  world: World,
  flags: SelectionFlags,
  words: readonly string[],
): InventoryHost[] {
  const inventory = namedInventory(world, flags);
  if (inventory) {
    const { hosts, groups } = inventory;
    const chosen =
      words.length === 0
        ? [...hosts.keys()]
        : matchHosts(words.join(','), [...hosts.keys()], groups);
    return chosen.flatMap((name) => hosts.get(name) ?? []);
  }
  if (words.length === 0)
    throw new UsageError('Which hosts? Name them, or an inventory with --inventory.');
  return [...withLogin(loadInventory(`${words.join(',')},`), flags).hosts.values()];
}
