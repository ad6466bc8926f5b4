import { describeProblem, UsageError } from '../core/errors.ts';
import type { Inventory, InventoryHost } from '../core/inventory.ts';
import { loadInventory, type InventoryOptions } from '../inventory/load.ts';
import { matchHosts } from '../util/patterns.ts';
import { printMessage } from './fail.ts';
import { withLogin, type ConnectFlags } from './flags/connect.ts';
import { once } from './flags/words.ts';
import type { World } from './world.ts';

interface SelectionFlags extends ConnectFlags {
  inventory?: string;
}

/** The inventory option of commands that also read the environment variable. */
export const inventoryOption = [
  '-i, --inventory <FILE>',
  'inventory file or directory (or environment variable RUNNER_INVENTORY)',
  once,
] as const;

/** The inventory from the option or the environment variable. */
export function namedInventory(world: World, flags: SelectionFlags): Inventory | undefined {
  const source = flags.inventory ?? world.env['RUNNER_INVENTORY'];
  if (source === undefined) return undefined;
  return withLogin(readInventory(world, source), flags);
}

/**
 * Reads an inventory, prints notes about ignored settings, and masks its passwords in output and
 * journals.
 */
export function readInventory(
  world: World,
  source: string,
  { varsDirectories = [], given }: Pick<InventoryOptions, 'varsDirectories' | 'given'> = {},
): Inventory {
  const { vault, env: environment, redactor } = world;
  const inventory = loadInventory(source, { vault, varsDirectories, environment, given });
  for (const [host, own] of inventory.passwords?.hosts ?? []) {
    const { login, become } = own;
    world.passwords.set(host, own);
    if (login !== undefined) redactor.hide(`login password of ${host}`, login);
    if (become !== undefined) redactor.hide(`become password of ${host}`, become);
  }
  const printed = printedNotes.get(world) ?? new Set<string>();
  printedNotes.set(world, printed);
  for (const text of (inventory.notes ?? []).map(describeProblem)) {
    if (!printed.has(text)) printMessage(world, `note: ${text}`);
    printed.add(text);
  }
  return inventory;
}

/** Each note is printed once, although "validate" reads the inventory again for each playbook. */
const printedNotes = new WeakMap<World, Set<string>>();

/**
 * @throws UsageError if runner cannot manage one of the hosts, for example because it does not use
 * SSH
 */
export function refuseUnmanageable(hosts: Iterable<InventoryHost>, who = ''): void {
  for (const { name, address } of hosts)
    if (address.unmanageable !== undefined)
      throw new UsageError(
        `${who}"${name}" cannot be managed: ${address.unmanageable.replace(/\.$/, '')}.`,
        { hint: `Exclude the host, for example with --limit 'all:!${name}'.` },
      );
}

/**
 * The hosts that match the patterns of a command. Without an inventory, each pattern is
 * `[user@]host[:port]`.
 * @throws UsageError if there are no patterns and no inventory; PlaybookError for an invalid
 * inventory
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
    throw new UsageError('No hosts were given.', { hint: 'Name hosts, or use --inventory FILE.' });
  return [...withLogin(loadInventory(`${words.join(',')},`), flags).hosts.values()];
}
