import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import type { Inventory, InventoryHost } from '../core/inventory.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { PlaybookError, UsageError, type Problem } from '../core/errors.ts';
import { MapReader } from '../playbook/reader.ts';
import { readYaml, SourceMap } from '../playbook/yaml.ts';
import { clusterTool, fromCluster } from './clusters.ts';
import { GroupTree, keyFile } from './groups.ts';
import { expandRange, looksLikeIni, parseIni } from './ini.ts';
import { fromScript } from './script.ts';
import type { Vault } from '../util/vault.ts';

/**
 * Hosts from a file (mkectl's `hosts.yaml`, Ansible's YAML or INI, a k0sctl.yaml, launchpad.yaml or mke4.yaml), from a
 * program that prints JSON, or from a list such as "a,b,".
 * @param vault opens values that are encrypted
 * @throws PlaybookError with every problem of the file
 */
export function loadInventory(source: string, vault?: Vault): Inventory {
  if (!existsSync(source) && source.includes(',')) return fromList(source);
  if (!existsSync(source) || !statSync(source).isFile()) {
    throw new UsageError(`There is no inventory file "${source}".`, {
      hint: 'Name a hosts.yaml, or give hosts with a comma: "a,b,".',
    });
  }
  const problems: Problem[] = [];
  const map = new SourceMap(vault);
  const file = resolve(source);
  const beside = [dirname(file)];
  if (isProgram(file)) return fromScript(file).build(file, beside, map);
  const text = readFileSync(file, 'utf8');
  const isYaml = ['.yml', '.yaml', '.json'].includes(extname(file));
  if (!isYaml && (extname(file) === '.ini' || looksLikeIni(text))) {
    const tree = parseIni(text, file, problems);
    if (problems.length > 0) throw new PlaybookError(problems);
    return notEmpty(tree.build(file, beside, map));
  }
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
  const document = value as JsonObject;
  if (clusterTool(document)) return notEmpty(fromCluster(document, file));
  const reader = new MapReader(document, map, problems);
  const inventory = Array.isArray(document['hosts'])
    ? fromMkectl(reader, file)
    : fromAnsible(reader, file);
  if (problems.length > 0) throw new PlaybookError(problems);
  return notEmpty(inventory);
}

function notEmpty(inventory: Inventory): Inventory {
  if (inventory.hosts.size > 0) return inventory;
  const at = { file: inventory.file, line: 1, column: 1 };
  throw new PlaybookError([{ message: 'The inventory names no hosts.', at }]);
}

/** A data file that somebody made executable by accident is still data. */
function isProgram(file: string): boolean {
  if (['.yml', '.yaml', '.json', '.ini'].includes(extname(file))) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
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

function pruned(values: Record<string, string | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** `all: {hosts, children, vars}`, or groups at the top. */
function fromAnsible(reader: MapReader, file: string): Inventory {
  const tree = new GroupTree();
  const visit = (name: string, value: JsonValue | undefined): void => {
    const body = new MapReader(isJsonObject(value) ? value : {}, reader.map, reader.problems);
    Object.assign(tree.group(name).vars, body.object('vars'));
    for (const [pattern, vars] of Object.entries(body.object('hosts') ?? {})) {
      const hosts = expandRange(pattern);
      if (!hosts) body.problem('hosts', `"${pattern}" has a range that cannot be understood.`);
      for (const host of hosts ?? []) tree.addHost(name, host, isJsonObject(vars) ? vars : {});
    }
    for (const [child, childValue] of Object.entries(body.object('children') ?? {})) {
      tree.addChild(name, child);
      visit(child, childValue);
    }
    if (isJsonObject(value)) body.close(`group "${name}"`);
  };
  for (const [name, value] of Object.entries(reader.source)) visit(name, value);
  if (reader.problems.length > 0) throw new PlaybookError(reader.problems);
  return tree.build(file, [dirname(file)], reader.map);
}
