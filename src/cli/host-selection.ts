import { describeProblem, UsageError } from '../core/errors.ts';
import type { Inventory, InventoryHost } from '../core/inventory.ts';
import { loadInventory, type InventoryOptions } from '../inventory/load.ts';
import { matchHosts } from '../util/patterns.ts';
import { tell } from './fail.ts';
import { withLogin, type ConnectFlags } from './flags/connect.ts';
import { once } from './flags/words.ts';
import type { World } from './world.ts';

interface SelectionFlags extends ConnectFlags {
  inventory?: string;
}

/** The option of commands that also take the inventory of the environment. */
export const inventoryOption = [
  '-i, --inventory <FILE>',
  'hosts file (or environment variable RUNNER_INVENTORY)',
  once,
] as const;

/** The inventory that a command names, or the environment. */
export function namedInventory(world: World, flags: SelectionFlags): Inventory | undefined {
  const source = flags.inventory ?? world.env['RUNNER_INVENTORY'];
  if (source === undefined) return undefined;
  return withLogin(readInventory(world, source), flags);
}

/** Reads hosts files, says what of them is not honoured, and hides their passwords from screens and records. */
export function readInventory(
  world: World,
  source: string,
  { varsFolders = [], given }: Pick<InventoryOptions, 'varsFolders' | 'given'> = {},
): Inventory {
  const { vault, env: environment, redactor } = world;
  const inventory = loadInventory(source, { vault, varsFolders, environment, given });
  for (const [host, own] of inventory.passwords?.hosts ?? []) {
    const { login, become } = own;
    world.passwords.set(host, own);
    if (login !== undefined) redactor.hide(`login password of ${host}`, login);
    if (become !== undefined) redactor.hide(`become password of ${host}`, become);
  }
  const said = saidNotes.get(world) ?? new Set<string>();
  saidNotes.set(world, said);
  for (const text of (inventory.notes ?? []).map(describeProblem)) {
    if (!said.has(text)) tell(world, `note: ${text}`);
    said.add(text);
  }
  return inventory;
}

/** "validate" reads the hosts again for each playbook. */
const saidNotes = new WeakMap<World, Set<string>>();

/** @throws UsageError when one of the hosts is not reached by SSH */
export function refuseUnmanageable(hosts: Iterable<InventoryHost>, who = ''): void {
  for (const { name, address } of hosts)
    if (address.unmanageable !== undefined)
      throw new UsageError(
        `${who}"${name}" cannot be managed: ${address.unmanageable.replace(/\.$/, '')}.`,
        { hint: `Leave it out, for example: --limit 'all:!${name}'.` },
      );
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
