import type { Container, MkeNode } from './cluster.ts';
import { isActive } from './units.ts';
import { etcdctl, restoreSnapshot } from './etcdctl.ts';
import { putFile } from './cluster.ts';
import {
  inspectObjects,
  listObjects,
  objectKinds,
  removeObjects,
  VOLUMES,
} from './docker-objects.ts';
import { refuse, unknown } from './refusal.ts';

/**
 * The Docker client and engine in Swarm mode, as far as an MKE 3 node needs them. Returns the
 * output.
 */
export function docker(node: MkeNode, words: readonly string[]): string {
  if (!isActive(node, 'docker.service'))
    refuse(
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    );
  const [verb = '', ...rest] = words;
  const [kind] = objectKinds.filter((one) => one === verb);
  if (kind) return objects(node, kind, rest);
  const known = verbs[verb];
  return known ? known(node, rest) : unknown('docker', words);
}

const verbs: Record<string, (node: MkeNode, words: readonly string[]) => string> = {
  info: (node, [flag = '', format = '']) => info(node, flag, format),
  inspect,
  image: ({ images }, words) => {
    const [verb, flag, format, name = ''] = words;
    const isList = `${verb ?? ''} ${flag ?? ''} ${format ?? ''}` === 'ls --digests --format';
    if (isList && name === '{{.Repository}} {{.Tag}} {{.Digest}}')
      return [...images].map((one) => `${one.replace(/:([^:/]*)$/, ' $1')} sha256:aa\n`).join('');
    if (`${verb ?? ''} ${flag ?? ''} ${format ?? ''}` !== 'inspect --format {{.Id}}')
      unknown('docker image', words);
    if (!images.has(name)) refuse(`Error response from daemon: No such image: ${name}`);
    return `sha256:${name}\n`;
  },
  update: (node, [flag = '', ...names]) => {
    if (!flag.startsWith('--restart=')) unknown('docker update', [flag]);
    return each(node, names, (one) => (one.restart = flag.slice('--restart='.length)));
  },
  ps,
  start: (node, names) =>
    each(node, names, (one, name) => {
      start(node, one, name);
    }),
  stop: (node, names) =>
    each(node, names, (one, name) => {
      stop(node, one, name);
    }),
  rm: (node, names) =>
    each(node, names, (one, name) => {
      stop(node, one, name);
      node.containers.delete(name);
    }),
  exec: (node, words) => {
    const [name = '', program, ...rest] = words[0] === '-e' ? words.slice(2) : words;
    const one = containerOf(node, name);
    if (!one.isRunning) refuse(`Error response from daemon: Container ${name} is not running`);
    return name === 'ucp-kv' && program === 'etcdctl'
      ? etcdctl(node, rest)
      : unknown('docker exec', words);
  },
  cp: ({ host: { tree } }, [from = '', to = '']) => {
    const [, path = ''] = /^ucp-kv:\/data\/(.+)$/.exec(from) ?? unknown('docker cp', [from, to]);
    const found = tree.get(`${VOLUMES}/ucp-kv/_data/${path}`);
    if (!found) refuse(`Error: Could not find the file ${from}`);
    putFile(tree, to, found.content);
    return '';
  },
  run,
  node: swarmNodes,
  swarm: (node, words) => {
    if (words.join(' ') !== 'leave --force') unknown('docker swarm', words);
    const { swarm } = node.cluster;
    if (!swarm.nodes.delete(node.hostname))
      refuse('Error response from daemon: This node is not part of a swarm');
    // The managers store the objects of the Swarm.
    if (![...swarm.nodes.values()].some(({ role }) => role === 'manager'))
      for (const held of [swarm.services, swarm.configs, swarm.secrets, swarm.networks])
        held.clear();
    return 'Node left the swarm.\n';
  },
};

function objects(
  node: MkeNode,
  kind: (typeof objectKinds)[number],
  [verb = '', ...words]: readonly string[],
): string {
  if (kind !== 'volume' && kind !== 'network' && memberOf(node)?.role !== 'manager')
    refuse('Error response from daemon: This node is not a swarm manager.');
  if (verb === 'ls') return listObjects(node, kind, words);
  if (verb === 'inspect') return inspectObjects(node, kind, words);
  if (verb === 'rm') return removeObjects(node, kind, words);
  return unknown(`docker ${kind}`, [verb, ...words]);
}

function memberOf({ cluster, hostname }: MkeNode) {
  return cluster.swarm.nodes.get(hostname);
}

