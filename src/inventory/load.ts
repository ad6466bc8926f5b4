import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import type { HostAddress } from '../core/host.ts';
import type { Inventory } from '../core/inventory.ts';
import { isSourceObject, textOf, type Source, type SourceObject } from '../core/value.ts';
import { PlaybookError, UsageError, type Problem } from '../core/errors.ts';
import { ansibleCfgNote } from './ansible-cfg.ts';
import { clusterTool, fromCluster, fromHostList, type ClusterReading } from './clusters.ts';
import { placesIn, withoutConnections } from './group-layers.ts';
import { GroupTree } from './groups.ts';
import { hostsNamed, looksLikeIni, parseIni, rangeProblem } from './ini.ts';
import { fromScript } from './script.ts';
import { localFiles } from '../util/local-files.ts';
import type { Vault } from '../util/vault.ts';
import { MapReader } from '../yaml/map-reader.ts';
import { SourceMap } from '../yaml/source-map.ts';
import { olderNote, type OlderValue } from '../yaml/older.ts';
import { readYamlDocuments, type YamlDocument } from '../yaml/yaml.ts';

export interface InventoryOptions {
  /** Decrypts vault-encrypted values. */
  vault?: Vault | undefined;
  /** Directories with `group_vars` and `host_vars`, in addition to that of the inventory. */
  varsDirectories?: readonly string[];
  /**
   * Inputs and extra variables. They override connection variables and can be used in their
   * templates.
   */
  given?: SourceObject | undefined;
  /** Environment for `$VAR` in files of tools that substitute it. */
  environment?: NodeJS.ProcessEnv;
}

/**
 * Loads an inventory from a file (hosts.yaml of mkectl, YAML or INI of Ansible, k0sctl.yaml,
 * launchpad.yaml or mke4.yaml), from a program that prints JSON, from a directory of these, or from
 * a list such as "a,b,".
 * @throws PlaybookError with every problem of the files
 */
export function loadInventory(
  source: string,
  { vault, varsDirectories = [], environment = {}, given }: InventoryOptions = {},
): Inventory {
  const problems: Problem[] = [];
  const tree = new GroupTree();
  const reading: Reading = { tree, problems, map: new SourceMap(vault), environment };
  const isList = !existsSync(source) && source.includes(',');
  if (!isList && !existsSync(source)) {
    throw new UsageError(`There is no inventory file "${source}".`, {
      hint: 'Use the path of an inventory, or a list of hosts with a comma: "a,b,".',
    });
  }
  const path = isList ? '' : resolve(source);
  const isDirectory = !isList && statSync(path).isDirectory();
  const files = isDirectory ? sourcesIn(path) : [path];
  if (isList) fromList(source, tree);
  else for (const file of files) readSource(file, reading);
  if (problems.length > 0) throw new PlaybookError(problems);
  if (tree.isAnsible) tree.notes.push(...ansibleCfgNote(isDirectory ? join(path, 'hosts') : path));
  const beside = isList ? [] : [isDirectory ? path : dirname(path)];
  const directories = [...new Set([...beside, ...varsDirectories])];
  const file = isDirectory ? (files[0] ?? path) : path;
  const inventory = tree.build(file, directories, { map: reading.map, given });
  const { passwords: hosts } = tree;
  if (hosts.size > 0)
    inventory.passwords = { hosts, source: isList ? source : path, varsDirectories };
  return isList ? inventory : notEmpty(inventory);
}

type Reading = Omit<ClusterReading, 'file'>;

/** Files in an inventory directory that are ignored, as in Ansible. */
const NO_INVENTORY = /^\.|~$|\.(bak|orig|retry|swp|md|txt|rst|rpm|cfg|pyc|pyo)$/;

/** Inventory files in a directory and its subdirectories, sorted by name. */
function sourcesIn(directory: string): string[] {
  const files = filesIn(directory);
  if (files.length > 0) return files;
  throw new UsageError(`There is no inventory in the directory "${directory}".`);
}

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => !NO_INVENTORY.test(name) && !/^(group|host)_vars$/.test(name))
    .sort()
    .flatMap((name) => {
      const path = join(directory, name);
      const found = statSync(path);
      if (found.isDirectory()) return filesIn(path);
      return found.isFile() ? [path] : [];
    });
}

function readSource(file: string, reading: Reading): void {
  const { tree, problems, map } = reading;
  if (isProgram(file)) {
    fromScript(file, tree);
    return;
  }
  const text = readFileSync(file, 'utf8');
  if (extname(file) === '.toml') {
    problems.push(convertible('Inventories in TOML are not supported.', file));
    return;
  }
  const isYaml = ['.yml', '.yaml', '.json'].includes(extname(file));
  if (!isYaml && (extname(file) === '.ini' || looksLikeIni(text))) {
    parseIni(text, file, { problems, tree });
    return;
  }
  const before = problems.length;
  const older: OlderValue[] = [];
  const documents = readYamlDocuments(file, { files: localFiles, problems, map, older });
  if (problems.length > before) return;
  const chosen = documents.find(({ value }) => !isForeign(value)) ?? documents[0];
  for (const one of documents) if (one !== chosen) tree.notes.push(notRead(one));
  if (readDocument(chosen, file, reading) === 'Ansible')
    tree.notes.push(...olderNote(withoutConnections(older)));
}

