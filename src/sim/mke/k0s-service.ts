import { gunzipSync } from 'node:zlib';
import { dirname } from 'node:path';
import {
  nodeNamed,
  putFile,
  textAt,
  type ControlPlane,
  type KubeNode,
  type MkeNode,
} from './cluster.ts';
import { sumOf } from './etcdctl.ts';
import { checkConfig, settingOf } from './k0s-config.ts';
import { refuse, unknown } from './refusal.ts';

export const K0S = '/usr/local/bin/k0s';
export const DATA = '/var/lib/k0s';
const UNITS = '/etc/systemd/system';
const STORE = `${DATA}/etcd/member/snap/db`;
/** The last controller that stops stores the state of the control plane here. */
const KEPT = `${DATA}/plane`;

type Role = 'controller' | 'worker';

export function versionOf({ host }: MkeNode): string {
  const text = textAt(host.tree, K0S);
  if (text === undefined) refuse(`exec: ${K0S}: not found`, 127);
  return /^version=(.*)$/m.exec(text)?.[1] ?? refuse('cannot execute: Exec format error', 126);
}

/** `k0s install`: writes a systemd unit. */
export function install(node: MkeNode, words: readonly string[]): string {
  const { tree, services } = node.host;
  const [role = '', ...rest] = words;
  if (role !== 'controller' && role !== 'worker') unknown('k0s install', words);
  const given = flagsOf(rest);
  const config = given.get('config');
  if (config !== undefined) checkConfig(tree, config, 'failed to load node config: ');
  const token = given.get('token-file');
  if (token !== undefined && !tree.get(token)) refuse(`Error: ${token} does not exist`);
  const path = `${UNITS}/k0s${role}.service`;
  if (tree.get(path))
    refuse(
      `Error: failed to install k0s service: failed to install service: Init already exists: ${path}`,
    );
  const line = [...given]
    .map(([name, value]) => ` --${name}=${value}`)
    .sort()
    .join('');
  putFile(tree, path, `[Service]\nExecStart=${K0S} ${role}${line}\nRestart=always\n`);
  services.set(`k0s${role}.service`, { active: false, enabled: true, loaded: '' });
  return '';
}

const valued = ['config', 'token-file', 'profile', 'kubelet-extra-args', 'labels', 'taints'];

function flagsOf(words: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let index = 0; index < words.length; index++) {
    const [, name = '', , value] = /^--([a-z-]+)(=(.*))?$/.exec(words[index] ?? '') ?? [];
    if (name === '' || !(valued.includes(name) || ['enable-worker', 'no-taints'].includes(name)))
      unknown('k0s install', words);
    given.set(name, value ?? (valued.includes(name) ? (words[++index] ?? '') : 'true'));
  }
  return given;
}

