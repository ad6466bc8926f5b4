import { createHash, generateKeyPairSync } from 'node:crypto';
import { CONTROLLERS } from './mke3-workloads.ts';

export const MKE3_VERSION = '3.7.16';

const managerContainers: Record<string, string> = {
  'ucp-controller': 'ucp-controller',
  'ucp-auth-api': 'ucp-auth',
  'ucp-auth-store': 'ucp-auth-store',
  'ucp-kv': 'ucp-etcd',
  'ucp-kube-apiserver': 'ucp-hyperkube',
  'ucp-kube-controller-manager': 'ucp-hyperkube',
  'ucp-kube-scheduler': 'ucp-hyperkube',
  'ucp-kubelet': 'ucp-hyperkube',
  'ucp-kube-proxy': 'ucp-hyperkube',
  'ucp-proxy': 'ucp-proxy',
  'ucp-swarm-manager': 'ucp-swarm',
  'ucp-cluster-root-ca': 'ucp-cfssl',
  'ucp-client-root-ca': 'ucp-cfssl',
};
const workerContainers: Record<string, string> = {
  'ucp-kubelet': 'ucp-hyperkube',
  'ucp-kube-proxy': 'ucp-hyperkube',
  'ucp-proxy': 'ucp-proxy',
};
/** The volume with the Kubernetes keys, as mounted in the containers. */
const MOUNTS = [
  {
    Type: 'volume',
    Name: 'ucp-node-certs',
    Source: '/var/lib/docker/volumes/ucp-node-certs/_data',
    Destination: '/etc/docker/ssl',
    RW: false,
  },
];
const ACCOUNT_KEYS = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const pods = [
  'k8s_calico-node_calico-node-x_kube-system_1_0',
  'k8s_coredns_coredns-x_kube-system_1_0',
  'k8s_web_web-x_default_1_0',
];

/** Parses the name of a container: k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT. */
function podOf(host: string, container: string) {
  const [, , name = '', namespace = ''] = container.split('_');
  return { name, namespace, uid: createHash('md5').update(`${host} ${name}`).digest('hex') };
}

/** The labels that cri-dockerd sets. */
function podLabels(host: string, container: string): string {
  const { name, namespace, uid } = podOf(host, container);
  const pod = `io.kubernetes.pod.name=${name}\nio.kubernetes.pod.namespace=${namespace}\nio.kubernetes.pod.uid=${uid}\n`;
  return `io.kubernetes.docker.type=container\n${pod}`;
}

/** The pod list of the Kubernetes API for the pods on the hosts. */
export function podList(hosts: readonly string[]): unknown {
  const items = hosts.flatMap((nodeName) =>
    pods.map((container) => {
      const metadata = podOf(nodeName, container);
      const owner = CONTROLLERS[metadata.name];
      const ownerReferences = owner ? [{ ...owner, controller: true }] : [];
      return { metadata: { ...metadata, ownerReferences }, spec: { nodeName } };
    }),
  );
  return { kind: 'PodList', items };
}

/** Writes a file in a directory. */
export type Put = (path: string, text: string) => void;

/** A host that becomes a node of the cluster. */
interface SeededHost {
  name: string;
  address: string;
  /** Unique directory, from which the machine ID is derived. */
  dir: string;
}

/** Writes the files of an MKE 3 host, and its entries in the cluster. */
export function seedHost(
  host: SeededHost,
  {
    put,
    share,
    certificate,
    isLeader,
  }: { put: Put; share: Put; certificate: string; isLeader: boolean },
): void {
  seedContainers(put, host.name);
  seedFiles(put, host.dir);
  if (isManager(host.name)) seedManagerVolumes(put, certificate);
  seedSwarm(share, host, isLeader);
  seedNode(share, host);
}

const isManager = (name: string): boolean => name.startsWith('manager');

