import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { dirname, join } from 'node:path';
import { packageRoot } from '../util/package.ts';
import { selfSigned } from './certificate.ts';
import { Lab, type LabHost } from './lab.ts';
import { LAB_ADMIN, Mke3Api } from './mke3-api.ts';
import { NameServer } from './name-server.ts';

export const MKE3_VERSION = '3.7.16';

export interface ClusterShape {
  managers: number;
  workers: number;
}

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
/** The keys of Kubernetes, as the containers see them. */
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

/** Of the name of a container: k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT. */
function podOf(host: string, container: string) {
  const [, , name = '', namespace = ''] = container.split('_');
  return { name, namespace, uid: createHash('md5').update(`${host} ${name}`).digest('hex') };
}

/** As cri-dockerd sets them. */
function podLabels(host: string, container: string): string {
  const { name, namespace, uid } = podOf(host, container);
  const pod = `io.kubernetes.pod.name=${name}\nio.kubernetes.pod.namespace=${namespace}\nio.kubernetes.pod.uid=${uid}\n`;
  return `io.kubernetes.docker.type=container\n${pod}`;
}

/** What the API knows of the pods on the hosts. */
function podList(hosts: readonly string[]): unknown {
  const items = hosts.flatMap((nodeName) =>
    pods.map((container) => ({ metadata: podOf(nodeName, container), spec: { nodeName } })),
  );
  return { kind: 'PodList', items };
}

/** An MKE 3.7 cluster of stand-ins on lab hosts, with its API. */
export class Mke3Cluster {
  readonly lab: Lab;
  readonly api: Mke3Api;

  /** Answers for the DNS service of k0s. */
  readonly #names: NameServer;

  private constructor(lab: Lab, api: Mke3Api, names: NameServer) {
    this.lab = lab;
    this.api = api;
    this.#names = names;
  }

  static async start(shape: ClusterShape): Promise<Mke3Cluster> {
    const names = [
      ...Array.from({ length: shape.managers }, (_, index) => `manager${String(index + 1)}`),
      ...Array.from({ length: shape.workers }, (_, index) => `worker${String(index + 1)}`),
    ];
    const certificate = selfSigned(['127.0.0.1'], ['localhost', 'mke.example.com']);
    const dns = await NameServer.start('kubernetes.default.svc.cluster.local', '10.96.0.1');
    const lab = await Lab.start(names, (host, shared) => {
      writeFileSync(join(shared, 'dns'), `127.0.0.1 ${String(dns.port)}\n`);
      seedHost(host, shared, certificate.cert, host.name === names[0]);
      if (host.name !== names[0]) return;
      mkdirSync(join(shared, 'kube/api/v1'), { recursive: true });
      writeFileSync(join(shared, 'kube/api/v1/pods.json'), JSON.stringify(podList(names)));
    });
    const toml = readFileSync(join(packageRoot(), 'src', 'lab', 'mke3-config.toml'), 'utf8');
    const api = await Mke3Api.start({
      certificate,
      toml,
      nodes: () => swarmNodes(lab.files.shared),
      kubernetes: (path) => {
        const file = join(lab.files.shared, 'kube', `${path.slice(1)}.json`);
        return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : undefined;
      },
      isUp: () => controllerRuns(lab.hosts),
    });
    return new Mke3Cluster(lab, api, dns);
  }

  /** The stand-in of the k0s binary, as the upgrade would fetch it. */
  get k0sBinary(): string {
    return join(packageRoot(), 'src', 'lab', 'stand-ins', 'k0s');
  }

  /** What the shipped upgrade is told to work on this cluster, with a folder for what it writes on the controller. */
  upgradeInputs(folder: string): string[] {
    return [
      ...['--hosts-path', this.lab.files.hosts, '--mke3-admin-username', LAB_ADMIN.username],
      ...['--external-address', 'mke.example.com', '--mke3-external-address', this.api.address],
      // The managers of this lab have one API between them.
      ...['--skip-checks', 'manager_api'],
      ...['--k0s-binary', this.k0sBinary, '--config-out', join(folder, 'mke4.yaml')],
    ];
  }

