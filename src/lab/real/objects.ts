import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { ENCRYPTION_KEY } from '../mke3-seed.ts';
import type { RealHost } from './real-host.ts';

/** Creation time of the lab cluster's objects. */
export const CREATED = '2024-01-02T03:04:05Z';
/** Last heartbeat of the MKE 3 kubelets. */
const REPORTED = '2024-06-07T08:09:10Z';
const MKE3_KUBELET = 'v1.27.7-mirantis-1';
const CONFIG_MAPS = 40;
/** The password in the lab's Secret. */
export const SECRET = 'lab-secret';
/** Image of the lab's workload. */
export const WEB_IMAGE = 'registry.example.com/web:1';

type Value = Record<string, unknown>;

const uid = (name: string): string => {
  const hex = createHash('sha256').update(name).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
};

const metadata = (name: string, namespace?: string, more: Value = {}): Value => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  uid: uid(`${namespace ?? ''}/${name}`),
  creationTimestamp: CREATED,
  ...more,
});

function node({ name, address }: RealHost): Value {
  const isManager = name.startsWith('manager');
  const condition = (type: string, status: string, reason: string): Value => ({
    type,
    status,
    reason,
    message: reason,
    lastHeartbeatTime: REPORTED,
    lastTransitionTime: CREATED,
  });
  const room = { cpu: '2', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: metadata(name, undefined, {
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'com.docker.ucp.orchestrator.kubernetes': 'true',
        'example.com/rack': 'a',
        ...(isManager ? { 'node-role.kubernetes.io/master': '' } : {}),
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
    }),
    spec: {
      ...(isManager ? { taints: [{ key: 'com.docker.ucp.manager', effect: 'NoSchedule' }] } : {}),
    },
    status: {
      capacity: room,
      allocatable: room,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
        condition('Ready', 'True', 'KubeletReady'),
      ],
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: {
        machineID: uid(name),
        systemUUID: uid(name),
        bootID: uid(name),
        kernelVersion: '5.15.0',
        osImage: 'Debian GNU/Linux 12',
        operatingSystem: 'linux',
        architecture: 'amd64',
        containerRuntimeVersion: 'docker://20.10.24',
        kubeletVersion: MKE3_KUBELET,
        kubeProxyVersion: MKE3_KUBELET,
      },
    },
  };
}

const podTemplate = (app: string): Value => ({
  metadata: { labels: { app } },
  spec: {
    containers: [{ name: app, image: WEB_IMAGE, args: ['web'] }],
    // Short, so that pods of the lab do not delay tests.
    terminationGracePeriodSeconds: 2,
  },
});

const workload = (kind: string, namespace: string, name: string, more: Value = {}): Value => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: metadata(name, namespace, { generation: 1 }),
  spec: { selector: { matchLabels: { app: name } }, template: podTemplate(name), ...more },
  status: {},
});

/** A Kubernetes object in the lab cluster. */
export interface LabObject {
  /** Its key in etcd. */
  key: string;
  /** API path at which objects of its kind are created. */
  collection: string;
  value: Value & { kind: string; metadata: { name: string } };
}

function labObject(key: string, collection: string, value: Value): LabObject {
  return { key: `/registry/${key}`, collection, value: value as LabObject['value'] };
}

/** The objects of the lab cluster, in an order in which they can be created. */
export function labObjects(hosts: readonly RealHost[]): LabObject[] {
  const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'shop'];
  const apps = (namespace: string) => `/apis/apps/v1/namespaces/${namespace}`;
  return [
    ...namespaces.map((name) =>
      labObject(`namespaces/${name}`, '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: metadata(name, undefined, { labels: { 'kubernetes.io/metadata.name': name } }),
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      }),
    ),
    ...hosts.map((host) => labObject(`minions/${host.name}`, '/api/v1/nodes', node(host))),
    labObject(
      'daemonsets/kube-system/calico-node',
      `${apps('kube-system')}/daemonsets`,
      workload('DaemonSet', 'kube-system', 'calico-node'),
    ),
    labObject(
      'deployments/kube-system/coredns',
      `${apps('kube-system')}/deployments`,
      workload('Deployment', 'kube-system', 'coredns', { replicas: 2 }),
    ),
    labObject(
      'deployments/shop/web',
      `${apps('shop')}/deployments`,
      workload('Deployment', 'shop', 'web', { replicas: 2 }),
    ),
    ...Array.from({ length: CONFIG_MAPS }, (_, index) => {
      const name = `c${String(index)}`;
      return labObject(`configmaps/shop/${name}`, '/api/v1/namespaces/shop/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: metadata(name, 'shop'),
        data: { index: String(index) },
      });
    }),
    labObject('secrets/shop/db', '/api/v1/namespaces/shop/secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata('db', 'shop'),
      type: 'Opaque',
      data: { password: Buffer.from(SECRET).toString('base64') },
    }),
  ];
}

/** Encrypts an object with AES-CBC and the key named "key", in the storage format of kube-apiserver. */
function encrypted(value: Value): Buffer {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', Buffer.from(ENCRYPTION_KEY, 'base64'), iv);
  const bytes = [iv, cipher.update(JSON.stringify(value)), cipher.final()];
  return Buffer.concat([Buffer.from('k8s:enc:aescbc:v1:key:'), ...bytes]);
}

/** The value of an object in etcd: JSON, which kube-apiserver can read although it writes another format. */
export function etcdValue({ value }: LabObject): Buffer {
  return value.kind === 'Secret' ? encrypted(value) : Buffer.from(JSON.stringify(value));
}
