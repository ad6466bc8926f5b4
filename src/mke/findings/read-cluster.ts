import { ConnectError, TaskError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { quote } from '../../util/shell.ts';
import type { Mke3Client } from '../api.ts';
import type { ClusterView } from './cluster-view.ts';
import { configMapsOf, logAgentsOf } from './docker-logs.ts';
import type { Finding } from './finding.ts';
import { NO_ACCOUNTS, type Accounts } from './lost-access.ts';

/** Lists that the checks need: `API_VERSION/RESOURCE` and the kind of the objects. */
const LISTS: readonly [string, string][] = [
  ['v1/nodes', 'Node'],
  ['v1/namespaces', 'Namespace'],
  ['v1/pods', 'Pod'],
  ['v1/persistentvolumes', 'PersistentVolume'],
  ['v1/replicationcontrollers', 'ReplicationController'],
  ['apps/v1/deployments', 'Deployment'],
  ['apps/v1/statefulsets', 'StatefulSet'],
  ['apps/v1/daemonsets', 'DaemonSet'],
  ['apps/v1/replicasets', 'ReplicaSet'],
  ['batch/v1/jobs', 'Job'],
  ['batch/v1/cronjobs', 'CronJob'],
  ['autoscaling/v2/horizontalpodautoscalers', 'HorizontalPodAutoscaler'],
  ['policy/v1/poddisruptionbudgets', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1/ingresses', 'Ingress'],
  ['flowcontrol.apiserver.k8s.io/v1beta3/flowschemas', 'FlowSchema'],
  [
    'flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations',
    'PriorityLevelConfiguration',
  ],
  ['apiextensions.k8s.io/v1/customresourcedefinitions', 'CustomResourceDefinition'],
  [
    'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
  ],
  ['admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'],
  ['rbac.authorization.k8s.io/v1/clusterrolebindings', 'ClusterRoleBinding'],
  ['rbac.authorization.k8s.io/v1/rolebindings', 'RoleBinding'],
];
/** Selects Helm release revisions that are installed. */
const HELM = { labelSelector: 'owner=helm,status!=superseded,status!=uninstalled' };
/** Maximum number of ConfigMaps to read. Clusters have few log agents. */
const MAX_CONFIG_MAPS = 30;
/** Maximum number of users whose client bundles are read, with one request each. */
const MAX_USERS = 50;

export interface ReadCluster {
  view: ClusterView;
  accounts: Accounts;
  metrics: string;
  /** A finding for everything that could not be read. */
  unread: Finding[];
}

/**
 * Reads the input of the workload checks from the MKE 3 API. Each list that cannot be read becomes a finding, and the checks
 * continue without it.
 *
 * @param kubernetes URL of the Kubernetes API, for its metrics
 * @param roots data directories of the Docker engines
 */
export async function readCluster(
  client: Mke3Client,
  { kubernetes, roots }: { kubernetes: string; roots: readonly string[] },
): Promise<ReadCluster> {
  const unread: Finding[] = [];
  const tried = async <T>(what: Unread, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      // If MKE 3 is unreachable, nothing else can be read from it either.
      const isRefusal = error instanceof TaskError;
      if (!isRefusal && !(error instanceof ConnectError && what.elsewhere)) throw error;
      unread.push(unreadFinding(what, error.message));
      return undefined;
    }
  };
  const objects: JsonObject[] = [];
  const complete = new Set<string>();
  for (const [list, kind] of LISTS) {
    const resource = list.slice(list.lastIndexOf('/') + 1);
    const apiVersion = list.slice(0, -resource.length - 1);
    const path = `${apiVersion === 'v1' ? '/api/' : '/apis/'}${list}`;
    const remedy = `kubectl get ${resource} -A`;
    const items = await tried({ what: resource, remedy }, () => client.objects(path));
    if (!items) continue;
    complete.add(kind);
    for (const item of items) objects.push({ ...item, apiVersion, kind });
  }
  objects.push(...(await helmObjects(client, tried)));
  objects.push(...(await settingsOfAgents({ objects, complete }, client, { tried, roots })));
  const accounts = (await accountsOf(client, tried, unread)) ?? NO_ACCOUNTS;
  const metrics = await tried(
    {
      what: 'metrics of the API',
      elsewhere: true,
      remedy: "kubectl get --raw /metrics | grep '^apiserver_requested_deprecated_apis'",
    },
    () => client.metrics(kubernetes),
  );
  return { view: { objects, complete }, accounts, metrics: metrics ?? '', unread };
}

interface Unread {
  what: string;
  remedy: string;
  /** It is read from another address than the rest. */
  elsewhere?: true;
}
type Tried = <T>(what: Unread, read: () => Promise<T>) => Promise<T | undefined>;

function unreadFinding({ what, remedy }: Unread, message: string): Finding {
  return {
    id: 'check_not_made',
    severity: 'warning',
    blocking: false,
    object: `cluster, ${what}`,
    evidence: `The workload checks ran without ${what}, which could not be read: ${message}`,
    remedy,
  };
}

async function helmObjects(client: Mke3Client, tried: Tried): Promise<JsonObject[]> {
  const remedy = 'helm list -A';
  const secrets = await tried({ what: 'releases of Helm (Secrets)', remedy }, () =>
    client.objects('/api/v1/secrets', { ...HELM, fieldSelector: 'type=helm.sh/release.v1' }),
  );
  const maps = await tried({ what: 'releases of Helm (ConfigMaps)', remedy }, () =>
    client.objects('/api/v1/configmaps', HELM),
  );
  const as = (kind: string) => (one: JsonObject) => ({ ...one, apiVersion: 'v1', kind });
  return [...(secrets ?? []).map(as('Secret')), ...(maps ?? []).map(as('ConfigMap'))];
}

/** Reads the ConfigMaps of log agents, which show whether an agent supports the CRI log format. */
async function settingsOfAgents(
  view: ClusterView,
  client: Mke3Client,
  { tried, roots }: { tried: Tried; roots: readonly string[] },
): Promise<JsonObject[]> {
  const agents = logAgentsOf(view, roots);
  const names = new Set(
    agents.flatMap(({ namespace, pod }) =>
      configMapsOf(pod).map((name) => JSON.stringify([namespace, name])),
    ),
  );
  const found: JsonObject[] = [];
  for (const key of [...names].slice(0, MAX_CONFIG_MAPS)) {
    const [namespace = '', name = ''] = JSON.parse(key) as string[];
    const read = {
      what: `ConfigMap ${namespace}/${name}`,
      remedy: `kubectl -n ${namespace} get configmap ${name} -o yaml`,
    };
    const map = await tried(read, () =>
      client.object(`/api/v1/namespaces/${namespace}/configmaps/${name}`),
    );
    if (map) found.push({ ...map, apiVersion: 'v1', kind: 'ConfigMap' });
  }
  return found;
}

async function accountsOf(
  client: Mke3Client,
  tried: Tried,
  unread: Finding[],
): Promise<Accounts | undefined> {
  const remedy = 'kubectl get clusterrolebindings,rolebindings -A -o wide';
  const found = await tried({ what: 'accounts', remedy }, () => client.directory());
  if (!found) return undefined;
  const users: Accounts['users'] = [];
  for (const [index, { id, name }] of found.users.entries()) {
    const asked = index < MAX_USERS && !unread.some(({ object }) => object === BUNDLES);
    const read = { what: 'client bundles', remedy: BUNDLES_REMEDY };
    const bundles = asked ? await tried(read, () => client.bundles(name)) : undefined;
    users.push({ id, name, bundles: bundles ?? 0 });
  }
  if (found.users.length > MAX_USERS)
    unread.push(
      unreadFinding(
        { what: 'client bundles', remedy: BUNDLES_REMEDY },
        `MKE 3 has ${String(found.users.length)} users, and runner reads the bundles of the first ${String(MAX_USERS)}. The first user that was not checked is ${quote(found.users[MAX_USERS]?.name ?? '')}.`,
      ),
    );
  return { ...found, users };
}

const BUNDLES = 'cluster, client bundles';
const BUNDLES_REMEDY = 'kubectl config get-contexts # on machines that could use client bundles';
