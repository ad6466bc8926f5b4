import { podList, seedHost } from '../../lab/mke3-seed.ts';
import type { FileTree } from '../file-tree.ts';
import { ModelHost, type Skills } from '../model-host.ts';

export interface Container {
  id: string;
  image: string;
  isRunning: boolean;
  restart: string;
  args: string[];
  mounts: { Name: string }[];
  labels: Record<string, string>;
}

/** What a host has besides its files, units and locks. */
export interface MkeNode {
  host: ModelHost;
  hostname: string;
  address: string;
  containers: Map<string, Container>;
  networks: Set<string>;
  images: Set<string>;
  /** Units that failed to start, and that systemd restarts. */
  broken: Map<string, { said: string; restarts: number }>;
  /** Number of the last start of each unit that was started explicitly. */
  starts: Map<string, number>;
  cluster: MkeCluster;
}

interface SwarmNode {
  id: string;
  role: string;
  isLeader: boolean;
  labels: Map<string, string>;
}

export interface KubeNode {
  version: string;
  ready: string;
  runtime: string;
  labels: Map<string, string>;
  annotations: Map<string, string>;
  /** In the notation of kubectl: KEY[=VALUE]:EFFECT. */
  taints: string[];
}

/** State that the k0s controllers share while at least one of them runs. */
export interface ControlPlane {
  pki: Map<string, Buffer>;
  etcd: Buffer;
  tokens: Map<string, { role: string; secret: string }>;
  controllers: Set<string>;
  deleted: Set<string>;
  /** Labels, annotations and taints that were set with the API of k0s. */
  marks: Map<string, Pick<KubeNode, 'labels' | 'annotations' | 'taints'>>;
}

/** State that the nodes share. Programs are functions over this data. */
export interface MkeCluster {
  nodes: MkeNode[];
  swarm: {
    id: string;
    nodes: Map<string, SwarmNode>;
    /** Names of services, with the output of `docker service inspect`. */
    services: Map<string, unknown>;
    configs: Set<string>;
    secrets: Set<string>;
    networks: Set<string>;
  };
  kube: Map<string, KubeNode>;
  /** Pods in the API of MKE 3. */
  pods: unknown;
  plane: ControlPlane | undefined;
  /** Control planes whose last controller has stopped, by the content of the file that it left. */
  kept: Map<string, ControlPlane>;
  /** Address and port of the DNS service. */
  dns: string;
  /** Milliseconds. */
  now: () => number;
  /** Counter for unique names. */
  serial: number;
}

/** Hosts and addresses of a cluster, and the programs of its nodes. */
export interface ClusterSetup {
  hosts: readonly { hostname: string; address: string; machine: string }[];
  certificate: string;
  dns: string;
  skills: (node: MkeNode) => Skills;
}

const LAB = 'var/lib/lab/';

/** Creates an MKE 3 cluster from the same seed data as the lab. */
export function mkeCluster({ hosts, certificate, dns, skills }: ClusterSetup): MkeCluster {
  const cluster: MkeCluster = {
    nodes: [],
    swarm: {
      ...{ id: '', nodes: new Map(), services: new Map(), configs: new Set() },
      ...{ secrets: new Set(), networks: new Set() },
    },
    kube: new Map(),
    pods: podList(hosts.map(({ hostname }) => hostname)),
    plane: undefined,
    kept: new Map(),
    dns,
    now: () => 0,
    serial: 0,
  };
  hosts.forEach(({ hostname, address, machine }, index) => {
    const [own, shared] = [new Map<string, string>(), new Map<string, string>()];
    seedHost(
      { name: hostname, address, dir: machine },
      {
        put: (path, text) => own.set(path, text),
        share: (path, text) => shared.set(path, text),
        ...{ certificate, isLeader: index === 0 },
      },
    );
    const skill: { of?: Skills } = {};
    const known = (): Skills => {
      if (!skill.of) throw new Error('The host is not complete yet.');
      return skill.of;
    };
    const host = new ModelHost(address, {
      run: (...call) => known().run(...call),
      answer: (...asked) => known().answer(...asked),
      bring: (...file) => known().bring?.(...file),
    });
    const node: MkeNode = {
      ...{ host, hostname, address, cluster },
      containers: containersOf(own),
      networks: new Set(namesBelow(own, `${LAB}docker/networks/`)),
      images: new Set(linesOf(own.get(`${LAB}docker/images`))),
      ...{ broken: new Map(), starts: new Map() },
    };
    skill.of = skills(node);
    seedFiles(host, own, hostname);
    cluster.nodes.push(node);
    seedShared(cluster, hostname, shared);
  });
  return cluster;
}

export function nodeNamed({ nodes }: MkeCluster, hostname: string): MkeNode | undefined {
  return nodes.find((node) => node.hostname === hostname);
}

/**
 * Everything of the cluster that a rollback must restore. Files, units and locks belong to the
 * hosts.
 */
export function clusterLines({ nodes, swarm, kube, plane }: MkeCluster): string[] {
  const lines = nodes.flatMap(({ hostname, containers, networks, images, broken }) => [
    ...[...containers].map(([name, one]) => `${hostname} container ${name} ${textOf(one)}`),
    `${hostname} engine ${textOf([networks, images])}`,
    `${hostname} broken ${textOf(broken)}`,
  ]);
  const shared = [`swarm ${textOf(swarm)}`, `kubernetes ${textOf(kube)}`, `k0s ${textOf(plane)}`];
  return [...lines, ...shared].sort();
}

