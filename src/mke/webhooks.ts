import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../core/json.ts';

/** A webhook whose requests fail while it does not respond. */
export interface Webhook {
  /** Such as "ValidatingWebhookConfiguration policy". */
  configuration: string;
  name: string;
  /** `namespace/name` of its service. */
  service: string;
  /** Number of ready endpoints of the service. */
  ready: number;
  /** Whether it intercepts nodes, or objects in kube-system that k0s creates when it starts. */
  blocks_start: boolean;
}

export interface Admission {
  validating: JsonValue;
  mutating: JsonValue;
  endpointSlices: JsonValue;
  /** The namespace kube-system. */
  kubeSystem: JsonValue;
}

/** Resources that k0s and its components create when they start, by API group. */
const CREATED: Record<string, string[]> = {
  '': ['pods', 'configmaps', 'services', 'serviceaccounts', 'secrets', 'endpoints'],
  apps: ['daemonsets', 'deployments', 'replicasets'],
};

const listOf = (value: JsonValue | undefined): JsonObject[] => arrayOf(value).map(objectOf);
const wordsOf = (value: JsonValue | undefined): string[] => arrayOf(value).map(String);
const itemsOf = (list: JsonValue): JsonObject[] => listOf(objectOf(list)['items']);

/** Whether labels match a label selector. An empty selector matches all. */
export function selects(selector: JsonObject, labels: JsonObject): boolean {
  const equal = Object.entries(objectOf(selector['matchLabels'])).every(
    ([key, value]) => labels[key] === value,
  );
  return (
    equal &&
    listOf(selector['matchExpressions']).every(({ key, operator, values }) => {
      const has = labels[String(key)];
      const listed = has !== undefined && wordsOf(values).includes(String(has));
      switch (String(operator)) {
        case 'In':
          return listed;
        case 'NotIn':
          return !listed;
        case 'Exists':
          return has !== undefined;
        case 'DoesNotExist':
          return has === undefined;
        default:
          return true;
      }
    })
  );
}

function concerns(rule: JsonObject, group: string, resources: readonly string[]): boolean {
  const any = (list: string[], wanted: readonly string[]) =>
    list.includes('*') || wanted.some((one) => list.includes(one));
  const named = wordsOf(rule['resources']);
  return (
    any(wordsOf(rule['apiGroups']), [group]) &&
    any(wordsOf(rule['operations']), ['CREATE', 'UPDATE']) &&
    (any(named, resources) || named.includes('*/*'))
  );
}

/** Webhooks with `failurePolicy: Fail` whose service runs in the cluster. */
export function failingWebhooks({
  validating,
  mutating,
  endpointSlices,
  kubeSystem,
}: Admission): Webhook[] {
  const labels = {
    'kubernetes.io/metadata.name': 'kube-system',
    ...objectOf(objectOf(objectOf(kubeSystem)['metadata'])['labels']),
  };
  const ready = new Map<string, number>();
  for (const slice of itemsOf(endpointSlices)) {
    const { namespace, labels: own } = objectOf(slice['metadata']);
    const service = `${String(namespace)}/${String(objectOf(own)['kubernetes.io/service-name'])}`;
    // An endpoint without the condition counts as ready.
    const count = listOf(slice['endpoints']).filter(
      (one) => objectOf(one['conditions'])['ready'] !== false,
    ).length;
    ready.set(service, (ready.get(service) ?? 0) + count);
  }
  const configurations = [
    ...itemsOf(validating).map((one) => ({ one, kind: 'ValidatingWebhookConfiguration' })),
    ...itemsOf(mutating).map((one) => ({ one, kind: 'MutatingWebhookConfiguration' })),
  ];
  return configurations.flatMap(({ one, kind }) =>
    listOf(one['webhooks']).flatMap((webhook): Webhook[] => {
      const target = objectOf(objectOf(webhook['clientConfig'])['service']);
      // "Fail" is the default.
      if ((webhook['failurePolicy'] ?? 'Fail') !== 'Fail' || target['name'] === undefined)
        return [];
      const service = `${String(target['namespace'])}/${String(target['name'])}`;
      const rules = listOf(webhook['rules']);
      // The namespace selector does not apply to cluster-scoped objects such as nodes.
      const nodes = rules.some(
        (rule) => rule['scope'] !== 'Namespaced' && concerns(rule, '', ['nodes']),
      );
      const inKubeSystem =
        selects(objectOf(webhook['namespaceSelector']), labels) &&
        rules.some(
          (rule) =>
            rule['scope'] !== 'Cluster' &&
            Object.entries(CREATED).some(([group, names]) => concerns(rule, group, names)),
        );
      return [
        {
          configuration: `${kind} ${String(objectOf(one['metadata'])['name'])}`,
          name: String(webhook['name']),
          service,
          ready: ready.get(service) ?? 0,
          blocks_start: nodes || inKubeSystem,
        },
      ];
    }),
  );
}
