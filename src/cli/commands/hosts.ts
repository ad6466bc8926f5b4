import { fieldsAsWritten, type SourceObject } from '../../core/value.ts';
import { exitCodes } from '../../core/states.ts';
import { UsageError } from '../../core/errors.ts';
import type { Inventory, InventoryHost } from '../../core/inventory.ts';
import type { HostAddress, JumpAddress } from '../../core/host.ts';
import type { JsonObject } from '../../core/json.ts';
import { matchHosts } from '../../util/patterns.ts';
import { quoteAll } from '../../util/shell.ts';
import { newCommand } from '../command.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { inventoryOption, namedInventory } from '../host-selection.ts';
import type { World } from '../world.ts';

interface HostsFlags {
  inventory?: string;
  graph?: boolean;
  vars?: boolean;
  json?: boolean;
}

/** `runner hosts [PATTERN]`: prints an inventory without contacting a host. */
export async function hostsCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner hosts')
    .description('Show the hosts of an inventory, their groups and variables.')
    .argument('[pattern]', 'hosts or groups', 'all')
    .option(...inventoryOption)
    .option('--graph', 'show the groups and their hosts')
    .option('--vars', 'also show variables')
    .option('--json', 'print everything as JSON, in the format of Ansible inventory scripts');
  addVaultOptions(command).parse(argv, { from: 'user' });
  await openVault(world, argv, { lenient: true });
  const flags = command.opts<HostsFlags>();
  const inventory = namedInventory(world, flags);
  if (!inventory)
    throw new UsageError('No inventory was given.', { hint: 'Use --inventory FILE.' });
  const names = matchHosts(command.args[0] ?? 'all', [...inventory.hosts.keys()], inventory.groups);
  const hosts = names.flatMap((name) => inventory.hosts.get(name) ?? []);
  const text = flags.json
    ? JSON.stringify(asProgram(inventory, hosts), undefined, 2)
    : flags.graph
      ? graph(inventory, hosts, flags.vars === true)
      : list(inventory, hosts, flags.vars === true);
  world.stdout.write(`${world.redactor.mask(text)}\n`);
  return exitCodes.done;
}

function groupsOf({ groups }: Inventory, name: string): string[] {
  return [...groups].filter(([, members]) => members.includes(name)).map(([group]) => group);
}

function list(inventory: Inventory, hosts: readonly InventoryHost[], vars: boolean): string {
  return hosts
    .flatMap(({ name, address, vars: values }) => {
      const user = address.user === undefined ? '' : `${address.user}@`;
      const port = address.port === undefined ? '' : `:${String(address.port)}`;
      const groups = groupsOf(inventory, name).filter((group) => group !== 'all');
      const where =
        address.transport === 'local'
          ? 'this machine'
          : `${user}${address.address}${port}${way(address)}`;
      const head = `${name}  ${where}${groups.length > 0 ? `  [${groups.join(', ')}]` : ''}`;
      return [head, ...(vars ? variableLines(values) : [])];
    })
    .join('\n');
}

/** The jump hosts to a host, or why runner cannot manage it. */
function way({ jumps = [], unmanageable }: HostAddress): string {
  if (unmanageable !== undefined) return `  cannot be managed: ${unmanageable}`;
  const names = jumps.flatMap(({ jumps: further = [], ...jump }) => [...further, jump]);
  return names.length === 0 ? '' : `  through ${names.map(({ name }) => name).join(', ')}`;
}

function graph({ groups }: Inventory, hosts: readonly InventoryHost[], vars: boolean): string {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  return [...groups]
    .flatMap(([group, members]) => [
      `${group}:`,
      ...members.flatMap((member) => {
        const host = byName.get(member);
        if (!host) return [];
        return [`  ${member}`, ...(vars ? variableLines(host.vars) : [])];
      }),
    ])
    .join('\n');
}

function variableLines(vars: SourceObject): string[] {
  return Object.entries(vars)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`);
}

/**
 * SSH options that come from another tool's file, and jump hosts as a ProxyCommand, as an Ansible
 * variable.
 */
function sshWords({ sshArgs = [], jumps = [] }: HostAddress, vars: SourceObject): JsonObject {
  const isSaid = Object.keys(vars).some((name) => /^ansible_ssh_.*args$/.test(name));
  const proxy = jumps.flatMap((jump) => ['-o', `ProxyCommand=${proxyCommand(jump)}`]);
  const words = [...(isSaid ? [] : sshArgs), ...proxy];
  return words.length === 0 ? {} : { ansible_ssh_common_args: quoteAll(words) };
}

function proxyCommand({ jumps = [], user, port, keyPath, address }: JumpAddress): string {
  const before = jumps.flatMap((one) => [
    '-o',
    `ProxyCommand=${proxyCommand(one).replaceAll('%', '%%')}`,
  ]);
  return quoteAll([
    'ssh',
    ...before,
    ...(keyPath === undefined ? [] : ['-i', keyPath]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['-W', '%h:%p', user === undefined ? address : `${user}@${address}`],
  ]);
}

/** The output of an Ansible inventory script for `--list`. */
function asProgram({ groups }: Inventory, hosts: readonly InventoryHost[]): JsonObject {
  const names = new Set(hosts.map(({ name }) => name));
  const hostvars = Object.fromEntries(
    hosts.map(({ name, address, vars }): [string, JsonObject] => [
      name,
      {
        ...fieldsAsWritten(vars),
        ansible_host: address.address,
        ...(address.keyPath === undefined ? {} : { ansible_ssh_private_key_file: address.keyPath }),
        ...sshWords(address, vars),
        ...(address.port === undefined ? {} : { ansible_port: address.port }),
        ...(address.user === undefined ? {} : { ansible_user: address.user }),
      },
    ]),
  );
  const listed = [...groups].map(([group, members]): [string, JsonObject] => [
    group,
    { hosts: members.filter((member) => names.has(member)) },
  ]);
  return { _meta: { hostvars }, ...Object.fromEntries(listed) };
}