/** All data of the cluster except that of the hosts, for `loadCluster`. */
export function saveCluster({ nodes, swarm, kube, plane, kept, serial }: MkeCluster): ClusterState {
  const own = nodes.map(({ containers, networks, images, broken, starts }) => {
    return { containers, networks, images, broken, starts };
  });
  return copyOf({ own, swarm, kube, plane, kept, serial });
}

export function loadCluster(cluster: MkeCluster, state: ClusterState): void {
  const { own, ...shared } = copyOf(state);
  Object.assign(cluster, shared);
  cluster.nodes.forEach((node, index) => Object.assign(node, own[index]));
}

export interface ClusterState extends Pick<
  MkeCluster,
  'swarm' | 'kube' | 'plane' | 'kept' | 'serial'
> {
  own: Pick<MkeNode, 'containers' | 'networks' | 'images' | 'broken' | 'starts'>[];
}

function copyOf<T>(value: T): T {
  const copy = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null || Buffer.isBuffer(one)) return one;
    if (one instanceof Map) return new Map([...one].map(([key, each]) => [key, copy(each)]));
    if (one instanceof Set) return new Set(one);
    if (Array.isArray(one)) return one.map(copy);
    return Object.fromEntries(Object.entries(one).map(([key, each]) => [key, copy(each)]));
  };
  return copy(value) as T;
}

function textOf(value: unknown): string {
  const plain = (_: string, one: unknown): unknown =>
    one instanceof Map ? [...one].sort() : one instanceof Set ? [...one].sort() : one;
  return JSON.stringify({ value }, plain);
}

/** Text of a file of a host; undefined if the file does not exist. */
export function textAt(tree: FileTree, path: string): string | undefined {
  const found = tree.get(path);
  return found?.type === 'file' ? found.content.toString() : undefined;
}

/** Writes a file, and creates its directory if needed. */
export function putFile(
  tree: FileTree,
  path: string,
  content: Buffer | string,
  mode = '644',
): void {
  tree.makeDirectories(path.slice(0, path.lastIndexOf('/')));
  tree.publish(path, Buffer.from(content), { mode });
}

function linesOf(text = ''): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function namesBelow(files: ReadonlyMap<string, string>, directory: string): string[] {
  const below = [...files.keys()].filter((path) => path.startsWith(directory));
  return [...new Set(below.map((path) => path.slice(directory.length).split('/')[0] ?? ''))].sort();
}

function containersOf(files: ReadonlyMap<string, string>): Map<string, Container> {
  const directory = `${LAB}docker/containers/`;
  const read = (name: string, file: string): string =>
    files.get(`${directory}${name}/${file}`)?.trim() ?? '';
  const all = namesBelow(files, directory).map((name): [string, Container] => {
    const labels = linesOf(read(name, 'labels')).map((line) => line.split('=') as [string, string]);
    const one: Container = {
      id: read(name, 'id'),
      image: read(name, 'image'),
      isRunning: read(name, 'state') === 'running',
      restart: read(name, 'restart'),
      args: JSON.parse(read(name, 'args') || '[]') as string[],
      mounts: JSON.parse(read(name, 'mounts') || '[]') as { Name: string }[],
      labels: Object.fromEntries(labels),
    };
    return [name, one];
  });
  return new Map(all);
}

function seedFiles({ tree, services }: ModelHost, own: Map<string, string>, name: string): void {
  const systemd = `${LAB}systemd/`;
  for (const [path, text] of own) if (!path.startsWith(LAB)) putFile(tree, `/${path}`, text);
  for (const unit of namesBelow(own, 'etc/systemd/system/'))
    services.set(unit, {
      active: own.has(`${systemd}${unit}.active`),
      enabled: own.has(`${systemd}${unit}.enabled`),
      loaded: '',
    });
  for (const path of ['/root', '/tmp', '/run', '/opt', '/var/log', '/usr/local/bin', '/proc'])
    tree.makeDirectories(path);
  putFile(tree, '/etc/os-release', 'ID=ubuntu\nVERSION_ID="22.04"\n');
  putFile(tree, '/etc/hostname', `${name}\n`);
}

/** Sets the data of a Swarm and Kubernetes node from the seed. */
function seedShared(cluster: MkeCluster, hostname: string, shared: Map<string, string>): void {
  const line = (path: string): string => shared.get(path)?.trim() ?? '';
  const labelsBelow = (directory: string): Map<string, string> =>
    new Map(
      [...shared]
        .filter(([path]) => path.startsWith(directory))
        .map(([path, text]) => [path.slice(directory.length), text.trim()]),
    );
  const { swarm, kube } = cluster;
  const member = `swarm/nodes/${hostname}`;
  swarm.id = line('swarm/id');
  swarm.nodes.set(hostname, {
    id: line(`${member}/id`),
    role: line(`${member}/role`),
    isLeader: line(`${member}/leader`) !== '',
    labels: labelsBelow(`${member}/labels/`),
  });
  for (const name of namesBelow(shared, 'swarm/services/')) {
    const [, spec = '{}'] = linesOf(shared.get(`swarm/services/${name}`));
    swarm.services.set(name, JSON.parse(spec));
  }
  for (const name of namesBelow(shared, 'swarm/configs/')) swarm.configs.add(name);
  const node = `kube/nodes/${hostname}`;
  kube.set(hostname, {
    version: line(`${node}/version`),
    ready: line(`${node}/ready`),
    runtime: line(`${node}/runtime`),
    labels: labelsBelow(`${node}/labels/`),
    annotations: new Map(),
    taints: linesOf(shared.get(`${node}/taints`)),
  });
}
