import { stringify } from 'yaml';
import { arrayOf, objectOf, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Conversion, ConvertHost, Unconverted } from './convert/types.ts';
import { setPath, textMap } from './convert/values.ts';
import { k0sKubelet, type WorkerProfile } from './k0s-kubelet.ts';
import { copiedToK0s } from './k0s-places.ts';
import { apiAudiences } from './key-files.ts';

/** The k0s v1.29 settings that correspond to an MKE 4.0 configuration, which k0s cannot read. */
export interface K0sSettings {
  /** Parts of "spec" in k0s.yaml. The role adds addresses, keys and images. */
  spec: {
    api: { sans: JsonValue[]; extraArgs: Args };
    controllerManager: { extraArgs: Args };
    scheduler: { extraArgs: Args };
    storage: { etcd: { extraArgs: Args } };
    network: { podCIDR: string; serviceCIDR: string; kubeProxy: JsonObject; calico: JsonObject };
    workerProfiles: WorkerProfile[];
    telemetry: { enabled: boolean };
  };
  /** Flags of "k0s install" by host. */
  flags: Record<string, string[]>;
  /** Directories that kube-apiserver writes to, and files that it reads. */
  directories: string[];
  files: { path: string; content: string }[];
  /** Settings that k0s does not support. */
  unconverted: Unconverted[];
}

/** k0s accepts only strings. */
type Args = Record<string, string>;

const C = 'cluster_config';
const AUDIT_DIR = '/var/lib/k0s/audit';
const AUDIT_POLICY = '/var/lib/k0s/audit-policy.yaml';
const ADMISSION = '/var/lib/k0s/admission.yaml';
/** Event limits for the whole cluster. MKE 3 does not export its limits. */
const EVENT_LIMITS = [{ type: 'Server', qps: 5000, burst: 20000 }];

/**
 * The k0s settings for a converted configuration.
 *
 * @param conversion must have the target 4.0
 */
export function k0sSettings(conversion: Conversion, hosts: readonly ConvertHost[]): K0sSettings {
  return new Builder(conversion, hosts).run();
}

class Builder {
  readonly #conversion: Conversion;
  readonly #spec: JsonObject;
  readonly #hosts: readonly ConvertHost[];
  readonly #files: K0sSettings['files'] = [];
  readonly #directories: string[] = [];
  readonly #unconverted: Unconverted[] = [];

  constructor(conversion: Conversion, hosts: readonly ConvertHost[]) {
    this.#conversion = conversion;
    this.#spec = objectOf(conversion.config['spec']);
    this.#hosts = hosts;
  }

  run(): K0sSettings {
    const copied = copiedToK0s(this.#spec);
    const part = (...path: string[]): JsonObject =>
      path.reduce((node, key) => objectOf(node[key]), copied);
    const { podCIDR, serviceCIDR, calico } = part('network');
    const kubelet = k0sKubelet(this.#conversion, this.#hosts);
    this.#unconverted.push(...kubelet.unconverted);
    return {
      spec: {
        api: {
          sans: arrayOf(part('api')['sans']),
          extraArgs: this.#apiArgs(textMap(part('api')['extraArgs'])),
        },
        controllerManager: { extraArgs: textMap(part('controllerManager')['extraArgs']) },
        scheduler: { extraArgs: textMap(part('scheduler')['extraArgs']) },
        storage: {
          etcd: {
            extraArgs: { ...this.#etcdQuota(), ...textMap(part('storage', 'etcd')['extraArgs']) },
          },
        },
        network: {
          podCIDR: String(podCIDR),
          serviceCIDR: String(serviceCIDR),
          kubeProxy: this.#kubeProxy(),
          calico: { ...objectOf(calico), mtu: this.#conversion.k0sOnly.calicoMtu },
        },
        workerProfiles: kubelet.profiles,
        telemetry: { enabled: part('telemetry')['enabled'] === true },
      },
      flags: kubelet.flags,
      directories: this.#directories,
      files: this.#files,
      unconverted: this.#unconverted,
    };
  }

  #at(...path: string[]): JsonObject {
    return path.reduce((node, key) => objectOf(node[key]), this.#spec);
  }

  #report(key: string, value: JsonValue, why: string, what: string): void {
    this.#unconverted.push({ key, value: String(value), why, what });
  }

  /** The TOML key that set a custom flag. */
  #origin(path: string, fallback: string): string {
    return this.#conversion.origins[path] ?? `${C}.${fallback}`;
  }

  #apiArgs(copied: Args): Args {
    const args: Args = {
      ...copied,
      ...this.#auditArgs(),
      ...textMap(this.#at('apiServer')['extraArgs']),
    };
    this.#eventRateLimit(args);
    const enabled = args['enable-admission-plugins'];
    // The flag replaces k0s's own list, which contains NodeRestriction.
    if (enabled !== undefined && !enabled.split(',').includes('NodeRestriction'))
      args['enable-admission-plugins'] = `NodeRestriction,${enabled}`;
    const issuer = args['service-account-issuer'];
    const audiences = apiAudiences(issuer, args['api-audiences']?.split(','));
    if (audiences !== undefined) args['api-audiences'] = audiences;
    return args;
  }

  #auditArgs(): Args {
    const audit = this.#at('apiServer', 'audit');
    if (audit['enabled'] !== true) return {};
    const policy = this.#conversion.k0sOnly.auditPolicy ?? {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'Metadata' }],
    };
    this.#directories.push(AUDIT_DIR);
    this.#files.push({ path: AUDIT_POLICY, content: stringify(policy) });
    return {
      'audit-log-path': `${AUDIT_DIR}/audit.log`,
      'audit-policy-file': AUDIT_POLICY,
      'audit-log-maxage': String(audit['maxAge']),
      'audit-log-maxbackup': String(audit['maxBackup']),
      'audit-log-maxsize': String(audit['maxSize']),
    };
  }