function info(node: MkeNode, flag: string, format: string): string {
  const { swarm } = node.cluster;
  const member = memberOf(node);
  const state = member ? 'active' : 'inactive';
  if (flag === '--format' && format === '{{.Swarm.LocalNodeState}}') return `${state}\n`;
  if (flag !== '--format' || format !== '{{json .Swarm}}') unknown('docker info', [flag, format]);
  const managers = [...swarm.nodes].flatMap(([hostname, { id, role }]) =>
    role === 'manager' ? [{ NodeID: id, Addr: `${addressOf(node, hostname)}:2377` }] : [],
  );
  const said = {
    NodeID: member?.id ?? '',
    NodeAddr: member ? node.address : '',
    LocalNodeState: state,
    ControlAvailable: member?.role === 'manager',
    RemoteManagers: managers,
    Cluster: { ID: swarm.nodes.size > 0 ? swarm.id : '' },
  };
  return `${JSON.stringify(said)}\n`;
}

function addressOf({ cluster }: MkeNode, hostname: string): string {
  return cluster.nodes.find((one) => one.hostname === hostname)?.address ?? '';
}

function containerOf({ containers }: MkeNode, name: string): Container {
  return containers.get(name) ?? refuse(`Error response from daemon: No such container: ${name}`);
}

function each(
  node: MkeNode,
  names: readonly string[],
  change: (container: Container, name: string) => void,
): string {
  return names
    .map((name) => {
      change(containerOf(node, name), name);
      return `${name}\n`;
    })
    .join('');
}

function start(node: MkeNode, one: Container, name: string): void {
  const taken = (port: string): never =>
    refuse(`Error response from daemon: listen tcp 0.0.0.0:${port}: bind: address already in use`);
  const controller = isActive(node, 'k0scontroller.service');
  if (name === 'ucp-kubelet') {
    if (controller || isActive(node, 'k0sworker.service')) taken('10250');
    const { labels, annotations, taints } = node.cluster.kube.get(node.hostname) ?? emptyNode();
    node.cluster.kube.set(node.hostname, {
      ...{ version: 'v1.27.7-mirantis-1', ready: 'True', runtime: 'docker://23.0.15' },
      ...{ labels, annotations, taints },
    });
  }
  if (name === 'ucp-kv' && controller) taken('2380');
  one.isRunning = true;
}

function emptyNode() {
  return { labels: new Map<string, string>(), annotations: new Map<string, string>(), taints: [] };
}

function stop(node: MkeNode, one: Container, name: string): void {
  const kube = node.cluster.kube.get(node.hostname);
  // The node stays "ready" until an API server notices.
  if (name === 'ucp-kubelet' && kube && node.containers.get('ucp-kube-apiserver')?.isRunning)
    kube.ready = 'Unknown';
  one.isRunning = false;
}

/**
 * As in Docker, names are regular expressions of which one must match, and all labels must be
 * present.
 */
function ps(node: MkeNode, words: readonly string[]): string {
  let [all, onlyIds, format] = [false, false, '{{.Names}}'];
  const [patterns, labels]: [RegExp[], string[]] = [[], []];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '-a' || word === '-aq') all = true;
    if (word === '-aq') onlyIds = true;
    if (['-a', '-aq', '--no-trunc'].includes(word)) continue;
    const value = words[++index] ?? '';
    if (word === '--format') format = value;
    else if (word === '--filter' && value.startsWith('name='))
      patterns.push(new RegExp(value.slice(5)));
    else if (word === '--filter' && value.startsWith('label=')) labels.push(value.slice(6));
    else unknown('docker ps', words);
  }
  if (!onlyIds && format !== '{{.Names}}') unknown('docker ps', words);
  const chosen = sorted(node).filter(
    ([name, one]) =>
      (all || one.isRunning) &&
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(`/${name}`))) &&
      labels.every((label) => hasLabel(one, label)),
  );
  return chosen.map(([name, { id }]) => `${onlyIds ? id : name}\n`).join('');
}

function hasLabel({ labels }: Container, wanted: string): boolean {
  return Object.entries(labels).some(
    ([key, value]) => wanted === key || wanted === `${key}=${value}`,
  );
}

function sorted({ containers }: MkeNode): [string, Container][] {
  return [...containers].sort(([one], [other]) => (one < other ? -1 : 1));
}

