import { PlaybookError, type Problem } from '../core/errors.ts';
import type { SourceRef } from '../core/source.ts';
import {
  asWritten,
  isSourceObject,
  textOf,
  type Source,
  type SourceObject,
} from '../core/value.ts';
import { MapReader } from '../yaml/map-reader.ts';
import type { SourceMap } from '../yaml/source-map.ts';
import { readConnection, type ToolConnection } from './connections.ts';
import { substitute } from './environment.ts';
import type { GroupTree } from './groups.ts';
import { ToolNotes } from './tool-notes.ts';

/** A tool with a configuration file that lists hosts. */
interface Tool {
  name: string;
  /**
   * Which values contain environment variables to substitute. launchpad does that since its format
   * mke/v1.1.
   */
  substitutes: 'all' | 'hosts' | 'none';
  defaultUser: string | undefined;
  /** Keys of a host that only the tool uses. They become variables, and a note lists them. */
  named: readonly string[];
  /** Keys of a host that become variables without a note. */
  silent: readonly string[];
  /** An unknown key is an error. */
  strict?: true;
}

const k0sKeys =
  'reset noTaints installFlags os hooks files dataDir kubeletRootDir uploadBinary useExistingK0s k0sBinaryPath k0sInstallPath k0sDownloadURL'.split(
    ' ',
  );
const tools = {
  mkectl: {
    name: 'mkectl',
    substitutes: 'hosts',
    defaultUser: undefined,
    named: k0sKeys,
    silent: [],
    strict: true,
  },
  mke4: { name: 'mkectl', substitutes: 'hosts', defaultUser: 'root', named: k0sKeys, silent: [] },
  k0sctl: { name: 'k0sctl', substitutes: 'all', defaultUser: 'root', named: k0sKeys, silent: [] },
  launchpad: {
    name: 'launchpad',
    substitutes: 'all',
    defaultUser: 'root',
    named: ['sudodocker', 'sudooverride', 'mcrupgradeskip', 'swarmAddress'],
    silent: ['hooks', 'mcrConfig', 'engineConfig', 'imageDir'],
  },
} satisfies Record<string, Tool>;

/** The tool to which a document belongs; undefined for other documents. */
export function clusterTool(document: SourceObject): Tool | undefined {
  const version = textOf(document['apiVersion']) ?? '';
  if (version.startsWith('k0sctl.k0sproject.io/')) return tools.k0sctl;
  if (version.startsWith('launchpad.mirantis.com/mke/')) return tools.launchpad;
  if (version.startsWith('launchpad.mirantis.com/'))
    return { ...tools.launchpad, substitutes: 'none' };
  return document['kind'] === 'MkeConfig' ? tools.mke4 : undefined;
}

/** Groups of hosts, by their role in these files. */
const groupsOf: Record<string, string[]> = {
  controller: ['controllers'],
  'controller+worker': ['controllers', 'workers'],
  single: ['controllers', 'workers'],
  worker: ['workers'],
  manager: ['managers'],
  msr: ['msrs'],
  dtr: ['msrs'],
};

/** Keys of a host that become variables, with the name of the variable. */
const variables: Record<string, string> = {
  role: 'role',
  privateAddress: 'private_address',
  privateInterface: 'private_interface',
  environment: 'environment',
  hostname: 'hostname',
  metadata: 'metadata',
  labels: 'labels',
};

export interface ClusterReading {
  file: string;
  tree: GroupTree;
  problems: Problem[];
  map: SourceMap;
  environment: NodeJS.ProcessEnv;
}

/**
 * Reads the hosts of a k0sctl.yaml, launchpad.yaml or mke4.yaml: `spec.hosts[]` with `role` and a
 * connection in `ssh`, `openSSH`, `winRM` or `localhost`. All other keys of a host become
 * variables.
 */
export function fromCluster(document: SourceObject, tool: Tool, reading: ClusterReading): void {
  const { file, map, problems } = reading;
  const before = problems.length;
  const substituted =
    tool.substitutes === 'all' ? (substitute(document, reading) as SourceObject) : document;
  if (problems.length > before) return;
  const spec = substituted['spec'];
  const list = isSourceObject(spec) ? spec['hosts'] : undefined;
  if (!Array.isArray(list)) {
    const at = map.of(isSourceObject(spec) ? spec : document) ?? { file, line: 1, column: 1 };
    throw new PlaybookError([{ message: 'The file has no list "spec.hosts".', at }]);
  }
  const bastion =
    tool.name === 'mkectl' && isSourceObject(spec) ? bastionOfAll(spec, reading) : undefined;
  readHosts(list, 'spec.hosts', { ...reading, tool, bastion });
}

/** `spec.airgap.bastion`, through which mkectl connects to all hosts. */
function bastionOfAll(
  spec: SourceObject,
  { map, problems }: ClusterReading,
): MapReader | undefined {
  const airgap = new MapReader(spec, map, problems).reader('airgap');
  return airgap?.reader('bastion');
}