  /** The plugin needs a file with limits to start. */
  #eventRateLimit(args: Args): void {
    const plugins = args['enable-admission-plugins']?.split(',') ?? [];
    const wanted = this.#at('apiServer', 'eventRateLimit')['enabled'] === true;
    if (!wanted && !plugins.includes('EventRateLimit')) return;
    args['enable-admission-plugins'] = [...new Set([...plugins, 'EventRateLimit'])].join(',');
    args['admission-control-config-file'] = ADMISSION;
    const configuration = {
      apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
      kind: 'Configuration',
      limits: EVENT_LIMITS,
    };
    const content = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AdmissionConfiguration',
      plugins: [{ name: 'EventRateLimit', configuration }],
    };
    this.#files.push({ path: ADMISSION, content: stringify(content) });
    this.#report(
      wanted
        ? `${C}.k8s_event_rate_limit.event_rate_limit_ac_enabled`
        : this.#origin(
            'apiServer.extraArgs.enable-admission-plugins.EventRateLimit',
            'custom_kube_api_server_flags',
          ),
      'EventRateLimit',
      'MKE 3 does not export its limits; the upgrade sets 5000 events per second for the whole cluster',
      `edit ${ADMISSION} on the managers and restart k0scontroller to change this`,
    );
  }

  #etcdQuota(): Args {
    const quota = String(this.#at('etcd')['storageQuota']);
    const size = bytes(quota);
    if (size !== undefined) return { 'quota-backend-bytes': String(size) };
    this.#report(
      `${C}.etcd_storage_quota`,
      quota,
      'expected a size such as 4GB; etcd keeps its default of 2GB',
      'correct it in MKE 3',
    );
    return {};
  }

  /** k0s writes the kube-proxy configuration itself and supports only some flags in k0s.yaml. */
  #kubeProxy(): JsonObject {
    const { mode, metricsBindAddress, extraArgs, iptables } = this.#at('network', 'kubeProxy');
    const result: JsonObject = {
      mode: String(mode),
      metricsBindAddress: String(metricsBindAddress),
    };
    // "0s" is also the default of k0s.
    for (const [name, value] of Object.entries(objectOf(iptables)))
      if (value !== '0s') setPath(result, `iptables.${name}`, value);
    for (const [name, text] of Object.entries(textMap(extraArgs))) {
      const [path, read] = proxyFields[name] ?? [];
      const value = read?.(text);
      if (path !== undefined && value !== undefined) setPath(result, path, value);
      else
        this.#report(
          this.#origin(`network.kubeProxy.extraArgs.${name}`, 'custom_kube_proxy_flags'),
          `--${name}=${text}`,
          path === undefined
            ? 'k0s has no setting for it, so kube-proxy uses its default'
            : `k0s does not accept the value "${text}", so kube-proxy uses its default`,
          'check that the default is sufficient; MKE 4 gets the flag in network.kubeProxy.extraArgs',
        );
    }
    return result;
  }
}

/** kube-proxy flags that have a field in "spec.network.kubeProxy" of k0s v1.29. */
const proxyFields: Record<string, [path: string, read: (text: string) => JsonValue | undefined]> = {
  'nodeport-addresses': ['nodePortAddresses', (text) => text.split(',')],
};

/** Converts `4GB` to bytes. etcd uses powers of two even for GB. */
function bytes(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (count === undefined) return undefined;
  const size = Number(count) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase());
  return Number.isSafeInteger(size) && size > 0 ? size : undefined;
}
