import { gzipSync } from 'node:zlib';

/*
 * Kubernetes objects that the stand-in of the MKE 3 API returns: a small shop without findings. Tests add workloads that the
 * upgrade breaks.
 */

/** Controllers of the pods on the lab hosts, by pod name. */
export const CONTROLLERS: Record<string, { kind: string; name: string; apiVersion: string }> = {
  'calico-node-x': { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'calico-node' },
  'coredns-x': { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'coredns-7d' },
  'web-x': { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5f' },
};

interface Named {
  name: string;
  namespace?: string;
}

function workload(
  { name, namespace }: Required<Named>,
  image: string,
  { metadata = {}, ...spec }: { metadata?: object; replicas?: number },
): unknown {
  const labels = { app: name.replace(/-[0-9a-f]+$/, '') };
  const container = { name: labels.app, image, imagePullPolicy: 'IfNotPresent' };
  return {
    metadata: { name, namespace, labels, ...metadata },
    spec: {
      ...spec,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

const ownedBy = (kind: string, name: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name, controller: true }],
});
const WEB = 'registry.example.com/web:1';
const web = { name: 'web', namespace: 'default' };
const CALICO = 'mirantis/ucp-calico-node:3.7.16';
const COREDNS = 'mirantis/ucp-coredns:3.7.16';
const kubeSystem = (name: string) => ({ name, namespace: 'kube-system' });

/** The annotation that "kubectl apply" sets. */
const applied = (apiVersion: string, kind: string, { name, namespace }: Required<Named>) => ({
  'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify({
    apiVersion,
    kind,
    metadata: { annotations: {}, name, namespace },
  })}\n`,
});

function helmRelease(): unknown {
  const manifest =
    '---\n# Source: web/templates/service.yaml\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\n';
  const release = { name: 'web', namespace: 'default', version: 4, info: { status: 'deployed' } };
  const packed = gzipSync(JSON.stringify({ ...release, config: { token: 'lab-only' }, manifest }));
  const labels = { name: 'web', owner: 'helm', status: 'deployed', version: '4' };
  return {
    metadata: { name: 'sh.helm.release.v1.web.v4', namespace: 'default', labels },
    type: 'helm.sh/release.v1',
    data: { release: Buffer.from(packed.toString('base64')).toString('base64') },
  };
}

/** Lists by API path. */
const LISTS: Record<string, () => unknown[]> = {
  '/api/v1/namespaces': () =>
    ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    })),
  '/api/v1/secrets': () => [helmRelease()],
  '/apis/apps/v1/daemonsets': () => [workload(kubeSystem('calico-node'), CALICO, {})],
  '/apis/apps/v1/deployments': () => [
    workload(kubeSystem('coredns'), COREDNS, { replicas: 2 }),
    workload(web, WEB, {
      replicas: 2,
      metadata: { annotations: applied('apps/v1', 'Deployment', web) },
    }),
  ],
  '/apis/apps/v1/replicasets': () => [
    workload(kubeSystem('coredns-7d'), COREDNS, {
      replicas: 2,
      metadata: ownedBy('Deployment', 'coredns'),
    }),
    workload({ ...web, name: 'web-5f' }, WEB, {
      replicas: 2,
      metadata: ownedBy('Deployment', 'web'),
    }),
  ],
  '/apis/batch/v1/cronjobs': () => {
    const report = { name: 'report', namespace: 'default' };
    const containers = [{ name: 'report', image: 'registry.example.com/report:2' }];
    const template = { spec: { restartPolicy: 'OnFailure', containers } };
    const annotations = applied('batch/v1', 'CronJob', report);
    return [
      {
        metadata: { ...report, annotations },
        spec: { schedule: '0 2 * * *', jobTemplate: { spec: { template } } },
      },
    ];
  },
  '/apis/policy/v1/poddisruptionbudgets': () => [
    {
      metadata: web,
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
      status: { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 },
    },
  ],
  '/apis/rbac.authorization.k8s.io/v1/rolebindings': () => [
    {
      metadata: { name: 'deployers', namespace: 'default' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'deployer', namespace: 'default' }],
    },
  ],
};

/** Paths of lists that a cluster always has, even if they are empty. */
const KNOWN =
  /^\/(api\/v1\/(nodes|pods|configmaps|persistentvolumes|replicationcontrollers)|apis\/(apps|batch|autoscaling|policy|networking\.k8s\.io|flowcontrol\.apiserver\.k8s\.io|apiextensions\.k8s\.io|admissionregistration\.k8s\.io|rbac\.authorization\.k8s\.io|discovery\.k8s\.io)\/v[0-9a-z]+\/[a-z]+)$/;

/** Response of a cluster without defects for a path; undefined if the path does not exist. */
export function kubernetesDefaults(path: string): unknown {
  if (path === '/api/v1/namespaces/kube-system')
    return {
      metadata: { name: 'kube-system', labels: { 'kubernetes.io/metadata.name': 'kube-system' } },
    };
  const items = LISTS[path]?.();
  return items || KNOWN.test(path) ? { items: items ?? [] } : undefined;
}

/** A short sample of the metrics of the Kubernetes API. */
export const METRICS = `# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="1.32",resource="flowschemas",subresource="",version="v1beta3"} 1
# TYPE apiserver_storage_objects gauge
apiserver_storage_objects{resource="deployments.apps"} 2
`;

/** Applies the selectors, limit and continue token of a request to a list. */
export function pageOf(body: unknown, url: string): unknown {
  const { items } = body as { items?: Item[] };
  const query = new URL(url, 'https://localhost').searchParams;
  if (!Array.isArray(items)) return body;
  const found = items.filter(
    (item) =>
      fits(item, query.get('fieldSelector') ?? '', fieldOf) &&
      fits(item, query.get('labelSelector') ?? '', labelOf),
  );
  const start = Number(query.get('continue') ?? 0);
  const end = start + Number(query.get('limit') ?? found.length);
  const more = end < found.length ? { continue: String(end) } : {};
  return { metadata: more, items: found.slice(start, end) };
}

interface Item {
  type?: string;
  spec?: { nodeName?: string };
  metadata?: { labels?: Record<string, string> };
}

const fieldOf = ({ spec, type }: Item, name: string) => (name === 'type' ? type : spec?.nodeName);
const labelOf = ({ metadata }: Item, name: string) => metadata?.labels?.[name];

function fits(
  item: Item,
  selector: string,
  valueOf: (item: Item, name: string) => string | undefined,
): boolean {
  return selector
    .split(',')
    .filter((one) => one !== '')
    .every((one) => {
      const [, name = '', not, value] = /^([^!=]+)(!?)==?(.*)$/.exec(one) ?? [];
      return (valueOf(item, name) === value) !== (not === '!');
    });
}
