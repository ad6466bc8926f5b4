import type { JsonValue } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import type { Group } from './row.ts';
import { goDuration, pairs } from './values.ts';

const C = 'cluster_config';
const PROXY = 'network.kubeProxy';

/** The field of "spec" that a custom flag sets, and the MKE 3 settings with the same meaning. */
interface FlagField {
  to: readonly string[];
  read: (text: string) => JsonValue | undefined;
  settings?: readonly string[];
  /** A value that `read` does not accept stays a flag. */
  elseFlag?: boolean;
}

const whole = (text: string): JsonValue | undefined =>
  /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
/** Accepts the spellings of Go's strconv.ParseBool. */
const truth = (text: string): JsonValue | undefined =>
  /^(1|t|true)$/i.test(text) ? true : /^(0|f|false)$/i.test(text) ? false : undefined;
const duration = (text: string): JsonValue | undefined =>
  /^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(text) ? goDuration(text) : undefined;
const bindToAll = (text: string): JsonValue | undefined =>
  /^(0\.0\.0\.0|::)$/.test(text) ? true : /^(127\.0\.0\.1|::1)$/.test(text) ? false : undefined;
const range = (text: string): JsonValue | undefined => (/^\d+-\d+$/.test(text) ? text : undefined);

const field = (to: string, read: FlagField['read'], ...settings: string[]): FlagField => {
  return { to: [to], read, settings: settings.map((name) => `${C}.${name}`) };
};

/** Custom flags with a field of their own, by where their component has its flags in "spec". */
export const flagFields: Record<string, Record<string, FlagField>> = {
  'apiServer.extraArgs': {
    'service-node-port-range': field('network.nodePortRange', range, 'nodeport_range'),
    'request-timeout': field(
      'apiServer.requestTimeout',
      duration,
      'kube_api_server_request_timeout',
    ),
    'audit-log-maxage': field('apiServer.audit.maxAge', whole, 'kube_api_server_audit_log_maxage'),
    'audit-log-maxbackup': field(
      'apiServer.audit.maxBackup',
      whole,
      'kube_api_server_audit_log_maxbackup',
    ),
    'audit-log-maxsize': field(
      'apiServer.audit.maxSize',
      whole,
      'kube_api_server_audit_log_maxsize',
    ),
  },
  'controllerManager.extraArgs': {
    'terminated-pod-gc-threshold': field(
      'controllerManager.terminatedPodGCThreshold',
      whole,
      'kube_manager_terminated_pod_gc_threshold',
    ),
  },
  'scheduler.extraArgs': {
    profiling: field('scheduler.profilingEnabled', truth, 'kube_scheduler_profiling_enabled'),
    'bind-address': {
      ...field('scheduler.bindToAll', bindToAll, 'kube_scheduler_bind_to_all'),
      elseFlag: true,
    },
  },
  'kubelet.extraArgs': {
    'max-pods': field('kubelet.maxPods', whole, 'kubelet_max_pods'),
    'pods-per-core': field('kubelet.podsPerCore', whole, 'kubelet_pods_per_core'),
    'event-qps': field('kubelet.eventRecordQPS', whole, 'kubelet_event_record_qps'),
    'protect-kernel-defaults': field(
      'kubelet.protectKernelDefaults',
      truth,
      'kube_protect_kernel_defaults',
    ),
    'seccomp-default': field('kubelet.seccompDefault', truth),
    'pod-max-pids': {
      to: ['kubelet.podPidsLimit'],
      read: whole,
      settings: ['hardening_configuration.pids_limit_k8s'],
    },
    'kube-reserved': {
      to: ['kubelet.managerKubeReserved', 'kubelet.workerKubeReserved'],
      read: (text) => pairs(text, '='),
      settings: [`${C}.manager_kube_reserved_resources`, `${C}.worker_kube_reserved_resources`],
    },
  },
  [`${PROXY}.extraArgs`]: {
    'metrics-bind-address': field(`${PROXY}.metricsBindAddress`, (text) => text),
    'iptables-sync-period': field(`${PROXY}.iptables.syncPeriod`, duration),
    'iptables-min-sync-period': field(`${PROXY}.iptables.minSyncPeriod`, duration),
    'iptables-masquerade-bit': field(`${PROXY}.iptables.masqueradeBit`, whole),
    'iptables-localhost-nodeports': field(`${PROXY}.iptables.localhostNodePorts`, truth),
    'masquerade-all': field(`${PROXY}.iptables.masqueradeAll`, truth),
    'proxy-mode': {
      to: [`${PROXY}.mode`],
      read: (text) => (text === 'iptables' ? text : undefined),
      settings: [`${C}.kube_proxy_mode`],
    },
  },
};

/** Moves custom flags to their fields. It runs after all settings because a flag overrides its setting. */
export const flagsToFields: Group = {
  rows: [],
  convert(draft) {
    refuseProxyMode(draft);
    for (const [path, fields] of Object.entries(flagFields)) {
      const flags = draft.at(path);
      for (const [name, one] of Object.entries(fields)) {
        const text = flags[name];
        if (typeof text !== 'string') continue;
        const value = one.read(text);
        if (value === undefined && one.elseFlag === true) continue;
        Reflect.deleteProperty(flags, name);
        setFields(draft, { path, name, text, value }, one);
      }
    }
  },
};

interface Flag {
  path: string;
  name: string;
  text: string;
  value: JsonValue | undefined;
}

function setFields(draft: Draft, { path, name, text, value }: Flag, one: FlagField): void {
  const key = draft.origins[`${path}.${name}`] ?? path;
  const flag = `--${name}=${text}`;
  if (value === undefined) {
    if (name !== 'proxy-mode')
      draft.report(key, flag, {
        why: `"${text}" is not a valid value for this flag`,
        what: 'correct it in MKE 3',
      });
    return;
  }
  // Without a limit, the setting has no effect and cannot contradict the flag.
  const unlimited = name === 'pod-max-pids' && draft.at('kubelet')['podPidsLimit'] === -1;
  if (!unlimited)
    for (const setting of one.settings ?? [])
      reportContradiction(draft, setting, {
        key,
        flag,
        value: typeof value === 'boolean' ? String(value) : text,
      });
  for (const to of one.to) {
    draft.set(to, value);
    draft.origins[to] = key;
  }
}

/** MKE 3 passes both to the component, and the custom flag wins. */
export function reportContradiction(
  draft: Draft,
  setting: string,
  { key, flag, value }: { key: string; flag: string; value: string },
): void {
  const own = draft.from.get(setting);
  if (own === undefined || same(String(own), value)) return;
  draft.report(setting, own, {
    why: `${flag} in ${key} overrides it`,
    what: 'remove one of the two in MKE 3',
  });
}

/** Treats `5m` and `5m0s` as equal, and ignores the order of a list of pairs. */
function same(one: string, other: string): boolean {
  const normal = (text: string): string =>
    text.includes('=') ? text.split(',').sort().join(',') : (goDuration(text) ?? text);
  return normal(one) === normal(other);
}

function refuseProxyMode(draft: Draft): void {
  const path = `${PROXY}.extraArgs`;
  const mode = draft.at(path)['proxy-mode'];
  if (typeof mode !== 'string' || mode === 'iptables') return;
  draft.refusals.push({
    key: draft.origins[`${path}.proxy-mode`] ?? path,
    value: `--proxy-mode=${mode}`,
    why: 'MKE 4 supports only iptables',
    what: 'remove the flag in MKE 3 first, or change it to iptables',
  });
}
