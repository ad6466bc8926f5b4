import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import type { Inventory, InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { PlaybookError, UsageError, type Problem } from '../core/errors.ts';
import { MapReader } from '../playbook/reader.ts';
import { readYaml, SourceMap } from '../playbook/yaml.ts';
import { expandHome } from '../util/paths.ts';

/**
 * Hosts from a file (mkectl's `hosts.yaml`, or Ansible's YAML), or from a list such as "a,b,".
 * @throws PlaybookError with every problem of the file
 */
export function loadInventory(source: string): Inventory {
  if (!existsSync(source) && source.includes(',')) return fromList(source);
  if (!existsSync(source) || !statSync(source).isFile()) {
    throw new UsageError(`There is no inventory file "${source}".`, {
      hint: 'Name a hosts.yaml, or give hosts with a comma: "a,b,".',
    });
  }
  const problems: Problem[] = [];
  const map = new SourceMap();
  const file = resolve(source);
  const { value } = readYaml(file, problems, map);
  if (problems.length > 0) throw new PlaybookError(problems);
  const at = { file, line: 1, column: 1 };
  if (!isJsonObject(value ?? undefined)) {
    throw new PlaybookError([
      {
        message: 'An inventory is a map with "hosts" (as for mkectl) or "all" (as for Ansible).',
        at,
      },
    ]);
  }
  const reader = new MapReader(value as JsonObject, map, problems);
  const inventory = Array.isArray(reader.source['hosts'])
    ? fromMkectl(reader, file)
    : fromAnsible(reader, file);
  if (inventory.hosts.size === 0 && problems.length === 0)
    problems.push({ message: 'The inventory names no hosts.', at });
  if (problems.length > 0) throw new PlaybookError(problems);
  return inventory;
}

function fromList(source: string): Inventory {
  const hosts = new Map<string, InventoryHost>();
  for (const word of source.split(',').filter((one) => one.trim() !== '')) {
    const name = word.trim();
    hosts.set(name, { name, address: parseAddress(name), vars: {} });
  }
  return { file: '', hosts, groups: new Map([['all', [...hosts.keys()]]]) };
}

/** `user@host:port`, `[::1]:22`, or just a name. */
function parseAddress(text: string): HostAddress {
  const parts =
    /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|[0-9a-fA-F:]*::?[0-9a-fA-F:]*))(?::(\d+))?$/.exec(text);
  const [, user, bracketed, plain, port] = parts ?? [];
  return {
    name: text,
    transport: 'ssh',
    address: bracketed ?? plain ?? text,
    port: port === undefined ? undefined : Number(port),
    user,
    keyPath: undefined,
  };
}

/** `hosts: [{address, port, user, keyPath}]`; relative key paths count from the file. */
function fromMkectl(reader: MapReader, file: string): Inventory {
  const hosts = new Map<string, InventoryHost>();
  const list = reader.list('hosts') ?? [];
  for (const item of list) {
    if (!isJsonObject(item)) {
      reader.problem('hosts', 'A host must be a map with "address".');
      continue;
    }
    const entry = new MapReader(item, reader.map, reader.problems);
    // Later versions of mkectl keep the connection in "ssh".
    const ssh = entry.reader('ssh');
    const from = ssh ?? entry;
    const address = from.string('address');
    const port = from.number('port');
    const user = from.string('user');
    const keyPath = from.string('keyPath');
    const role = entry.string('role');
    const privateAddress = entry.string('privateAddress');
    const privateInterface = entry.string('privateInterface');
    ssh?.close('"ssh"');
    entry.close('a host');
    if (address === undefined) {
      entry.problem('address', 'A host needs "address".');
      continue;
    }
    const name = hosts.has(address) ? `${address}:${String(port ?? 22)}` : address;
    if (hosts.has(name)) {
      entry.problem('address', `Host "${name}" is listed twice.`);
      continue;
    }
    hosts.set(name, {
      name,
      address: { name, transport: 'ssh', address, port, user, keyPath: keyFile(keyPath, file) },
      vars: pruned({ role, private_address: privateAddress, private_interface: privateInterface }),
    });
  }
  reader.close('the hosts file');
  return { file, hosts, groups: new Map([['all', [...hosts.keys()]]]) };
}

function keyFile(path: string | undefined, file: string): string | undefined {
  if (path === undefined) return undefined;
  const expanded = expandHome(path);
  return isAbsolute(expanded) ? expanded : resolve(dirname(file), expanded);
}

function pruned(values: Record<string, string | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

interface Group {
  hosts: string[];
  children: string[];
  vars: JsonObject;
  depth: number;
}

/** `all: {hosts, children, vars}`, or groups at the top. Deeper groups' variables win, then the host's own. */
function fromAnsible(reader: MapReader, file: string): Inventory {
  const groups = new Map<string, Group>();
  const own = new Map<string, JsonObject>();
  const visit = (name: string, value: JsonValue | undefined, depth: number): void => {
    const body = new MapReader(isJsonObject(value) ? value : {}, reader.map, reader.problems);
    const group = groups.get(name) ?? { hosts: [], children: [], vars: {}, depth };
    group.depth = Math.max(group.depth, depth);
    groups.set(name, group);
    Object.assign(group.vars, body.object('vars'));
    for (const [host, vars] of Object.entries(body.object('hosts') ?? {})) {
      if (!group.hosts.includes(host)) group.hosts.push(host);
      own.set(host, { ...own.get(host), ...(isJsonObject(vars) ? vars : {}) });
    }
    for (const [child, childValue] of Object.entries(body.object('children') ?? {})) {
      if (!group.children.includes(child)) group.children.push(child);
      visit(child, childValue, depth + 1);
    }
    if (isJsonObject(value)) body.close(`group "${name}"`);
  };
  for (const [name, value] of Object.entries(reader.source))
    visit(name, value, name === 'all' ? 0 : 1);
  const membersOf = (name: string): string[] => {
    const group = groups.get(name);
    return group ? [...new Set([...group.hosts, ...group.children.flatMap(membersOf)])] : [];
  };
  const members = new Map([...groups.keys()].map((name) => [name, membersOf(name)]));
  const hosts = new Map<string, InventoryHost>();
  for (const name of new Set([...members.values()].flat())) {
    const above = [...groups]
      .filter(([group]) => group === 'all' || members.get(group)?.includes(name))
      .sort(([, a], [, b]) => a.depth - b.depth);
    const vars = Object.assign(
      {},
      ...above.map(([, group]) => group.vars),
      own.get(name),
    ) as JsonObject;
    hosts.set(name, { name, address: addressFromVars(name, vars, file), vars });
  }
  members.set('all', [...hosts.keys()]);
  return { file, hosts, groups: members };
}

function addressFromVars(name: string, vars: JsonObject, file: string): HostAddress {
  const text = (...keys: string[]): string | undefined => {
    const value = keys.map((key) => vars[key]).find((one) => one !== undefined && one !== null);
    return value === undefined ? undefined : String(value);
  };
  const connection = text('ansible_connection', 'connection');
  const port = text('ansible_port', 'port');
  return {
    name,
    transport: connection === 'local' || connection === 'openssh' ? connection : 'ssh',
    address: text('ansible_host', 'address') ?? name,
    port: port === undefined ? undefined : Number(port),
    user: text('ansible_user', 'user'),
    keyPath: keyFile(text('ansible_ssh_private_key_file', 'keyPath'), file),
  };
}
