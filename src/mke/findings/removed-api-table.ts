/*
 * API versions that Kubernetes no longer serves, from its Deprecated API Migration Guide,
 * https://kubernetes.io/docs/reference/using-api/deprecation-guide/. A test compares the table with those of pluto and kubent.
 * The table is complete up to v1.32.
 */

/** Rows: first minor release without the API version, API version, kinds, and the replacement (empty for none). */
const ROWS: [number, string, string, string][] = [
  [32, 'flowcontrol.apiserver.k8s.io/v1beta3', 'FlowSchema PriorityLevelConfiguration', 'v1'],
  [29, 'flowcontrol.apiserver.k8s.io/v1beta2', 'FlowSchema PriorityLevelConfiguration', 'v1beta3'],
  [27, 'storage.k8s.io/v1beta1', 'CSIStorageCapacity', 'v1'],
  [26, 'flowcontrol.apiserver.k8s.io/v1beta1', 'FlowSchema PriorityLevelConfiguration', 'v1beta3'],
  [26, 'autoscaling/v2beta2', 'HorizontalPodAutoscaler', 'v2'],
  [25, 'autoscaling/v2beta1', 'HorizontalPodAutoscaler', 'v2'],
  [25, 'batch/v1beta1', 'CronJob', 'v1'],
  [25, 'discovery.k8s.io/v1beta1', 'EndpointSlice', 'v1'],
  [25, 'events.k8s.io/v1beta1', 'Event', 'v1'],
  [25, 'node.k8s.io/v1beta1', 'RuntimeClass', 'v1'],
  [25, 'policy/v1beta1', 'PodDisruptionBudget', 'v1'],
  [25, 'policy/v1beta1', 'PodSecurityPolicy', ''],
  [
    ...([22, 'admissionregistration.k8s.io/v1beta1'] as const),
    ...(['MutatingWebhookConfiguration ValidatingWebhookConfiguration', 'v1'] as const),
  ],
  [22, 'apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', 'v1'],
  [22, 'apiregistration.k8s.io/v1beta1', 'APIService', 'v1'],
  [22, 'authentication.k8s.io/v1beta1', 'TokenReview', 'v1'],
  [
    ...([22, 'authorization.k8s.io/v1beta1'] as const),
    ...(['LocalSubjectAccessReview SelfSubjectAccessReview SubjectAccessReview', 'v1'] as const),
  ],
  [22, 'certificates.k8s.io/v1beta1', 'CertificateSigningRequest', 'v1'],
  [22, 'coordination.k8s.io/v1beta1', 'Lease', 'v1'],
  [22, 'extensions/v1beta1', 'Ingress', 'networking.k8s.io/v1'],
  [22, 'networking.k8s.io/v1beta1', 'Ingress IngressClass', 'v1'],
  [
    ...([22, 'rbac.authorization.k8s.io/v1beta1'] as const),
    ...(['ClusterRole ClusterRoleBinding Role RoleBinding', 'v1'] as const),
  ],
  [22, 'scheduling.k8s.io/v1beta1', 'PriorityClass', 'v1'],
  [22, 'storage.k8s.io/v1beta1', 'CSIDriver CSINode StorageClass VolumeAttachment', 'v1'],
  [16, 'extensions/v1beta1', 'DaemonSet Deployment ReplicaSet', 'apps/v1'],
  [16, 'extensions/v1beta1', 'NetworkPolicy', 'networking.k8s.io/v1'],
  [16, 'extensions/v1beta1', 'PodSecurityPolicy', ''],
  [16, 'apps/v1beta1', 'Deployment ReplicaSet StatefulSet', 'v1'],
  [16, 'apps/v1beta2', 'DaemonSet Deployment ReplicaSet StatefulSet', 'v1'],
];

export interface RemovedApi {
  apiVersion: string;
  kind: string;
  /** The first release that does not serve it, such as "1.29". */
  removedIn: string;
  /** Such as "batch/v1"; empty if there is no replacement. */
  replacement: string;
}

export const REMOVED_APIS: readonly RemovedApi[] = ROWS.flatMap(
  ([minor, apiVersion, kinds, version]) => {
    const group = apiVersion.split('/')[0] ?? '';
    const isWhole = version === '' || version.includes('/');
    const replacement = isWhole ? version : `${group}/${version}`;
    const removedIn = `1.${String(minor)}`;
    return kinds.split(' ').map((kind) => ({ apiVersion, kind, removedIn, replacement }));
  },
);

/** Minor release of a version such as "v1.29.15+k0s.0" or "1.30". */
export function minorOf(release: string): number {
  return Number(/^v?1\.(\d+)/.exec(release)?.[1] ?? Number.NaN);
}

const byName = new Map(REMOVED_APIS.map((one) => [`${one.apiVersion} ${one.kind}`, one]));

/**
 * The entry of an API version that a release does not serve; undefined if it serves it. For a list kind, the entry of its items.
 *
 * @param release such as "v1.29.15+k0s.0"
 */
export function removedApi(
  apiVersion: string,
  kind: string,
  release: string,
): RemovedApi | undefined {
  const found = byName.get(`${apiVersion} ${kind.replace(/List$/, '')}`);
  return found && minorOf(found.removedIn) <= minorOf(release) ? found : undefined;
}
