import type { JsonObject, JsonValue } from '../core/json.ts';

export interface FlagProblem {
  flag: string;
  reason: string;
}

/** Flags whose value names a file of MKE 3's containers. */
const pathFlags = /(-file|-config|-dir|-path|-cert|-key|-ca)$/;

/** Flags whose value is a list, which may be given several times. */
const listFlags = new Set([
  'admission-control',
  'disable-admission-plugins',
  'enable-admission-plugins',
  'feature-gates',
  'node-labels',
  'runtime-config',
  'tls-cipher-suites',
]);

/** Name of a flag as its component knows it: `--audit_log_path=x` is `audit-log-path`. */
export function flagName(flag: string): string {
  return (/^--?([^=]*)/.exec(flag.trim())?.[1] ?? '').replaceAll('_', '-');
}

/**
 * `["--a=b", "--c"]` as a map (mke-upgrade.md §7.3): leading dashes go, the value is what follows the first "=",
 * a bare flag means "true". What a map cannot hold is reported.
 */
export function flagsToMap(flags: readonly string[]): {
  map: Record<string, string>;
  problems: FlagProblem[];
} {
  const map: Record<string, string> = {};
  const problems: FlagProblem[] = [];
  for (const flag of flags) {
    const parts = /^--?[A-Za-z0-9][A-Za-z0-9._-]*(?:=([\s\S]*))?$/.exec(flag.trim());
    const name = flagName(flag);
    const value = parts?.[1] ?? 'true';
    if (parts === null) problems.push({ flag, reason: 'it is not of the form --name=value' });
    else if (map[name] !== undefined && listFlags.has(name)) map[name] = `${map[name]},${value}`;
    else if (map[name] !== undefined)
      problems.push({ flag, reason: 'it is given twice, and a map holds one value' });
    else if (pathFlags.test(name) && value.startsWith('/'))
      problems.push({ flag, reason: 'it names a file of an MKE 3 container' });
    else map[name] = value;
  }
  return { map, problems };
}

type Kind = 'int' | 'bool' | 'text' | 'list' | 'map' | 'thresholds' | 'gates';

/** Kubelet flags with a field in KubeletConfiguration v1beta1 (mke-upgrade.md §7.4). */
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

/** Fields that k0s overwrites, so setting them has no effect (k0s v1.29.3 pkg/component/worker/kubelet.go). */
const overwritten = new Set([
  'kube-reserved-cgroup',
  'resolv-conf',
  'cgroups-per-qos',
  'volume-plugin-dir',
]);

/** The field of KubeletConfiguration that a flag sets; undefined where there is none or the value does not fit. */
export function kubeletField(
  name: string,
  text: string,
): { path: string; value: JsonValue } | undefined {
  const field = kubeletFields[name];
  const value = field && convertValue(text, field[1]);
  return field && value !== undefined ? { path: field[0], value } : undefined;
}

/** One kubelet profile of MKE 3, flags parted by blanks, as KubeletConfiguration fields. */
export function profileToFields(flags: string): {
  fields: JsonObject;
  /** The flags that became fields. */
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
          ? `its value "${text}" does not fit`
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

/** `a=b,c=d` as a map; undefined when a part has no separator. */
export function pairs(text: string, separator: '=' | '<'): Record<string, string> | undefined {
  const map: Record<string, string> = {};
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const at = part.indexOf(separator);
    if (at <= 0) return undefined;
    map[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return map;
}

/** Sets `a.b.c` in nested maps, making those that are missing. */
export function setPath(target: JsonObject, path: string, value: JsonValue): void {
  const parts = path.split('.');
  const last = parts.pop() ?? path;
  let current = target;
  for (const part of parts) {
    const next = current[part];
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) current = next;
    else current = current[part] = {};
  }
  current[last] = value;
}