/** Flags of the unit of a role. */
function unitFlags({ host }: MkeNode, role: Role): Map<string, string> {
  const text = textAt(host.tree, `${UNITS}/k0s${role}.service`) ?? '';
  const words = /^ExecStart=\S+ \S+(.*)$/m.exec(text)?.[1] ?? '';
  return new Map(
    [...words.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

export function startK0s(node: MkeNode, unit: string): void {
  const { tree } = node.host;
  const role: Role = unit === 'k0sworker.service' ? 'worker' : 'controller';
  versionOf(node);
  const flags = unitFlags(node, role);
  const config = flags.get('config');
  if (config !== undefined) checkConfig(tree, config, 'failed to load node config: ');
  portTaken(node, 'ucp-kubelet', 10250);
  tree.makeDirectories(`${DATA}/pki`);
  tree.chmod(`${DATA}/pki`, '751');
  tree.makeDirectories('/run/k0s');
  if (role === 'controller') {
    portTaken(node, 'ucp-kube-apiserver', 6443);
    startController(node, flags);
  } else {
    joinAsWorker(node, flags.get('token-file'));
  }
  putFile(tree, `${DATA}/kubelet.conf`, `kubeconfig of ${node.hostname}\n`, '600');
  for (const path of ['/kubelet']) tree.makeDirectories(`${DATA}${path}`);
  for (const path of ['/var/log/pods', '/var/log/containers']) tree.makeDirectories(path);
  putFile(
    tree,
    '/etc/cni/net.d/10-calico.conflist',
    '{"name":"k8s-pod-network","cniVersion":"0.3.1","plugins":[{"type":"calico"}],"installed-by":"k0s"}\n',
  );
  const own = ['/etc/k0s/containerd.toml', '/opt/cni/bin/calico'];
  for (const path of own) if (!tree.get(path)) putFile(tree, path, 'of k0s\n');
  registerNode(node, role, flags);
}

/**
 * Registers a node. Existing nodes keep their labels and taints. The version of a kubelet has no
 * build number.
 */
function registerNode(node: MkeNode, role: Role, flags: ReadonlyMap<string, string>): void {
  const { kube } = node.cluster;
  const known: KubeNode = kube.get(node.hostname) ?? {
    ...{ version: '', ready: '', runtime: '', annotations: new Map() },
    labels: new Map([['kubernetes.io/hostname', node.hostname]]),
    taints: [],
  };
  if (!kube.has(node.hostname) && role === 'controller') {
    known.labels.set('node.k0sproject.io/role', 'control-plane');
    if (!flags.has('no-taints')) known.taints.push('node-role.kubernetes.io/master:NoSchedule');
  }
  const version = versionOf(node).replace(/\.\d+$/, '');
  kube.set(node.hostname, { ...known, version, ready: 'True', runtime: 'containerd://1.7.13' });
}

function portTaken({ containers }: MkeNode, name: string, port: number): void {
  if (containers.get(name)?.isRunning === true)
    refuse(`Error: listen tcp 0.0.0.0:${String(port)}: bind: address already in use`);
}

function joinAsWorker(node: MkeNode, token: string | undefined): void {
  const hasJoined = node.host.tree.get(`${DATA}/kubelet.conf`) !== undefined;
  if (!hasJoined && token === undefined)
    refuse('Error: neither a kubelet kubeconfig nor a join token is there');
  if ((node.cluster.plane?.controllers.size ?? 0) === 0)
    refuse(
      'The connection to the server localhost:6443 was refused - did you specify the right host or port?',
    );
  if (!hasJoined && token !== undefined) needToken(node, 'worker', token);
}

function needToken(node: MkeNode, role: Role, path: string): void {
  const text = textAt(node.host.tree, path);
  if (text === undefined) refuse(`Error: open ${path}: no such file or directory`);
  const plain = gunzipSync(Buffer.from(text, 'base64')).toString();
  const [, id = '', secret] = /^ *token: ([^.]*)\.(.*)$/m.exec(plain) ?? [];
  const known = node.cluster.plane?.tokens.get(id);
  if (known?.role !== role || known.secret !== secret)
    refuse('Error: failed to join: token is not valid');
}

function startController(node: MkeNode, flags: ReadonlyMap<string, string>): void {
  const { host, cluster, hostname } = node;
  const { tree } = host;
  const config = textAt(tree, flags.get('config') ?? '') ?? '';
  checkKey(node, config);
  const token = flags.get('token-file');
  if (token !== undefined && !tree.get(`${DATA}/pki/ca.key`)) {
    needToken(node, 'controller', token);
    for (const [name, bytes] of cluster.plane?.pki ?? [])
      putFile(tree, `${DATA}/pki/${name}`, bytes);
    putFile(tree, STORE, cluster.plane?.etcd ?? '');
  } else {
    takeOver(node);
  }
  const plane = cluster.plane ?? emptyPlane();
  cluster.plane = plane;
  tree.chmod(`${DATA}/etcd`, '700');
  const key = tree.get(`${DATA}/pki/ca.key`)?.content ?? Buffer.alloc(0);
  putFile(tree, `${DATA}/pki/admin.conf`, adminConfig(apiAddress(node), sumOf(key)), '640');
  tree.chmod(`${DATA}/pki/ca.key`, '640');
  putFile(tree, `${DATA}/pki/apiserver-etcd-client.crt`, 'client certificate of kube-apiserver\n');
  plane.etcd = tree.get(STORE)?.content ?? Buffer.alloc(0);
  plane.controllers.add(hostname);
}

/**
 * Checks that kube-apiserver, which runs as its own user in the group root, can read the encryption
 * key.
 */
function checkKey({ host: { tree } }: MkeNode, config: string): void {
  const path = /"encryption-provider-config":"([^"]*)"/.exec(config)?.[1];
  if (path === undefined) return;
  const mode = tree.get(path)?.mode ?? '';
  if (!/[4567].?$/.test(mode.slice(-2)))
    refuse(
      `Error: error while parsing encryption provider configuration file "${path}": open ${path}: permission denied`,
    );
}

/** Uses existing data: k0s starts etcd with the data directory that it finds. */
function takeOver({ host: { tree }, cluster, hostname }: MkeNode): void {
  const kept = textAt(tree, `${KEPT}/state`);
  if (!cluster.plane && kept !== undefined) {
    cluster.plane = cluster.kept.get(kept);
    tree.remove(KEPT);
  }
  cluster.plane ??= emptyPlane();
  if (!tree.get(`${DATA}/pki/ca.key`))
    for (const file of ['ca.key', 'ca.crt'])
      putFile(tree, `${DATA}/pki/${file}`, `ca of ${hostname}\n`);
  for (const file of ['ca.key', 'ca.crt', 'sa.key', 'sa.pub']) {
    const bytes = tree.get(`${DATA}/pki/${file}`)?.content;
    if (bytes) cluster.plane.pki.set(file, bytes);
  }
  if (!tree.get(STORE)) putFile(tree, STORE, 'revision 1\n');
}

function emptyPlane(): ControlPlane {
  return {
    ...{ pki: new Map(), etcd: Buffer.alloc(0), tokens: new Map(), controllers: new Set() },
    ...{ deleted: new Set(), marks: new Map() },
  };
}

/** The node object stays Ready, as in the first 40 seconds of a real cluster. */
export function stopK0s({ host: { tree }, cluster, hostname }: MkeNode, unit: string): void {
  const { plane } = cluster;
  if (unit !== 'k0scontroller.service' || !plane) return;
  plane.controllers.delete(hostname);
  if (plane.controllers.size > 0) return;
  cluster.plane = undefined;
  tree.remove(KEPT);
  if (!tree.get(dirname(KEPT))) return;
  const name = `control plane ${String(++cluster.serial)}\n`;
  cluster.kept.set(name, plane);
  putFile(tree, `${KEPT}/state`, name);
}

/** API address in kubeconfigs and tokens. */
export function apiAddress(node: MkeNode): string {
  const config = textAt(node.host.tree, unitFlags(node, 'controller').get('config') ?? '') ?? '';
  return (
    settingOf(config, 'externalAddress') ||
    settingOf(config, 'address') ||
    (nodeNamed(node.cluster, node.hostname)?.address ?? '')
  );
}

function adminConfig(address: string, sum: number): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: bGFi
    server: https://${address}:6443
  name: local
contexts:
- context:
    cluster: local
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    token: lab-${String(sum)}
`;
}