function inspect(node: MkeNode, words: readonly string[]): string {
  const [flag, format = '', ...wanted] = words;
  const found = sorted(node).filter(
    ([name, { id }]) => wanted.includes(name) || wanted.includes(id),
  );
  if (found.length < wanted.length) refuse(`Error: No such object: ${wanted.join(' ')}`);
  if (flag === '--type' && format === 'container')
    return `${JSON.stringify(found.map(([name, one]) => described(name, one)))}\n`;
  const known = formats[flag === '--format' ? format : ''] ?? unknown('docker inspect', words);
  return found.map(([name, one]) => `${known(name, one)}\n`).join('');
}

const formats: Record<string, (name: string, container: Container) => string> = {
  '{{.Config.Image}}': (_, { image }) => image,
  '{{if not (index .Config.Labels "com.docker.swarm.task.id")}}{{.Name}} {{.State.Status}} {{json .HostConfig.RestartPolicy}}{{end}}':
    (name, one) => `/${name} ${stateOf(one)} ${JSON.stringify(policyOf(one))}`,
};

function stateOf({ isRunning }: Container): string {
  return isRunning ? 'running' : 'exited';
}

function policyOf({ restart }: Container) {
  return { Name: restart, MaximumRetryCount: 0 };
}

/** Output of `inspect` for a container. The id of an image is its name. */
function described(name: string, one: Container): unknown {
  const { id, image, isRunning, labels, args, mounts } = one;
  return {
    ...{ Id: id, Name: `/${name}`, Image: image },
    State: { Status: stateOf(one), Running: isRunning },
    Config: { Image: image, Labels: labels },
    ...{ Args: args, Mounts: mounts },
    HostConfig: { AutoRemove: false, RestartPolicy: policyOf(one) },
  };
}

function run(node: MkeNode, words: readonly string[]): string {
  const { tree } = node.host;
  const volumes = new Map<string, string>();
  let entry = '';
  let index = 0;
  for (; words[index]?.startsWith('-') === true; index++) {
    const word = words[index] ?? '';
    if (word === '--rm') continue;
    const value = words[++index] ?? '';
    if (word === '--entrypoint') entry = value;
    else if (word === '-v') {
      const [from = '', to = ''] = value.split(':');
      volumes.set(to, from);
    } else if (!['--log-driver', '-e', '--security-opt'].includes(word))
      unknown('docker run', words);
  }
  const [image = '', ...rest] = words.slice(index);
  if (entry === 'etcdctl' && rest.slice(0, 2).join(' ') === 'snapshot restore')
    return restoreSnapshot(tree, rest.slice(2), volumes);
  if (entry !== '' || rest[0] !== 'backup') unknown('docker run', words);
  if (!node.images.has(image)) refuse(`Unable to find image '${image}' locally`);
  const file = rest[rest.indexOf('--file') + 1] ?? '';
  const kept = [
    'ucp-kv',
    'ucp-cluster-root-ca',
    'ucp-client-root-ca',
    'ucp-controller-server-certs',
  ];
  const lines = tree
    .lines()
    .filter((line) => kept.some((one) => line.startsWith(`${VOLUMES}/${one}/`)));
  putFile(tree, `${volumes.get('/backup') ?? ''}/${file}`, `${lines.join('\n')}\n`);
  return '';
}

function swarmNodes(node: MkeNode, words: readonly string[]): string {
  const own = memberOf(node);
  if (own?.role !== 'manager')
    refuse('Error response from daemon: This node is not a swarm manager.');
  const { nodes } = node.cluster.swarm;
  const [verb = '', ...rest] = words;
  if (verb === 'inspect' && rest[0] === 'self' && rest[1] === '--format') {
    if (rest[2] === '{{json .Spec.Labels}}')
      return `${JSON.stringify(Object.fromEntries([...own.labels].sort()))}\n`;
    if (rest[2] === '{{.ManagerStatus.Leader}}') return `${String(own.isLeader)}\n`;
  }
  if (verb !== 'update') unknown('docker node', words);
  const name = rest.at(-1) ?? '';
  const { labels } = nodes.get(name) ?? refuse(`Error: No such node: ${name}`);
  for (let index = 0; index + 1 < rest.length; index += 2) {
    const [flag, value = ''] = rest.slice(index, index + 2);
    const [key = '', text = ''] = value.split('=');
    if (flag === '--label-add') labels.set(key, text);
    else if (flag === '--label-rm') labels.delete(key);
    else unknown('docker node', words);
  }
  return `${name}\n`;
}