/** Problem of an inventory that Ansible can convert to a supported format. */
function convertible(message: string, file: string): Problem {
  const hint = `Convert it: ansible-inventory -i ${file} --list --yaml > hosts.yml.`;
  return { message, at: { file, line: 1, column: 1 }, hint };
}

/** Whether a document is a Kubernetes or k0s object without hosts. */
function isForeign(value: Source): boolean {
  return isSourceObject(value) && value['apiVersion'] !== undefined && !clusterTool(value);
}

function notRead({ value, at }: YamlDocument): Problem {
  const kind = isSourceObject(value) ? textOf(value['kind']) : undefined;
  const what = kind === undefined ? 'This document' : `The document of kind "${kind}"`;
  const hint = isForeign(value) ? undefined : 'Move its hosts to a separate file.';
  return { message: `${what} is ignored: a file can contain only one inventory.`, at, hint };
}

function readDocument(
  document: YamlDocument | undefined,
  file: string,
  { tree, problems, map, environment }: Reading,
): 'Ansible' | undefined {
  const { value = null, at = { file, line: 1, column: 1 } } = document ?? {};
  const reading: ClusterReading = { file, tree, problems, map, environment };
  if (Array.isArray(value)) {
    fromHostList(value, 'the list', reading);
    return undefined;
  }
  if (!isSourceObject(value) || isForeign(value)) {
    const message = 'An inventory must be a map with "hosts" (mkectl) or "all" (Ansible).';
    problems.push({ message, at });
    return undefined;
  }
  const tool = clusterTool(value);
  if (tool) {
    fromCluster(value, tool, reading);
    return undefined;
  }
  if (typeof value['plugin'] === 'string') {
    const what = `The inventory plugin "${value['plugin']}" of Ansible is not supported.`;
    problems.push(convertible(what, file));
    return undefined;
  }
  const reader = new MapReader(value, map, problems);
  const hosts = value['hosts'];
  if (!Array.isArray(hosts)) {
    fromAnsible(reader, tree);
    return 'Ansible';
  }
  reader.list('hosts');
  fromHostList(hosts, 'hosts', reading);
  reader.close('the hosts file');
  return undefined;
}

function notEmpty(inventory: Inventory): Inventory {
  if (inventory.hosts.size > 0) return inventory;
  const at = { file: inventory.file, line: 1, column: 1 };
  throw new PlaybookError([{ message: 'The inventory contains no hosts.', at }]);
}

/** Whether a file is an inventory program. Files with the extension of a data format never are. */
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

/** Parses `user@host:port`, `[::1]:22` or a name. */
function parseAddress(text: string): Partial<HostAddress> {
  const parts =
    /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|[0-9a-fA-F:]*::?[0-9a-fA-F:]*))(?::(\d+))?$/.exec(text);
  const [, user, bracketed, plain, port] = parts ?? [];
  return {
    name: text,
    address: bracketed ?? plain ?? text,
    port: port === undefined ? undefined : Number(port),
    user,
  };
}

/** Reads a map, or a single name instead of a map, as in Ansible. */
function namesOrMap(body: MapReader, key: string): SourceObject {
  const value = body.value(key);
  return typeof value === 'string' ? { [value]: null } : (body.object(key) ?? {});
}

/** Reads `all: {hosts, children, vars}`, or groups at the top level. */
function fromAnsible(reader: MapReader, tree: GroupTree): void {
  tree.markAnsible();
  const visit = (name: string, value: Source | undefined): void => {
    const body = new MapReader(isSourceObject(value) ? value : {}, reader.map, reader.problems);
    if (value !== undefined && value !== null && !isSourceObject(value))
      reader.problem(name, `Group "${name}" must be a map of hosts, children and vars.`);
    const own = body.object('vars') ?? {};
    tree.setGroupVars(name, own, placesIn(own, reader.map));
    for (const [pattern, vars] of Object.entries(namesOrMap(body, 'hosts'))) {
      const { names: hosts, port } = hostsNamed(pattern);
      if (!hosts) body.problem('hosts', rangeProblem(pattern));
      for (const host of hosts ?? []) {
        const message = tree.portConflict(host, port);
        if (message !== undefined) body.problem('hosts', message);
        const set = isSourceObject(vars) ? vars : {};
        if (vars !== null && !isSourceObject(vars))
          body.problem('hosts', `Host "${host}" must be a map of variables.`);
        tree.addHost(name, host, set, placesIn(set, reader.map));
        if (port !== undefined && set['ansible_port'] === undefined)
          tree.setHostVars(host, { ansible_port: port });
      }
    }
    for (const [child, childValue] of Object.entries(namesOrMap(body, 'children'))) {
      tree.addChild(name, child);
      visit(child, childValue);
    }
    if (isSourceObject(value)) body.close(`group "${name}"`);
  };
  for (const [name, value] of Object.entries(reader.source)) visit(name, value);
}