  async stop(): Promise<void> {
    await this.#names.stop();
    await this.api.stop();
    await this.lab.stop();
  }
}

/** Writes a file below a directory. */
type Put = (path: string, text: string) => void;

const into =
  (base: string): Put =>
  (path, text) => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  };

/** What MKE 3 left on a host, and what the cluster knows of it. */
function seedHost(
  host: { name: string; address: string; dir: string },
  shared: string,
  certificate: string,
  isLeader: boolean,
): void {
  const put = into(host.dir);
  seedContainers(put, host.name);
  seedFiles(put, host.dir);
  if (isManager(host.name)) seedManagerVolumes(put, certificate);
  seedSwarm(into(shared), host, isLeader);
  seedNode(into(shared), host);
}

const isManager = (name: string): boolean => name.startsWith('manager');

function seedContainers(put: Put, name: string): void {
  const containers = { ...(isManager(name) ? managerContainers : workerContainers) };
  for (const pod of pods) containers[pod] = 'workload';
  for (const [container, image] of Object.entries(containers)) {
    const folder = `var/lib/lab/docker/containers/${container}`;
    put(
      `${folder}/image`,
      image === 'workload' ? 'registry.example.com/web:1\n' : `mirantis/${image}:${MKE3_VERSION}\n`,
    );
    put(`${folder}/id`, `${createHash('sha256').update(container).digest('hex')}\n`);
    put(`${folder}/state`, 'running\n');
    put(`${folder}/restart`, container.startsWith('ucp-') ? 'always\n' : 'no\n');
    put(`${folder}/args`, `${JSON.stringify(argsOf(container))}\n`);
    if (container.startsWith('ucp-kube-')) put(`${folder}/mounts`, `${JSON.stringify(MOUNTS)}\n`);
    if (container.startsWith('k8s_')) put(`${folder}/labels`, podLabels(name, container));
  }
  put('var/lib/lab/docker/networks/ucp-bridge', '');
  put('var/lib/lab/docker/images', `mirantis/ucp:${MKE3_VERSION}\n`);
}

/** Units of systemd, and files of the network, the kubelet and the node. */
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

/** The host as a node of the Swarm. */
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

/** The host as a node of Kubernetes. */
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

/** The part of a service of MKE 3 that says what it is. */
function agentSpec(name: string): unknown {
  const container = { Image: `mirantis/ucp-agent:${MKE3_VERSION}@sha256:${'0'.repeat(64)}` };
  return {
    Name: name,
    Labels: {},
    TaskTemplate: { ContainerSpec: container },
    Mode: { Global: {} },
  };
}

/** Whether one manager's controller runs: what a load balancer would find out. */
function controllerRuns(hosts: readonly LabHost[]): boolean {
  return hosts.some(({ root }) => {
    const file = join(root.dir, 'var/lib/lab/docker/containers/ucp-controller/state');
    return existsSync(file) && readFileSync(file, 'utf8').trim() === 'running';
  });
}

function swarmNodes(shared: string): unknown[] {
  const folder = join(shared, 'swarm/nodes');
  return readdirSync(folder).map((name) => {
    const read = (file: string) =>
      existsSync(join(folder, name, file))
        ? readFileSync(join(folder, name, file), 'utf8').trim()
        : '';
    const labels = readdirSync(join(folder, name, 'labels')).map((label) => [
      label,
      read(join('labels', label)),
    ]);
    const role = read('role');
    return {
      ID: read('id'),
      Spec: { Role: role, Availability: 'active', Labels: Object.fromEntries(labels) as unknown },
      Description: {
        Hostname: name,
        Platform: { Architecture: 'x86_64', OS: 'linux' },
        Engine: { EngineVersion: '23.0.15' },
      },
      Status: { State: 'ready', Addr: read('address') },
      ...(role === 'manager'
        ? {
            ManagerStatus: {
              Leader: read('leader') !== '',
              Reachability: 'reachable',
              Addr: `${read('address')}:2377`,
            },
          }
        : {}),
    };
  });
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

/** Flags as `docker inspect` shows them; paths are those inside the container. */
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