/** Reads `hosts: [{address, port, user, keyPath}]` of mkectl, or only the list. */
export function fromHostList(list: Source[], name: string, reading: ClusterReading): void {
  readHosts(list, name, { ...reading, tool: tools.mkectl });
}

interface ToolHost {
  entry: MapReader;
  connection: ToolConnection;
  at: SourceRef | undefined;
}

function readHosts(
  written: Source[],
  listName: string,
  reading: ClusterReading & { tool: Tool; bastion?: MapReader | undefined },
): void {
  const { file, tree, problems, map, tool, bastion } = reading;
  const before = problems.length;
  const list = tool.substitutes === 'hosts' ? (substitute(written, reading) as Source[]) : written;
  if (problems.length > before) return;
  const notes = new ToolNotes(tree.notes, tool.name);
  tree.group('all');
  const hosts: ToolHost[] = [];
  for (const [index, item] of list.entries()) {
    const at = map.value(list, index);
    if (!isSourceObject(item)) {
      problems.push({ message: 'A host must be a map with "address".', at });
      continue;
    }
    const entry = new MapReader(item, map, problems);
    const connection = readConnection(entry, {
      ...{ file, bastion, notes },
      defaultUser: tool.defaultUser,
    });
    if (connection) hosts.push({ entry, connection, at });
    else
      problems.push({
        message:
          tool === tools.mkectl
            ? 'A host needs "address".'
            : `Host ${String(index + 1)} of "${listName}" has no address.`,
        at,
      });
  }
  const names = new Set<string>();
  for (const host of hosts) {
    const name = nameOf(host, hosts);
    if (names.has(name)) problems.push({ message: `Host "${name}" is listed twice.`, at: host.at });
    names.add(name);
    addHost(name, host, { tree, tool, notes });
  }
  notes.finish();
}

/**
 * Name of a host: its address, or if another host has the same address, its hostname or
 * `address:port`.
 */
function nameOf({ entry, connection }: ToolHost, hosts: readonly ToolHost[]): string {
  const { address, reach } = connection;
  const same = hosts.filter((one) => one.connection.address === address);
  if (same.length === 1 || reach.transport === 'local') return address;
  const metadata = entry.value('metadata');
  const inMetadata = isSourceObject(metadata) ? metadata : {};
  const alias = [entry.value('hostname'), inMetadata['hostname'], inMetadata['name']]
    .map(textOf)
    .find((one) => one !== undefined && one !== '');
  const bracketed = address.includes(':') ? `[${address}]` : address;
  return alias ?? `${bracketed}:${String(reach.port ?? 22)}`;
}

function addHost(
  name: string,
  { entry, connection }: ToolHost,
  { tree, tool, notes }: { tree: GroupTree; tool: Tool; notes: ToolNotes },
): void {
  const vars: SourceObject = {};
  const places = new Map<string, SourceRef>();
  const take = (key: string, variable: string) => {
    const value = entry.value(key);
    if (value === undefined) return;
    vars[variable] = asWritten(value);
    places.set(variable, entry.keyAt(key));
  };
  for (const [key, variable] of Object.entries(variables)) take(key, variable);
  for (const key of [...tool.named, ...tool.silent]) {
    if (!entry.has(key)) continue;
    take(key, key);
    if (tool.named.includes(key)) notes.unused(key, entry.keyAt(key));
  }
  if (tool.strict) entry.close('a host');
  else {
    notes.unknown(entry, 'a host');
    for (const key of entry.rest()) take(key, key);
  }
  const { password, reach, address, ansibleConnection } = connection;
  if (ansibleConnection !== undefined) vars['ansible_connection'] = ansibleConnection;
  if (password !== undefined) vars['ansible_password'] = password;
  const role = roleOf(entry);
  const groups = role === undefined ? [] : groupsOf[role];
  if (groups === undefined && (role !== undefined || tool !== tools.mkectl))
    notes.add(
      `Unknown role "${role ?? ''}": the host is not in any group.`,
      entry.at('role'),
      `Use one of ${Object.keys(groupsOf).join(', ')}.`,
    );
  for (const group of ['all', ...(groups ?? [])]) tree.addHost(group, name, vars, places);
  tree.setAddress(name, { ...reach, name, address });
}

/**
 * Role of a host. The flags `--single` and `--enable-worker` in `installFlags` override it, as in
 * k0sctl.
 */
function roleOf(entry: MapReader): string | undefined {
  const flags = entry.value('installFlags');
  const set = (flag: string) =>
    Array.isArray(flags) &&
    flags.some((one) => new RegExp(`^${flag}(=(?!false)|\\s|$)`).test(textOf(one) ?? ''));
  if (set('--single')) return 'single';
  if (set('--enable-worker')) return 'controller+worker';
  return textOf(entry.value('role'));
}