function seedContainers(put: Put, name: string): void {
  const containers = { ...(isManager(name) ? managerContainers : workerContainers) };
  for (const pod of pods) containers[pod] = 'workload';
  for (const [container, image] of Object.entries(containers)) {
    const directory = `var/lib/lab/docker/containers/${container}`;
    put(
      `${directory}/image`,
      image === 'workload' ? 'registry.example.com/web:1\n' : `mirantis/${image}:${MKE3_VERSION}\n`,
    );
    put(`${directory}/id`, `${createHash('sha256').update(container).digest('hex')}\n`);
    put(`${directory}/state`, 'running\n');
    put(`${directory}/restart`, container.startsWith('ucp-') ? 'always\n' : 'no\n');
    put(`${directory}/args`, `${JSON.stringify(argsOf(container))}\n`);
    if (container.startsWith('ucp-kube-'))
      put(`${directory}/mounts`, `${JSON.stringify(MOUNTS)}\n`);
    if (container.startsWith('k8s_')) put(`${directory}/labels`, podLabels(name, container));
  }
  put('var/lib/lab/docker/networks/ucp-bridge', '');
  put('var/lib/lab/docker/images', `mirantis/ucp:${MKE3_VERSION}\n`);
}

/** Writes systemd units and files of the CNI, the kubelet and the node. */
function seedFiles(put: Put, dir: string): void {
  for (const unit of ['docker.service', 'cri-dockerd-mke.service', 'cri-dockerd-mke.socket']) {
    put(`etc/systemd/system/${unit}`, `[Unit]\nDescription=${unit} (lab)\n`);
    put(`var/lib/lab/systemd/${unit}.active`, '');
    put(`var/lib/lab/systemd/${unit}.enabled`, '');
  }
  put('etc/machine-id', `${createHash('md5').update(dir).digest('hex')}\n`);
  put(
    'etc/cni/net.d/10-calico.conflist',
    '{"name":"k8s-pod-network","cniVersion":"0.3.1","plugins":[{"type":"calico"}],"installed-by":"mke3"}\n',
  );
  put('etc/cni/net.d/calico-kubeconfig', 'apiVersion: v1\nkind: Config\n# of MKE 3\n');
  put('var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\n');
  put('var/lib/docker/volumes/ucp-node-certs/_data/cert.pem', 'node certificate\n');
}

function seedManagerVolumes(put: Put, certificate: string): void {
  const volumes = 'var/lib/docker/volumes';
  put(`${volumes}/ucp-kv/_data/datav3/member/snap/db`, etcdStore());
  put(`${volumes}/ucp-controller-server-certs/_data/ca.pem`, certificate);
  put(`${volumes}/ucp-controller-server-certs/_data/cert.pem`, certificate);
  for (const ca of ['ucp-cluster-root-ca', 'ucp-client-root-ca']) {
    put(`${volumes}/${ca}/_data/cert.pem`, `certificate of ${ca}\n`);
    put(`${volumes}/${ca}/_data/key.pem`, `key of ${ca}\n`);
  }
  put(`${volumes}/ucp-node-certs/_data/sa.key`, ACCOUNT_KEYS.privateKey);
  put(`${volumes}/ucp-node-certs/_data/sa.pub`, ACCOUNT_KEYS.publicKey);
  put(`${volumes}/ucp-node-certs/_data/encryption.cfg`, ENCRYPTION_CONFIG);
}

/** Registers the host as a Swarm node. */
function seedSwarm(
  put: Put,
  { name, address }: { name: string; address: string },
  isLeader: boolean,
): void {
  const node = `swarm/nodes/${name}`;
  put(`${node}/id`, `${createHash('sha1').update(name).digest('hex').slice(0, 25)}\n`);
  put(`${node}/role`, `${isManager(name) ? 'manager' : 'worker'}\n`);
  put(`${node}/address`, `${address}\n`);
  put(`${node}/labels/com.docker.ucp.orchestrator.kubernetes`, 'true\n');
  if (isLeader) put(`${node}/leader`, 'Leader\n');
  put('swarm/id', 'x7b3k2labclusterid\n');
  for (const service of ['ucp-manager-agent', 'ucp-worker-agent-x', 'ucp-cluster-agent'])
    put(`swarm/services/${service}`, `1\n${JSON.stringify(agentSpec(service))}\n`);
  for (const config of ['com.docker.ucp.config', 'com.docker.license'])
    put(`swarm/configs/${config}`, '');
}

