import { join } from 'node:path';
import type { HttpRequest, HttpResponse } from '../../core/action.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { JsonObject } from '../../core/json.ts';
import { createRegistry } from '../../core/module.ts';
import type { ControllerDisk } from '../../core/ports.ts';
import type { SourceObject } from '../../core/value.ts';
import { LAB_ADMIN, Mke3Answers } from '../../lab/mke3-answers.ts';
import { swarmNode } from '../../lab/mke3-seed.ts';
import type { Expansion, Node, Playbook } from '../../language/document.ts';
import * as mkeModules from '../../mke/modules/index.ts';
import * as modules from '../../modules/index.ts';
import * as undoModules from '../../modules/undo/index.ts';
import { loadWorkloadChecks } from '../../mke/modules/mke3_workloads.ts';
import { loadConversion } from '../../mke/modules/mke4_config.ts';
import type { ParsedJournal } from '../../journal/journal-file.ts';
import { loadPlaybook } from '../../playbook/load.ts';
import { localFiles } from '../../util/local-files.ts';
import { packageRoot } from '../../util/package.ts';
import { Redactor } from '../../util/redact.ts';
import { Chance } from '../chance.ts';
import { EventQueue } from '../clock.ts';
import { controllerDisk } from '../controller-disk.ts';
import type { RunningChange } from '../hosts.ts';
import { ModelHost, type HostState } from '../model-host.ts';
import { ModelRun } from '../model-run.ts';
import { RUN } from '../run.ts';
import {
  clusterLines,
  loadCluster,
  mkeCluster,
  saveCluster,
  type ClusterSetup,
  type ClusterState,
  type MkeCluster,
} from './cluster.ts';
import { unknown } from './refusal.ts';
import { MkeSkills } from './skills.ts';

/** What all runs of the upgrade share; loaded once. */
export interface UpgradeSetup {
  playbook: Playbook;
  hosts: ClusterSetup['hosts'];
  certificate: string;
  dns: string;
  /** Address and port of the API of MKE 3. */
  api: string;
  /** Inputs besides those of the cluster. */
  inputs?: JsonObject;
}

// The virtual clock does not wait for the disk of the controller, so these are loaded before a run.
await Promise.all([loadConversion(), loadWorkloadChecks()]);

const registry = createRegistry(
  [...Object.values(modules), ...Object.values(mkeModules)],
  Object.values(undoModules),
);
const shipped = (...path: string[]): string => join(packageRoot(), ...path);
/** The simulated home directory of the controller. */
const HOME = '/controller';
const BINARY = `${HOME}/k0s`;

export function loadUpgrade(): Playbook {
  const playbook = loadPlaybook(shipped('playbooks', 'upgrade.yml'), {
    ...{ modules: registry, files: localFiles },
    ...{ rolePaths: [shipped('roles')], playbookPaths: [shipped('playbooks')] },
  });
  for (const { sections } of playbook.plays)
    for (const { nodes } of sections) rememberExpansions(nodes);
  return playbook;
}

/** Includes read their files once for all runs, not once per run: it is a fifth of the time of a sweep. */
function rememberExpansions(nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.kind === 'block') [node.block, node.rescue, node.always].forEach(rememberExpansions);
    if (node.kind !== 'include') continue;
    const { expand } = node;
    const known = new Map<string, Expansion>();
    node.expand = (part) => {
      const key = JSON.stringify(part);
      const remembered = known.get(key);
      if (remembered) return remembered;
      const expansion = expand(part);
      rememberExpansions(expansion.nodes);
      known.set(key, expansion);
      return expansion;
    };
  }
}

/** Saved state of a run. */
export interface SavedRun {
  at: number;
  sizes: { all: number; synced: number };
  hosts: HostState[];
  cluster: ClusterState;
  written: ReadonlyMap<string, Buffer>;
  running: RunningChange[];
}

/** A journal that several runs continue. */
export interface SharedJournal {
  bytes: Buffer;
  parsed: ParsedJournal;
}

/** The shipped upgrade on a model cluster. */
export class UpgradeRun extends ModelRun {
  readonly cluster: MkeCluster;
  readonly #written: Map<string, Buffer>;

  /** @param saved state to continue from, as after a crash of the controller's machine */
  constructor(setup: UpgradeSetup, chance: Chance, saved?: SavedRun & { journal: SharedJournal }) {
    const written = new Map<string, Buffer>([[BINARY, localFileBytes()]]);
    const files = controllerDisk(written);
    const cluster = mkeCluster({
      ...{ hosts: setup.hosts, certificate: setup.certificate, dns: setup.dns },
      skills: (node) => new MkeSkills(node, (path, content) => written.set(path, content)),
    });
    const events = new EventQueue(chance, saved?.at ?? 1_700_000_000_000);
    cluster.now = () => events.now();
    super({
      hosts: [...cluster.nodes.map(({ host }) => host), controller()],
      ...{ playbook: setup.playbook, modules: registry, events, chance, files },
      ...secrets(),
      inventory: inventoryOf(setup),
      settings: {
        ...{ variables: variablesOf(setup), inputDefaults: defaultsOf(setup.playbook) },
        accepted: ['remove-mke3'],
      },
      serve: serveApi(cluster, setup, files),
    });
    this.cluster = cluster;
    this.#written = written;
    this.states.set('', this.lines());
    if (saved) this.#load(saved);
  }

