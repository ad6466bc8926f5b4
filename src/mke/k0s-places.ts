import { arrayOf, isJsonObject, objectOf, type JsonObject, type JsonValue } from '../core/json.ts';
import { setPath, textMap } from './convert/values.ts';

interface K0sPlace {
  /** Path in "spec" of MKE 4.0; includes everything below it. `list[x]` is the item of the list with the provider x. */
  from: string;
  /** Path in "spec" of k0s.yaml, or a description of several paths. */
  to: string;
  /** Converts the value; if undefined is returned, k0s does not get it. Absent if k0s-config.ts computes the setting. */
  as?: (value: JsonValue) => JsonValue | undefined;
}

const CALICO = 'network.providers[calico].extraConfig';
const asIs = (value: JsonValue): JsonValue => value;
const asText = (value: JsonValue): JsonValue => String(value);
const asNumber = (value: JsonValue): JsonValue => Number(value);
const nonEmpty = (value: JsonValue): JsonValue | undefined => (value === '' ? undefined : value);
/** A flag that is set if the value is true, and otherwise omitted. */
const ifOn =
  (text: string) =>
  (value: JsonValue): JsonValue | undefined =>
    value === true ? text : undefined;
/** "info" is already the default of k0s. */
const debugOnly = (value: JsonValue): JsonValue | undefined =>
  value === 'DEBUG' ? value : undefined;

/**
 * Maps paths in "spec" of MKE 4 to k0s. Longer paths come first; a later entry overrides an earlier one. k0s.yaml and the
 * settings page are generated from this table. Paths that are not in it take effect when MKE 4 applies the configuration.
 */
export const k0sPlaces: readonly K0sPlace[] = [
  { from: 'apiServer.sans', to: 'api.sans', as: asIs },
  { from: 'apiServer.requestTimeout', to: 'api.extraArgs.request-timeout', as: asText },
  { from: 'apiServer.eventRateLimit.enabled', to: 'api.extraArgs.enable-admission-plugins' },
  { from: 'apiServer.audit', to: 'api.extraArgs.audit-*' },
  { from: 'apiServer.extraArgs', to: 'api.extraArgs' },
  {
    from: 'controllerManager.terminatedPodGCThreshold',
    to: 'controllerManager.extraArgs.terminated-pod-gc-threshold',
    as: asText,
  },
  { from: 'controllerManager.extraArgs', to: 'controllerManager.extraArgs', as: textMap },
  { from: 'scheduler.profilingEnabled', to: 'scheduler.extraArgs.profiling', as: ifOn('true') },
  { from: 'scheduler.bindToAll', to: 'scheduler.extraArgs.bind-address', as: ifOn('0.0.0.0') },
  { from: 'scheduler.extraArgs', to: 'scheduler.extraArgs', as: textMap },
  { from: 'etcd.storageQuota', to: 'storage.etcd.extraArgs.quota-backend-bytes' },
  { from: 'etcd.tlsCipherSuites', to: 'storage.etcd.extraArgs.cipher-suites', as: asText },
  { from: 'kubelet.extraArgs', to: 'workerProfiles, --kubelet-extra-args' },
  { from: 'kubelet', to: 'workerProfiles' },
  { from: 'network.serviceCIDR', to: 'network.serviceCIDR', as: asText },
  { from: 'network.nodePortRange', to: 'api.extraArgs.service-node-port-range', as: asText },
  { from: 'network.kubeProxy', to: 'network.kubeProxy' },
  { from: `${CALICO}.clusterCIDRIPv4`, to: 'network.podCIDR', as: asText },
  { from: `${CALICO}.mode`, to: 'network.calico.mode', as: asText },
  { from: `${CALICO}.overlay`, to: 'network.calico.overlay', as: asText },
  { from: `${CALICO}.vxlanPort`, to: 'network.calico.vxlanPort', as: asNumber },
  { from: `${CALICO}.vxlanVNI`, to: 'network.calico.vxlanVNI', as: asNumber },
  {
    from: `${CALICO}.enableWireguard`,
    to: 'network.calico.wireguard',
    as: (value) => value === 'true',
  },
  {
    from: `${CALICO}.ipAutodetectionMethod`,
    to: 'network.calico.ipAutodetectionMethod',
    as: nonEmpty,
  },
  ...['CALICO_STARTUP_LOGLEVEL', 'FELIX_LOGSEVERITYSCREEN'].map((name): K0sPlace => {
    return { from: `${CALICO}.${name}`, to: `network.calico.envVars.${name}`, as: debugOnly };
  }),
  { from: 'tracking.enabled', to: 'telemetry.enabled', as: (value) => value === true },
];

/** The place in "spec" of k0s.yaml for a path in "spec" of MKE 4.0; undefined if there is none. */
export function k0sPlaceOf(path: string): string | undefined {
  return k0sPlaces.find(({ from }) => path === from || path.startsWith(`${from}.`))?.to;
}

/** The parts of "spec" in k0s.yaml that are copied from "spec" of MKE 4.0. */
export function copiedToK0s(spec: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const { from, to, as } of k0sPlaces) {
    const value = valueAt(spec, from);
    const copied = value === undefined ? undefined : as?.(value);
    if (copied === undefined) continue;
    const known = valueAt(result, to);
    setPath(result, to, isJsonObject(copied) ? { ...objectOf(known), ...copied } : copied);
  }
  return result;
}

function valueAt(root: JsonObject, path: string): JsonValue | undefined {
  return path.split('.').reduce<JsonValue | undefined>((node, part) => {
    const [, list, name] = /^(.+)\[(.+)\]$/.exec(part) ?? [];
    if (list === undefined) return objectOf(node)[part];
    return arrayOf(objectOf(node)[list]).find((one) => objectOf(one)['provider'] === name);
  }, root);
}