/** Registers the host as a Kubernetes node. */
function seedNode(put: Put, { name, address }: { name: string; address: string }): void {
  put(`addresses/${name}`, `${address}\n`);
  put(`kube/nodes/${name}/version`, 'v1.27.7-mirantis-1\n');
  put(`kube/nodes/${name}/ready`, 'True\n');
  put(`kube/nodes/${name}/runtime`, 'docker://23.0.15\n');
  const labels = `kube/nodes/${name}/labels`;
  put(`${labels}/kubernetes.io/hostname`, `${name}\n`);
  put(`${labels}/com.docker.ucp.orchestrator.kubernetes`, 'true\n');
  if (isManager(name)) put(`${labels}/node-role.kubernetes.io/master`, '\n');
  if (isManager(name)) put(`kube/nodes/${name}/taints`, 'com.docker.ucp.manager:NoSchedule\n');
}

/** The specification of an MKE 3 service. */
function agentSpec(name: string): unknown {
  const container = { Image: `mirantis/ucp-agent:${MKE3_VERSION}@sha256:${'0'.repeat(64)}` };
  return {
    Name: name,
    Labels: {},
    TaskTemplate: { ContainerSpec: container },
    Mode: { Global: {} },
  };
}

/** 32 bytes as base64. */
export const ENCRYPTION_KEY = 'bGFiLW9ubHkta2V5LWxhYi1vbmx5LWtleS0wMTIzNDU=';

export const ENCRYPTION_CONFIG = `kind: EncryptionConfig
apiVersion: v1
resources:
- resources: [secrets]
  providers:
  - aescbc:
      keys:
      - name: key
        secret: ${ENCRYPTION_KEY}
`;

/** The arguments that `docker inspect` shows. Paths are inside the container. */
function argsOf(container: string): string[] {
  if (container === 'ucp-kube-controller-manager')
    return ['--service-account-private-key-file=/etc/docker/ssl/sa.key'];
  if (container !== 'ucp-kube-apiserver') return [];
  return [
    '--service-account-key-file=/etc/docker/ssl/sa.pub',
    '--service-account-signing-key-file=/etc/docker/ssl/sa.key',
    '--service-account-issuer=https://kubernetes.default.svc',
    '--encryption-provider-config=/etc/docker/ssl/encryption.cfg',
    '--etcd-prefix=/registry',
    '--service-cluster-ip-range=10.96.0.0/16',
  ];
}

function etcdStore(): string {
  const keys = [
    'namespaces/default',
    'namespaces/kube-system',
    'minions/manager1',
    'deployments/default/web',
    'daemonsets/kube-system/calico-node',
    'daemonsets/kube-system/ucp-metrics',
    'deployments/kube-system/calico-kube-controllers',
    'deployments/kube-system/coredns',
    'secrets/default/db',
  ];
  return `revision 48211\n${keys.map((key, index) => `/registry/${key}\tk8s:object:${String(index)}`).join('\n')}\n`;
}

/** A Swarm node in the format of the engine's API. */
export function swarmNode({
  hostname,
  id,
  role,
  address,
  isLeader,
  labels,
}: {
  hostname: string;
  id: string;
  role: string;
  address: string;
  isLeader: boolean;
  labels: Readonly<Record<string, string>>;
}): unknown {
  const platform = { Architecture: 'x86_64', OS: 'linux' };
  const manager = { Leader: isLeader, Reachability: 'reachable', Addr: `${address}:2377` };
  return {
    ID: id,
    Spec: { Role: role, Availability: 'active', Labels: labels },
    Description: {
      Hostname: hostname,
      Platform: platform,
      Engine: { EngineVersion: '23.0.15' },
    },
    Status: { State: 'ready', Addr: address },
    ...(role === 'manager' ? { ManagerStatus: manager } : {}),
  };
}