  /** The current state, except the bytes of the journal. */
  save(): SavedRun {
    return {
      at: this.cluster.now(),
      sizes: this.disk.sizes,
      hosts: this.hosts.map((host) => host.save()),
      cluster: saveCluster(this.cluster),
      written: new Map(this.#written),
      running: [...this.network.running].map((one) => ({ ...one })),
    };
  }

  #load(saved: SavedRun & { journal: SharedJournal }): void {
    const { journal, sizes, hosts, cluster, written, running } = saved;
    this.disk.load(journal.bytes, sizes, this.parts.chance);
    this.beginning = beginningOf(journal.parsed, this.disk.sizes.all);
    hosts.forEach((state, index) => this.hosts[index]?.load(state));
    loadCluster(this.cluster, cluster);
    for (const [path, content] of written) this.#written.set(path, content);
    for (const change of running) this.network.finish(change);
  }

  override lines(): string[][] {
    // The constructor of the base class calls this before the cluster is set.
    const shared = (this.cluster as MkeCluster | undefined) ? clusterLines(this.cluster) : [];
    return [...super.lines(), shared];
  }
}

/** The records of a journal within its first bytes. */
function beginningOf({ records, positions }: ParsedJournal, bytes: number): ParsedJournal {
  const next = positions.findIndex(({ offset, length }) => offset + length > bytes);
  const count = next === -1 ? positions.length : next;
  const last = positions[count - 1];
  return {
    records: records.slice(0, count),
    positions: positions.slice(0, count),
    validBytes: last ? last.offset + last.length : 0,
  };
}

/** The secrets, which are the same in all runs. */
const secrets = once(() => {
  const redactor = new Redactor();
  redactor.add('mke3_admin_password', LAB_ADMIN.password);
  return { redactor, sealer: redactor.createSealer(RUN, new Chance(1)) };
});

function once<T>(make: () => T): () => T {
  let made: { it: T } | undefined;
  return () => (made ??= { it: make() }).it;
}

/** The k0s stand-in of the lab; its content includes the version. */
const localFileBytes = once(() =>
  Buffer.from(localFiles.text(shipped('src', 'lab', 'stand-ins', 'k0s'))),
);

/** The controller as a host, on which runs only write files. */
function controller(): ModelHost {
  const host = new ModelHost('localhost', {
    run: (_, argv) => unknown('the controller', argv),
    answer: (_, script) => unknown('the controller', [script]),
  });
  host.tree.makeDirectories(`${HOME}/.mke`);
  return host;
}

function inventoryOf({ hosts }: UpgradeSetup): Inventory {
  const own = hosts.map(({ address: name }) => {
    const connection = { port: 2222, user: 'root', keyPath: `${HOME}/key` };
    const address = { name, transport: 'ssh' as const, address: name, ...connection };
    return [name, { name, address, vars: {} }] as const;
  });
  const all = hosts.map(({ address }) => address);
  return { file: `${HOME}/hosts.yaml`, hosts: new Map(own), groups: new Map([['all', all]]) };
}

function variablesOf({ api, inputs = {} }: UpgradeSetup): JsonObject {
  const given: JsonObject = {
    hosts_path: `${HOME}/hosts.yaml`,
    mke3_admin_username: LAB_ADMIN.username,
    mke3_admin_password: LAB_ADMIN.password,
    external_address: 'mke.example.com',
    mke3_external_address: api,
    // The Kubernetes API has no port of its own in the lab.
    kubernetes_api_address: api,
    k0s_binary: BINARY,
    config_out: `${HOME}/mke4.yaml`,
    kubeconfig_out: `${HOME}/.mke/mke.kubeconf`,
    backup_dir: `${HOME}/backups`,
  };
  return { ...given, ...inputs };
}

function defaultsOf({ inputs }: Playbook): SourceObject {
  return Object.fromEntries(inputs.map(({ name, default: value }) => [name, value ?? '']));
}

/** Answers requests to the API of MKE 3; any other address is an error. */
function serveApi(
  cluster: MkeCluster,
  { api, certificate }: UpgradeSetup,
  files: ControllerDisk,
): (request: HttpRequest) => Promise<HttpResponse> {
  const toml = files.text(shipped('src', 'lab', 'mke3-config.toml'));
  const answers = new Mke3Answers({
    ...{ certificate, toml: () => toml, token: () => `session-${String(++cluster.serial)}` },
    nodes: () => nodesOf(cluster),
    kubernetes: (path) => (path === '/api/v1/pods' ? cluster.pods : undefined),
    isUp: () => cluster.nodes.some(({ containers }) => containers.get('ucp-controller')?.isRunning),
  });
  return async ({ method, url, headers = {}, body = '' }) => {
    const { host, pathname, search } = new URL(url);
    if (host !== api) unknown('the network', [url]);
    const authorization =
      Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
    const said = await answers.answer({
      ...{ method, url: `${pathname}${search}`, authorization, body: () => body },
    });
    const text = typeof said.body === 'string' ? said.body : JSON.stringify(said.body);
    const type = said.type ?? 'application/json';
    return { status: said.status, body: text, headers: { 'content-type': type } };
  };
}

function nodesOf({ swarm, nodes }: MkeCluster): unknown[] {
  return [...swarm.nodes].map(([hostname, { id, role, isLeader, labels }]) => {
    const address = nodes.find((node) => node.hostname === hostname)?.address ?? '';
    return swarmNode({
      ...{ hostname, id, role, isLeader, address },
      labels: Object.fromEntries(labels),
    });
  });
}
