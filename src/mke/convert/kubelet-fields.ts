import type { JsonObject, JsonValue } from '../../core/json.ts';
import { flagsToMap, type FlagProblem } from './flags.ts';
import { pairs, setPath } from './values.ts';

type Kind = 'int' | 'bool' | 'text' | 'list' | 'map' | 'thresholds' | 'gates';

/** Kubelet flags with a field in KubeletConfiguration v1beta1. */
const kubeletFields: Record<string, [path: string, kind: Kind]> = {
  'max-pods': ['maxPods', 'int'],
  'pods-per-core': ['podsPerCore', 'int'],
  'pod-max-pids': ['podPidsLimit', 'int'],
  'kube-reserved': ['kubeReserved', 'map'],
  'system-reserved': ['systemReserved', 'map'],
  'eviction-hard': ['evictionHard', 'thresholds'],
  'eviction-soft': ['evictionSoft', 'thresholds'],
  'eviction-soft-grace-period': ['evictionSoftGracePeriod', 'map'],
  'eviction-minimum-reclaim': ['evictionMinimumReclaim', 'map'],
  'eviction-max-pod-grace-period': ['evictionMaxPodGracePeriod', 'int'],
  'eviction-pressure-transition-period': ['evictionPressureTransitionPeriod', 'text'],
  'image-gc-high-threshold': ['imageGCHighThresholdPercent', 'int'],
  'image-gc-low-threshold': ['imageGCLowThresholdPercent', 'int'],
  'minimum-image-ttl-duration': ['imageMinimumGCAge', 'text'],
  'event-qps': ['eventRecordQPS', 'int'],
  'event-burst': ['eventBurst', 'int'],
  'registry-qps': ['registryPullQPS', 'int'],
  'registry-burst': ['registryBurst', 'int'],
  'serialize-image-pulls': ['serializeImagePulls', 'bool'],
  'cpu-manager-policy': ['cpuManagerPolicy', 'text'],
  'cpu-cfs-quota': ['cpuCFSQuota', 'bool'],
  'topology-manager-policy': ['topologyManagerPolicy', 'text'],
  'memory-manager-policy': ['memoryManagerPolicy', 'text'],
  'container-log-max-size': ['containerLogMaxSize', 'text'],
  'container-log-max-files': ['containerLogMaxFiles', 'int'],
  'feature-gates': ['featureGates', 'gates'],
  'allowed-unsafe-sysctls': ['allowedUnsafeSysctls', 'list'],
  'protect-kernel-defaults': ['protectKernelDefaults', 'bool'],
  'seccomp-default': ['seccompDefault', 'bool'],
  'fail-swap-on': ['failSwapOn', 'bool'],
  'read-only-port': ['readOnlyPort', 'int'],
  'tls-cipher-suites': ['tlsCipherSuites', 'list'],
  'tls-min-version': ['tlsMinVersion', 'text'],
  'streaming-connection-idle-timeout': ['streamingConnectionIdleTimeout', 'text'],
  'node-status-update-frequency': ['nodeStatusUpdateFrequency', 'text'],
  'sync-frequency': ['syncFrequency', 'text'],
  'runtime-request-timeout': ['runtimeRequestTimeout', 'text'],
  'anonymous-auth': ['authentication.anonymous.enabled', 'bool'],
  'authorization-mode': ['authorization.mode', 'text'],
};

/** Flags whose fields k0s overwrites (k0s v1.29.3, pkg/component/worker/kubelet.go). */
const overwritten = new Set([
  'kube-reserved-cgroup',
  'resolv-conf',
  'cgroups-per-qos',
  'volume-plugin-dir',
]);

/** The KubeletConfiguration field that a flag sets; undefined if there is none or the value is not valid. */
export function kubeletField(
  name: string,
  text: string,
): { path: string; value: JsonValue } | undefined {
  const field = kubeletFields[name];
  const value = field && convertValue(text, field[1]);
  return field && value !== undefined ? { path: field[0], value } : undefined;
}

/** Converts an MKE 3 kubelet profile, flags separated by spaces, to KubeletConfiguration fields. */
export function profileToFields(flags: string): {
  fields: JsonObject;
  /** Flags that were converted to fields. */
  taken: Record<string, string>;
  problems: FlagProblem[];
} {
  const { map, problems } = flagsToMap(flags.split(/\s+/).filter((flag) => flag !== ''));
  const fields: JsonObject = {};
  const taken: Record<string, string> = {};
  for (const [name, text] of Object.entries(map)) {
    const field = kubeletField(name, text);
    if (field) {
      setPath(fields, field.path, field.value);
      taken[name] = text;
    } else {
      const reason = overwritten.has(name)
        ? 'k0s overwrites it'
        : kubeletFields[name]
          ? `"${text}" is not a valid value for this flag`
          : 'KubeletConfiguration has no such field';
      problems.push({ flag: `--${name}=${text}`, reason });
    }
  }
  return { fields, taken, problems };
}

function convertValue(text: string, kind: Kind): JsonValue | undefined {
  switch (kind) {
    case 'int':
      return /^-?\d+$/.test(text) ? Number(text) : undefined;
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'text':
      return text;
    case 'list':
      return text.split(',');
    case 'map':
      return pairs(text, '=');
    case 'thresholds':
      return pairs(text, '<');
    case 'gates': {
      const gates = pairs(text, '=');
      return (
        gates &&
        Object.fromEntries(Object.entries(gates).map(([gate, on]) => [gate, on === 'true']))
      );
    }
  }
}
