import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import { fieldsAsWritten, isSourceObject, type Source, type SourceObject } from '../core/value.ts';
import { PlaybookError, UsageError, type Problem } from '../core/errors.ts';
import { clusterTool, fromCluster } from './clusters.ts';
import { GroupTree, placesIn } from './groups.ts';
import { keyFile } from '../util/host-address.ts';
import { expandRange, looksLikeIni, parseIni, rangeProblem } from './ini.ts';
import { fromScript } from './script.ts';
import { localFiles } from '../util/local-files.ts';
import type { Vault } from '../util/vault.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { readYaml } from '../yaml/yaml.ts';

export interface InventoryOptions {
  /** Opens values that are encrypted. */
  vault?: Vault | undefined;
  /** Folders with `group_vars` and `host_vars`, besides that of the file: the playbook's. */
  varsFolders?: readonly string[];
}

/**
 * Hosts from a file (mkectl's `hosts.yaml`, Ansible's YAML or INI, a k0sctl.yaml, launchpad.yaml or mke4.yaml), from a
 * program that prints JSON, from a folder of these, or from a list such as "a,b,".
 * @throws PlaybookError with every problem of the files
 */
export function loadInventory(
  source: string,
  { vault, varsFolders = [] }: InventoryOptions = {},
): Inventory {
  const problems: Problem[] = [];
  const tree = new GroupTree();
  const reading: Reading = { tree, problems, map: new SourceMap(vault) };
  const isList = !existsSync(source) && source.includes(',');
  if (!isList && !existsSync(source)) {
    throw new UsageError(`There is no inventory file "${source}".`, {
      hint: 'Name a hosts.yaml, or give hosts with a comma: "a,b,".',
    });
  }
  const path = isList ? '' : resolve(source);
  const isFolder = !isList && statSync(path).isDirectory();
  const files = isFolder ? sourcesIn(path) : [path];
  if (isList) fromList(source, tree);
  else for (const file of files) readSource(file, reading);
  if (problems.length > 0) throw new PlaybookError(problems);
  const beside = isList ? [] : [isFolder ? path : dirname(path)];
  const folders = [...new Set([...beside, ...varsFolders])];
  const file = isFolder ? (files[0] ?? path) : path;
  const inventory = tree.build(file, folders, reading.map);
  return isList ? inventory : notEmpty(inventory);
}

interface Reading {
  tree: GroupTree;
  problems: Problem[];
  map: SourceMap;
}

/** Files of a folder that are inventories, in the order of their names. */
function sourcesIn(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|~$|\.(bak|orig|retry|swp|md|txt)$/.test(entry.name))
    .map(({ name }) => join(folder, name));
  if (files.length > 0) return files.sort();
  throw new UsageError(`There is no inventory in the folder "${folder}".`);
}

function readSource(file: string, { tree, problems, map }: Reading): void {
  if (isProgram(file)) {
    fromScript(file, tree);
    return;
  }
  const text = readFileSync(file, 'utf8');
  const isYaml = ['.yml', '.yaml', '.json'].includes(extname(file));
  if (!isYaml && (extname(file) === '.ini' || looksLikeIni(text))) {
    parseIni(text, file, { problems, tree });
    return;
  }
  const before = problems.length;
  const value = readYaml(file, { files: localFiles, problems, map });
  if (problems.length > before) return;
  const at = { file, line: 1, column: 1 };
  if (!isSourceObject(value)) {
    const message = 'An inventory is a map with "hosts" (as for mkectl) or "all" (as for Ansible).';
    problems.push({ message, at });
    return;
  }
  const document = value;
  const written = fieldsAsWritten(document);
  if (clusterTool(written)) {
    fromCluster(written, file, tree);
    return;
  }
  const reader = new MapReader(document, map, problems);
  if (Array.isArray(document['hosts'])) fromMkectl(reader, file, tree);
  else fromAnsible(reader, tree);
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

function fromList(source: string, tree: GroupTree): void {
  tree.group('all');
  for (const word of source.split(',').filter((one) => one.trim() !== '')) {
    const name = word.trim();
    tree.addHost('all', name);
    tree.setAddress(name, parseAddress(name));
  }
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
function fromMkectl(reader: MapReader, file: string, tree: GroupTree): void {
  const list = reader.list('hosts') ?? [];
  for (const item of list) {
    if (!isSourceObject(item)) {
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
    const name = tree.hasHost(address) ? `${address}:${String(port ?? 22)}` : address;
    if (tree.hasHost(name)) {
      entry.problem('address', `Host "${name}" is listed twice.`);
      continue;
    }
    const vars = { role, private_address: privateAddress, private_interface: privateInterface };
    tree.addHost('all', name, pruned(vars));
    const key = keyFile(keyPath, file);
    tree.setAddress(name, { name, transport: 'ssh', address, port, user, keyPath: key });
  }
  reader.close('the hosts file');
}

function pruned(values: Record<string, string | undefined>): SourceObject {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** `all: {hosts, children, vars}`, or groups at the top. */
function fromAnsible(reader: MapReader, tree: GroupTree): void {
  const visit = (name: string, value: Source | undefined): void => {
    const body = new MapReader(isSourceObject(value) ? value : {}, reader.map, reader.problems);
    const own = body.object('vars') ?? {};
    tree.setGroupVars(name, own, placesIn(own, reader.map));
    for (const [pattern, vars] of Object.entries(body.object('hosts') ?? {})) {
      const hosts = expandRange(pattern);
      if (!hosts) body.problem('hosts', rangeProblem(pattern));
      for (const host of hosts ?? []) {
        const set = isSourceObject(vars) ? vars : {};
        tree.addHost(name, host, set, placesIn(set, reader.map));
      }
    }
    for (const [child, childValue] of Object.entries(body.object('children') ?? {})) {
      tree.addChild(name, child);
      visit(child, childValue);
    }
    if (isSourceObject(value)) body.close(`group "${name}"`);
  };
  for (const [name, value] of Object.entries(reader.source)) visit(name, value);
}
