import { Document, isMap, isScalar, parse as parseYaml, stringify as stringifyYaml } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { flagName, flagsToMap, pairs, profileToFields, setPath } from './flags.ts';
import { mkeOnlyPlugins, pluginFlags } from './component-flags.ts';
import { convertLdap } from './ldap.ts';
import { isDefault, isSecretKey } from './mke3-defaults.ts';
import type { Mke3Config } from './mke3-config.ts';
import { defaultSpec, type Target } from './mke4-defaults.ts';

export interface ConvertHost {
  /** Name in the inventory. */
  name?: string | undefined;
  role: 'manager' | 'worker';
  /** Kubernetes labels of the node; one whose value is a kubelet profile's name has chosen it. */
  labels?: Record<string, string> | undefined;
  address: string;
  /** By which the other nodes reach it; absent where only the file for MKE 4 is made. */
  nodeAddress?: string | undefined;
  port: number;
  user: string;
  keyPath: string;
}

export interface ConvertOptions {
  hosts: ConvertHost[];
  externalAddress: string;
  target?: Target | undefined;
  /** What `GET /enzi/v0/config/auth/ldap` of MKE 3 gives. */
  ldap?: JsonObject | undefined;
  /** Password of the LDAP reader, which MKE 3 never shows. */
  ldapPassword?: string | undefined;
  /** Registries of a cluster without access to the internet; only for 4.1. */
  registries?: { image?: string | undefined; chart?: string | undefined } | undefined;
  airgapped?: boolean | undefined;
  /** Flags and admission plugins that are not taken over, by name. */
  leaveOut?: readonly string[] | undefined;
}

/** A setting that is not in the result, and what the operator can do about it. */
export interface Unconverted {
  key: string;
  value: string;
  why: string;
  what: string;
}

export interface Conversion {
  config: JsonObject;
  unconverted: Unconverted[];
  /** Settings with which the cluster cannot be upgraded at all. */
  refusals: Unconverted[];
  /** Address pools that have to be made again after the installation. */
  metallbPools: { name: string; addresses: string[] }[];
  /** Whether pods of users may be scheduled on managers. */
  managersTakePods: boolean;
  /** Settings in the file that take effect when MKE 4 applies it: k0s does not have them. */
  later: { key: string; feature: string }[];
  /** Settings that k0s has and the file of MKE 4.0 does not. */
  k0sOnly: { calicoMtu: number; auditPolicy?: JsonObject };
  /** Flags of the kubelet profiles that became fields, by profile. */
  profileFlags: Record<string, Record<string, string>>;
  /** TOML key of a setting that can come from several, by its path in "spec". */
  origins: Record<string, string>;
}

const C = 'cluster_config';
/** Where a result holds a secret. */
const secretPaths = [
  ['spec', 'authentication', 'oidc', 'clientSecret'],
  ['spec', 'authentication', 'ldap', 'bindPW'],
];

/** Parts of MKE 4 that "mkectl apply" installs, and the TOML keys that configure them. */
export const installedByMke4: Record<string, string[]> = {
  'logins by OIDC, SAML or LDAP': ['auth.'],
  'ingress controller': [`${C}.ingress_controller.`],
  'CoreDNS lameduck': [`${C}.core_dns_lameduck_config.`],
  MetalLB: [`${C}.metallb_config.`],
  'OPA Gatekeeper': [`${C}.policy_enforcement.gatekeeper.`],
  'NVIDIA device plugin': [`${C}.nvidia_device_plugin`, `${C}.nvidia_device_partitioner`],
  cAdvisor: [`${C}.cadvisor_enabled`],
  OpsCare: ['tracking_configuration.ops_care'],
  'cluster label': ['tracking_configuration.cluster_label'],
  'node-local DNS': [`${C}.node_local_dns`, `${C}.node_local_dns_config_persist`],
};

/** MKE 3 configuration to MkeConfig of 4.0 (mke-upgrade.md §7). Pure: text in, text out is the caller's. */
export function convertConfig(source: Mke3Config, options: ConvertOptions): Conversion {
  return new Converter(source, options).run();
}

class Converter {
  readonly #from: Mke3Config;
  readonly #options: ConvertOptions;
  readonly #spec: JsonObject;
  readonly #is41: boolean;
  readonly #unconverted: Unconverted[] = [];
  readonly #refusals: Unconverted[] = [];
  readonly #pools: Conversion['metallbPools'] = [];
  readonly #k0sOnly: Conversion['k0sOnly'] = { calicoMtu: 0 };
  readonly #profileFlags: Conversion['profileFlags'] = {};
  readonly #origins: Record<string, string> = {};

  constructor(source: Mke3Config, options: ConvertOptions) {
    this.#from = source;
    this.#options = options;
    this.#spec = defaultSpec(options.target);
    this.#is41 = options.target === '4.1';
  }

  run(): Conversion {
    // Such pods run on managers today, and a taint would keep their next ones away.
    const managersTakePods =
      this.#from.get('scheduling_configuration.enable_admin_ucp_scheduling') !== false;
    this.#refuse();
    this.#hosts();
    this.#apiServer();
    this.#components();
    this.#kubelet();
    this.#network();
    this.#authentication();
    this.#ingress();
    this.#services();
    this.#registries();
    this.#rest();
    const config: JsonObject = {
      apiVersion: 'mke.mirantis.com/v1alpha1',
      kind: 'MkeConfig',
      metadata: { creationTimestamp: null, name: 'mke', namespace: 'mke' },
      spec: this.#spec,
    };
    return {
      config,
      unconverted: this.#unconverted,
      refusals: this.#refusals,
      metallbPools: this.#pools,
      managersTakePods,
      later: this.#later(),
      k0sOnly: this.#k0sOnly,
      profileFlags: this.#profileFlags,
      origins: this.#origins,
    };
  }

  #set(path: string, value: JsonValue | undefined): void {
    if (value !== undefined) setPath(this.#spec, path, value);
  }

  #report(key: string, value: JsonValue, why: string, what: string): void {
    const shown = isSecretKey(key)
      ? '(secret)'
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
    this.#unconverted.push({ key, value: shown, why, what });
  }

  #refuse(): void {
    const refuse = (key: string, value: JsonValue, why: string, what: string): void => {
      this.#refusals.push({ key: `${C}.${key}`, value: String(value), why, what });
    };
    if (!this.#from.flag(`${C}.calico_kdd`)) {
      refuse(
        'calico_kdd',
        false,
        'Calico keeps its data outside of Kubernetes',
        'set calico_kdd = true through the MKE 3 API first; that cannot be undone',
      );
    }
    const mode = this.#from.text(`${C}.kube_proxy_mode`) ?? 'iptables';
    if (mode !== 'iptables')
      refuse(
        'kube_proxy_mode',
        mode,
        'MKE 4 knows iptables only',
        'change it to iptables in MKE 3 first',
      );
    const off: [string, string][] = [
      ['calico_ebpf_enabled', 'MKE 4 does not support the eBPF data plane'],
      ['unmanaged_cni', 'MKE 4 needs the managed network'],
      ['swarm_only', 'the cluster has no Kubernetes to upgrade'],
      ['kms_enabled', 'secrets encrypted by a KMS cannot be read by MKE 4'],
    ];
    for (const [key, why] of off)
      if (this.#from.flag(`${C}.${key}`)) refuse(key, true, why, 'switch it off in MKE 3 first');
  }

  #hosts(): void {
    const { hosts } = this.#options;
    const profiles = Object.keys(this.#from.table(`${C}.custom_kubelet_flags_profiles`));
    this.#spec['hosts'] = hosts.map((host) => {
      const { role, address, port, user, keyPath } = host;
      const profile = chosenProfile(host, profiles);
      return {
        role: role === 'manager' ? 'controller+worker' : 'worker',
        ssh: { address, port, user, keyPath },
        ...(profile === undefined ? {} : { installFlags: [`--profile=${profile}`] }),
      };
    });
  }

  #apiServer(): void {
    const from = this.#from;
    const { externalAddress } = this.#options;
    if (externalAddress !== '') this.#set('apiServer.externalAddress', externalAddress);
    this.#set('apiServer.sans', from.list(`${C}.shared_sans`));
    this.#set(
      'apiServer.requestTimeout',
      goDuration(from.text(`${C}.kube_api_server_request_timeout`)),
    );
    this.#set(
      'apiServer.eventRateLimit.enabled',
      from.flag(`${C}.k8s_event_rate_limit.event_rate_limit_ac_enabled`),
    );
    this.#set('apiServer.audit.enabled', from.flag(`${C}.kube_api_server_auditing`));
    this.#set('apiServer.audit.maxAge', from.number(`${C}.kube_api_server_audit_log_maxage`));
    this.#set('apiServer.audit.maxBackup', from.number(`${C}.kube_api_server_audit_log_maxbackup`));
    this.#set('apiServer.audit.maxSize', from.number(`${C}.kube_api_server_audit_log_maxsize`));
    this.#auditPolicy();
    const extra = this.#flags('apiServer.extraArgs', `${C}.custom_kube_api_server_flags`);
    this.#fill(
      'apiServer.extraArgs',
      extra,
      'tls-cipher-suites',
      `${C}.cipher_suites_for_kube_api_server`,
      from.text(`${C}.cipher_suites_for_kube_api_server`),
    );
    this.#plugins(extra);
    const profiling = `${C}.kube_api_server_profiling_enabled`;
    const profiles = from.flag(profiling) ? 'true' : undefined;
    this.#fill('apiServer.extraArgs', extra, 'profiling', profiling, profiles);
    this.#set('apiServer.extraArgs', extra);
  }

  /** The policy of MKE 3 for the audit log of kube-apiserver. */
  #auditPolicy(): void {
    const key = `${C}.kube_api_server_custom_audit_policy_yaml`;
    const text = this.#from.text(key);
    const custom = this.#from.flag(`${C}.kube_api_server_enable_custom_audit_policy`);
    if (!custom || text === undefined) return;
    const policy = readPolicy(text);
    if (policy === undefined) {
      this.#report(key, '(policy)', 'it is not a policy with rules', 'correct it in MKE 3');
      return;
    }
    this.#k0sOnly.auditPolicy = policy;
    const where = '/var/lib/k0s/mke4_audit_policy.yaml';
    this.#report(
      key,
      '(policy)',
      this.#is41
        ? 'k0s uses it, and MKE 4 reads it from another file of the managers'
        : 'k0s uses it, but MKE 4.0 has its own policy',
      this.#is41
        ? `put it into ${where} before you apply the configuration`
        : 'set apiServer.audit.policyFile from 4.1.3 on',
    );
  }

  /** Admission plugins: those of MKE 3 alone are left out, and NodeRestriction stays. */
  #plugins(extra: Record<string, string>): void {
    const path = 'apiServer.extraArgs';
    const enable = 'enable-admission-plugins';
    const always = `${C}.k8s_always_pull_images_ac_enabled`;
    const key = `${C}.custom_kube_api_server_flags`;
    for (const flag of pluginFlags) {
      const names = extra[flag]?.split(',').map((name) => name.trim());
      if (names === undefined) continue;
      const kept = names.filter((name) => {
        const why = mkeOnlyPlugins[name];
        if (why !== undefined) this.#report(key, name, why, 'nothing: it is left out');
        return why === undefined && name !== '' && !this.#leftOut(key, name);
      });
      for (const name of kept) this.#origins[`${path}.${flag}.${name}`] = key;
      if (kept.length > 0) extra[flag] = kept.join(',');
      else Reflect.deleteProperty(extra, flag);
    }
    if (!this.#from.flag(always) || this.#leftOut(always, 'AlwaysPullImages')) return;
    const plugins = extra[enable]?.split(',') ?? ['NodeRestriction'];
    if (plugins.includes('AlwaysPullImages')) return;
    extra[enable] = [...plugins, 'AlwaysPullImages'].join(',');
    this.#origins[`${path}.${enable}.AlwaysPullImages`] = always;
  }

  /** Sets a flag that no custom flag has set. */
  #fill(
    path: string,
    extra: Record<string, string>,
    name: string,
    key: string,
    value: string | undefined,
  ): void {
    if (value === undefined || extra[name] !== undefined || this.#leftOut(key, name)) return;
    extra[name] = value;
    this.#origins[`${path}.${name}`] = key;
  }

  /** Whether the operator wants a flag or plugin left out, which is then reported. */
  #leftOut(key: string, name: string): boolean {
    if (this.#options.leaveOut?.includes(name) !== true) return false;
    this.#report(key, name, 'you asked to leave it out', 'set it by hand if you need it later');
    return true;
  }

  #components(): void {
    const from = this.#from;
    this.#set(
      'controllerManager.terminatedPodGCThreshold',
      from.number(`${C}.kube_manager_terminated_pod_gc_threshold`),
    );
    const manager = this.#flags(
      'controllerManager.extraArgs',
      `${C}.custom_kube_controller_manager_flags`,
    );
    const profiling = `${C}.kube_controller_manager_profiling_enabled`;
    const profiles = from.flag(profiling) ? 'true' : undefined;
    this.#fill('controllerManager.extraArgs', manager, 'profiling', profiling, profiles);
    this.#set('controllerManager.extraArgs', manager);
    this.#set('scheduler.profilingEnabled', from.flag(`${C}.kube_scheduler_profiling_enabled`));
    this.#set('scheduler.bindToAll', from.flag(`${C}.kube_scheduler_bind_to_all`));
    this.#set(
      'scheduler.extraArgs',
      this.#flags('scheduler.extraArgs', `${C}.custom_kube_scheduler_flags`),
    );
    this.#set('etcd.storageQuota', from.text(`${C}.etcd_storage_quota`));
    this.#set('etcd.tlsCipherSuites', from.text(`${C}.cipher_suites_for_etcd_server`));
    const proxy = this.#flags('network.kubeProxy.extraArgs', `${C}.custom_kube_proxy_flags`);
    if (Object.keys(proxy).length > 0) this.#set('network.kubeProxy.extraArgs', proxy);
  }

  #kubelet(): void {
    const from = this.#from;
    this.#set('kubelet.maxPods', from.number(`${C}.kubelet_max_pods`));
    this.#set('kubelet.eventRecordQPS', from.number(`${C}.kubelet_event_record_qps`));
    this.#set('kubelet.podsPerCore', from.number(`${C}.kubelet_pods_per_core`));
    this.#set('kubelet.protectKernelDefaults', from.flag(`${C}.kube_protect_kernel_defaults`));
    const hardened = from.flag('hardening_configuration.hardening_enabled');
    const limit = from.number('hardening_configuration.pids_limit_k8s') ?? 0;
    const unspecified = from.get('hardening_configuration.pids_limit_unspecified_k8s') !== false;
    if (hardened && !unspecified && limit > 0) this.#set('kubelet.podPidsLimit', limit);
    for (const kind of ['manager', 'worker']) {
      const key = `${C}.${kind}_kube_reserved_resources`;
      const text = from.text(key);
      const reserved = text === undefined ? undefined : pairs(text, '=');
      if (reserved) this.#set(`kubelet.${kind}KubeReserved`, reserved);
      else if (text !== undefined)
        this.#report(key, text, 'it is not of the form cpu=…,memory=…', 'set it by hand');
    }
    const extra = this.#flags('kubelet.extraArgs', `${C}.custom_kubelet_flags`);
    const ciphers = `${C}.cipher_suites_for_kubelet`;
    this.#fill('kubelet.extraArgs', extra, 'tls-cipher-suites', ciphers, from.text(ciphers));
    this.#set('kubelet.extraArgs', extra);
    const profiles: JsonObject[] = [];
    for (const [name, flags] of Object.entries(from.table(`${C}.custom_kubelet_flags_profiles`))) {
      const words = String(flags)
        .split(/\s+/)
        .filter(
          (flag) => !this.#leftOut(`${C}.custom_kubelet_flags_profiles.${name}`, flagName(flag)),
        );
      const { fields, taken, problems } = profileToFields(words.join(' '));
      this.#profileFlags[name] = taken;
      profiles.push({ name, values: fields });
      for (const { flag, reason } of problems) {
        this.#report(
          `${C}.custom_kubelet_flags_profiles.${name}`,
          flag,
          reason,
          'set it on the hosts by hand',
        );
      }
      const used = this.#options.hosts.some((host) => chosenProfile(host, [name]) !== undefined);
      if (!used)
        this.#report(
          `${C}.custom_kubelet_flags_profiles.${name}`,
          '(choice of nodes)',
          'no node has a label with its name',
          `add installFlags: ["--profile=${name}"] to its hosts`,
        );
    }
    this.#set('kubelet.customProfiles', profiles);
    const root = from.text(`${C}.kubelet_data_root`);
    if (this.#is41) this.#set('kubelet.kubeletRootDir', root);
    if (root !== undefined && !isDefault(`${C}.kubelet_data_root`, root))
      this.#report(
        `${C}.kubelet_data_root`,
        root,
        'the kubelet of k0s keeps its data in /var/lib/k0s/kubelet',
        'check the free space there, and host paths of CSI drivers',
      );
    if (from.flag(`${C}.disable_seccomp_default`)) {
      this.#report(
        `${C}.disable_seccomp_default`,
        true,
        'MKE 4 has seccompDefault off already',
        'nothing',
      );
    }
  }

  #network(): void {
    const from = this.#from;
    this.#set('network.serviceCIDR', from.text(`${C}.service_cluster_ip_range`));
    this.#set('network.nodePortRange', from.text(`${C}.nodeport_range`));
    const providers = this.#spec['network'] as { providers?: JsonValue };
    const calico = Array.isArray(providers.providers) ? providers.providers[0] : undefined;
    const extra =
      isJsonObject(calico) && isJsonObject(calico['extraConfig']) ? calico['extraConfig'] : {};
    const set = (key: string, value: string | undefined): void => {
      if (value !== undefined) extra[key] = value;
    };
    if (from.flag(`${C}.secure_overlay`)) {
      this.#report(
        `${C}.secure_overlay`,
        true,
        'MKE 4 has no IPSec overlay',
        'enableWireguard is near, but another technology; decide after the upgrade',
      );
    }
    if (this.#is41) {
      this.#calico41(extra);
      return;
    }
    set('clusterCIDRIPv4', from.text(`${C}.pod_cidr`));
    set('vxlanVNI', from.text(`${C}.vxlan_vni`));
    set('vxlanPort', from.text(`${C}.calico_vxlan_port`));
    set('ipAutodetectionMethod', from.text(`${C}.calico_ip_auto_method`));
    if (from.get(`${C}.calico_vxlan`) === false) set('mode', 'ipip');
    const level =
      from.text('log_configuration.level')?.toUpperCase() === 'DEBUG' ? 'DEBUG' : 'INFO';
    set('CALICO_STARTUP_LOGLEVEL', level);
    set('FELIX_LOGSEVERITYSCREEN', level);
    this.#k0sOnly.calicoMtu = this.#mtu(from.get(`${C}.calico_vxlan`) !== false);
  }

  /**
   * MKE 3 has an MTU for pods and one for each kind of tunnel; k0s and the Tigera operator have one for all. The smaller one
   * fits through both. 0 lets Calico find it.
   */
  #mtu(vxlan: boolean): number {
    const [tunnel, standard, other] = vxlan
      ? (['calico_vxlan_mtu', 1450, 'ipip_mtu'] as const)
      : (['ipip_mtu', 1480, 'calico_vxlan_mtu'] as const);
    // That of the tunnel which is not used.
    this.#from.get(`${C}.${other}`);
    const pods = this.#from.number(`${C}.calico_mtu`) ?? 1480;
    const most = this.#from.number(`${C}.${tunnel}`) ?? standard;
    const mtu = Math.min(...[pods, most].filter((one) => one > 0));
    if (pods > most && most > 0 && !isDefault(`${C}.calico_mtu`, String(pods)))
      this.#report(
        `${C}.calico_mtu`,
        pods,
        `there is one MTU for pods and tunnels, and ${tunnel} is ${String(most)}`,
        `set ${tunnel} in MKE 3 too if the network carries larger packets`,
      );
    return Number.isFinite(mtu) ? mtu : 0;
  }

  /** 4.1 installs Calico by the Tigera operator, whose chart takes most of it (mke-upgrade.md §6.2). */
  #calico41(extra: JsonObject): void {
    const from = this.#from;
    const vxlan = from.get(`${C}.calico_vxlan`) !== false;
    const cidr = from.text(`${C}.pod_cidr`) ?? '192.168.0.0/16';
    const level =
      from.text('log_configuration.level')?.toUpperCase() === 'DEBUG' ? 'Debug' : 'Info';
    const mtu = this.#mtu(vxlan);
    const chosen = mtu !== (vxlan ? 1450 : 1480);
    const method = from.text(`${C}.calico_ip_auto_method`);
    const values = {
      // The first line has to be this one.
      kubeletVolumePluginPath: '/var/lib/k0s/kubelet',
      installation: {
        cni: { type: 'Calico' },
        calicoNetwork: {
          bgp: 'Disabled',
          linuxDataplane: 'Iptables',
          ...(chosen ? { mtu } : {}),
          ipPools: [{ cidr, encapsulation: vxlan ? 'VXLAN' : 'IPIP' }],
        },
      },
      defaultFelixConfiguration: {
        enabled: true,
        vxlanVNI: from.number(`${C}.vxlan_vni`) ?? 10000,
        vxlanPort: from.number(`${C}.calico_vxlan_port`) ?? 4789,
        logSeverityScreen: level,
      },
    };
    Object.assign(extra, {
      cidrV4: cidr,
      linuxDataplane: 'Iptables',
      loglevel: level,
      'values.yaml': stringifyYaml(values),
    });
    if (method !== undefined)
      this.#report(
        `${C}.calico_ip_auto_method`,
        method,
        'its form in the chart of 4.1 is another one',
        'set calicoNetwork.nodeAddressAutodetectionV4 in values.yaml',
      );
  }

  #registries(): void {
    const { registries = {}, airgapped = false } = this.#options;
    if (!this.#is41) return;
    this.#set('registries.imageRegistry.url', registries.image);
    this.#set('registries.chartRegistry.url', registries.chart);
    if (airgapped) this.#set('airgap.enabled', true);
  }

  #authentication(): void {
    const from = this.#from;
    const provider = 'auth.external_identity_provider';
    const clientId = from.text(`${provider}.clientId`);
    const wellKnown = from.text(`${provider}.wellKnownConfigUrl`);
    const issuer =
      from.text(`${provider}.issuer`) ??
      wellKnown?.replace(/\/\.well-known\/openid-configuration$/, '');
    if (clientId !== undefined && issuer !== undefined) {
      const secret = from.text(`${provider}.clientSecret`);
      this.#set('authentication.oidc', {
        enabled: true,
        issuer,
        clientID: clientId,
        clientSecret: secret ?? '',
      });
      if (secret === undefined) {
        this.#report(
          `${provider}.clientSecret`,
          '(absent)',
          'MKE 3 does not show the secret',
          'put it into authentication.oidc.clientSecret before applying the configuration',
        );
      }
    }
    for (const key of ['caBundle', 'httpProxy', 'httpsProxy', 'userServiceId', 'usernameClaim']) {
      const value = from.text(`${provider}.${key}`);
      if (value !== undefined)
        this.#report(
          `${provider}.${key}`,
          value,
          'MKE 4 has no such setting',
          'check the logins after the upgrade',
        );
    }
    if (from.flag('auth.samlEnabled')) {
      const url = from.text('auth.saml.idpMetadataURL');
      const roots = from.text('auth.saml.rootCerts');
      this.#set('authentication.saml', {
        enabled: true,
        ...(url === undefined ? {} : { ssoMetadataURL: url }),
        ...(roots === undefined ? {} : { caData: roots }),
      });
      this.#report(
        'auth.saml.spHost',
        from.text('auth.saml.spHost') ?? '',
        'the service provider address changes',
        'register MKE 4 at the identity provider again',
      );
      if (from.flag('auth.saml.tlsSkipVerify'))
        this.#report(
          'auth.saml.tlsSkipVerify',
          true,
          'MKE 4 checks certificates',
          'give the authority in authentication.saml.caData',
        );
    }
    if (this.#options.ldap) {
      const { ldap, unconverted } = convertLdap(this.#options.ldap, this.#options.ldapPassword);
      this.#set('authentication.ldap', ldap);
      this.#unconverted.push(...unconverted);
      from.get('auth.backend');
    } else if (from.text('auth.backend') === 'ldap') {
      this.#report(
        'auth.backend',
        'ldap',
        'LDAP settings are not in the TOML',
        'give them with --mke3-ldap, or fill authentication.ldap by hand',
      );
    }
    const lifetime = from.number('auth.sessions.lifetime_minutes');
    if (lifetime !== undefined && lifetime !== 60) {
      this.#report(
        'auth.sessions.lifetime_minutes',
        lifetime,
        'the field of MKE 4 is not published',
        'see authentication.expiry',
      );
    }
  }

  #ingress(): void {
    const from = this.#from;
    const key = `${C}.ingress_controller`;
    const enabled = from.flag(`${key}.enabled`);
    const get = (name: string): JsonValue | undefined => from.get(`${key}.${name}`);
    // MKE 4.0 needs its ingress, so it stays on even where MKE 3's was off.
    if (enabled) {
      this.#set('ingressController.replicaCount', from.number(`${key}.ingress_num_replicas`));
      this.#set('ingressController.enableLoadBalancer', from.flag(`${key}.ingress_enable_lb`));
      this.#set(
        'ingressController.preserveClientIP',
        from.flag(`${key}.ingress_preserve_client_ip`),
      );
      this.#set('ingressController.externalIPs', from.list(`${key}.ingress_external_ips`));
      this.#set('ingressController.configMap', get('ingress_config_map') ?? {});
      this.#set('ingressController.tcpServices', get('ingress_tcp_services') ?? {});
      this.#set('ingressController.udpServices', get('ingress_udp_services') ?? {});
      this.#set(
        'ingressController.extraArgs.httpPort',
        from.number(`${key}.ingress_extra_args.http_port`),
      );
      this.#set(
        'ingressController.extraArgs.httpsPort',
        from.number(`${key}.ingress_extra_args.https_port`),
      );
      this.#set(
        'ingressController.extraArgs.enableSslPassthrough',
        from.flag(`${key}.ingress_extra_args.enable_ssl_passthrough`),
      );
      this.#set(
        'ingressController.extraArgs.defaultSslCertificate',
        from.text(`${key}.ingress_extra_args.default_ssl_certificate`),
      );
      const backend = from.text(`${key}.ingress_extra_args.default_backend_service`);
      if (backend !== undefined)
        this.#report(
          `${key}.ingress_extra_args.default_backend_service`,
          backend,
          'MKE 4 has no such setting',
          'nothing',
        );
      const tolerations = from
        .list(`${key}.ingress_node_toleration`)
        .filter((one) => isJsonObject(one) && one['key'] !== 'com.docker.ucp.manager');
      this.#set('ingressController.tolerations', tolerations);
      this.#nodeAffinity(from.table(`${key}.ingress_node_affinity`));
    }
    this.#nodePorts(enabled, key);
  }

  #nodeAffinity(affinity: JsonObject): void {
    const expressions = Object.entries(affinity)
      .filter(([label]) => !label.startsWith('com.docker.ucp.'))
      .map(([label, value]) =>
        value === ''
          ? { key: label, operator: 'Exists' }
          : { key: label, operator: 'In', values: [value] },
      );
    if (expressions.length === 0) return;
    this.#set('ingressController.affinity.nodeAffinity', {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: expressions }],
      },
    });
  }

  /** mke-upgrade.md §7.2. */
  #nodePorts(enabled: boolean, key: string): void {
    const ports = this.#from.list(`${key}.ingress_exposed_ports`);
    const range = this.#from.text(`${C}.nodeport_range`) ?? '32768-35535';
    const first = Number(range.split('-')[0]);
    const custom = range !== '32768-35535';
    if (!enabled) {
      if (custom) this.#set('ingressController.nodePorts', { http: first, https: first + 1 });
      return;
    }
    const nodePorts: JsonObject = { http: 33000, https: 33001 };
    const tcp: JsonObject = {};
    for (const port of ports) {
      if (!isJsonObject(port)) continue;
      const name = String(port['name']);
      const nodePort = Number(port['node_port']);
      if (name === 'http2' || name === 'http') nodePorts['http'] = nodePort;
      else if (name === 'https') nodePorts['https'] = nodePort;
      else {
        tcp[String(port['port'])] = nodePort;
        this.#report(
          `${key}.ingress_exposed_ports`,
          name,
          'exposed ports are deprecated',
          `check ingressController.nodePorts.tcp, where ${String(nodePort)} was put`,
        );
      }
    }
    if (Object.keys(tcp).length > 0) nodePorts['tcp'] = tcp;
    this.#set('ingressController.nodePorts', nodePorts);
  }

  #services(): void {
    const from = this.#from;
    this.#set('dns.lameduck.enabled', from.flag(`${C}.core_dns_lameduck_config.enabled`));
    this.#set('dns.lameduck.duration', from.text(`${C}.core_dns_lameduck_config.duration`));
    const metallb = from.flag(`${C}.metallb_config.enabled`);
    if (this.#is41) this.#set('metallb.enabled', metallb);
    const addons = this.#spec['addons'];
    if (Array.isArray(addons) && isJsonObject(addons[0])) addons[0]['enabled'] = metallb;
    for (const pool of from.list(`${C}.metallb_config.metallb_ip_addr_pool`)) {
      if (!isJsonObject(pool) || !metallb || pool['name'] === '') continue;
      const addresses = Array.isArray(pool['external_ip']) ? pool['external_ip'].map(String) : [];
      this.#pools.push({ name: String(pool['name']), addresses });
    }
    const gatekeeper = `${C}.policy_enforcement.gatekeeper`;
    this.#set('policyController.opaGatekeeper.enabled', from.flag(`${gatekeeper}.enabled`));
    this.#set(
      'policyController.opaGatekeeper.exemptNamespaces',
      from.list(`${gatekeeper}.excluded_namespaces`).filter((one) => !exempt.has(String(one))),
    );
    if (from.flag(`${C}.policy_enforcement.pod_security_policy`)) {
      this.#report(
        `${C}.policy_enforcement.pod_security_policy`,
        true,
        'PodSecurityPolicy is gone since Kubernetes 1.25',
        'use Gatekeeper or Pod Security Admission',
      );
    }
    if (from.flag(`${C}.nvidia_device_plugin`)) {
      this.#set('devicePlugins.nvidiaGPU.enabled', true);
      this.#set('devicePlugins.nvidiaGPU.mig.enabled', from.flag(`${C}.nvidia_device_partitioner`));
    }
    this.#set('monitoring.enableCAdvisor', from.flag(`${C}.cadvisor_enabled`));
    this.#set('monitoring.enableOpscare', from.flag('tracking_configuration.ops_care'));
    const cloud = from.text(`${C}.cloud_provider`);
    if (cloud !== undefined) {
      this.#set('cloudProvider', { enabled: true, provider: cloud === 'aws' ? 'aws' : 'external' });
      this.#report(
        `${C}.cloud_provider`,
        cloud,
        cloud === 'aws'
          ? 'k0s starts without a cloud provider until the configuration is applied'
          : 'MKE 4 has aws and external only, and k0s starts without a cloud provider',
        cloud === 'aws'
          ? 'volumes and load balancers of the cloud do not work before that'
          : 'install the external cloud provider yourself',
      );
    }
    this.#set(
      'tracking.enabled',
      !(
        from.flag('tracking_configuration.disable_tracking') ||
        from.flag('tracking_configuration.disable_usageinfo')
      ),
    );
    this.#set('tracking.clusterLabel', from.text('tracking_configuration.cluster_label'));
    if (this.#is41) {
      this.#set('nodeLocalDNS.enabled', from.flag(`${C}.node_local_dns`));
      const persist = from.flag(`${C}.node_local_dns_config_persist`);
      this.#set('nodeLocalDNS.nodeLocalConfigPersist', persist);
    }
    for (const key of this.#is41 ? [] : ['node_local_dns', 'node_local_dns_config_persist']) {
      if (from.flag(`${C}.${key}`))
        this.#report(
          `${C}.${key}`,
          true,
          'MKE 4.0 has no node-local DNS',
          'set nodeLocalDNS from 4.1.3 on',
        );
    }
    if (from.flag('backup_schedule_config.enabled')) {
      this.#report(
        'backup_schedule_config.enabled',
        true,
        'MKE 4.0 has no scheduled backup',
        'schedule "mkectl backup create" yourself',
      );
    }
  }

  /** What is left is unknown to MKE 4: silent where nobody chose it. */
  #rest(): void {
    for (const [key, value, wanted] of this.#from.mistyped())
      this.#report(key, value, `it is not ${wanted}`, 'correct it in MKE 3, or set it by hand');
    for (const [key, value] of this.#from.unread()) {
      if (isDefault(key, value)) continue;
      this.#report(key, value, 'MKE 4 has no such setting', 'nothing, or see its documentation');
    }
  }

  /** What is converted and waits for MKE 4. */
  #later(): Conversion['later'] {
    const troubled = new Set([...this.#unconverted, ...this.#refusals].map(({ key }) => key));
    const unread = new Set(this.#from.unread().map(([key]) => key));
    return this.#from.entries().flatMap(([key, value]) => {
      const feature = Object.entries(installedByMke4).find(([, prefixes]) =>
        prefixes.some((prefix) => (prefix.endsWith('.') ? key.startsWith(prefix) : key === prefix)),
      )?.[0];
      const waits = !unread.has(key) && !troubled.has(key) && !isDefault(key, value);
      return feature !== undefined && waits ? [{ key, feature }] : [];
    });
  }

  /** Custom flags of a component, and at which path they go into "spec". */
  #flags(path: string, key: string): Record<string, string> {
    const flags = this.#from
      .list(key)
      .map(String)
      .filter((flag) => !this.#leftOut(key, flagName(flag)));
    const { map, problems } = flagsToMap(flags);
    for (const { flag, reason } of problems)
      this.#report(key, flag, reason, 'set it by hand if it is still needed');
    for (const name of Object.keys(map)) this.#origins[`${path}.${name}`] = key;
    return map;
  }
}

/** An audit policy, in the form that kube-apiserver wants. */
function readPolicy(text: string): JsonObject | undefined {
  try {
    const policy = parseYaml(text, { maxAliasCount: 0 }) as JsonValue;
    if (!isJsonObject(policy) || !Array.isArray(policy['rules']) || policy['rules'].length === 0)
      return undefined;
    return { ...policy, apiVersion: 'audit.k8s.io/v1', kind: 'Policy' };
  } catch {
    return undefined;
  }
}

/** The kubelet profile whose name is the value of a label of the host. */
export function chosenProfile(
  { labels = {} }: ConvertHost,
  names: Iterable<string>,
): string | undefined {
  const values = new Set(Object.values(labels));
  return [...names].find((name) => values.has(name));
}

/** Namespaces that MKE 4 exempts by itself, and those of MKE 3 that go away. */
const exempt = new Set([
  'mke',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'k0s-system',
  'k0s-autopilot',
  'flux-system',
  'blueprint-system',
  'gatekeeper-system',
  'node-feature-discovery',
]);

/** `1m` → `1m0s`, as Go prints durations. */
function goDuration(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return /^\d+m$/.test(text) ? `${text}0s` : /^\d+h$/.test(text) ? `${text}0m0s` : text;
}

/** Whether the configuration holds a secret. */
export function holdsSecret(config: JsonObject): boolean {
  return secretPaths.some((path) => {
    const value = path.reduce<JsonValue | undefined>(
      (node, key) => (isJsonObject(node) ? node[key] : undefined),
      config,
    );
    return value !== undefined && value !== '';
  });
}

/** YAML for a person: sections apart, and a note on what has to be filled in. */
export function configToYaml(
  config: JsonObject,
  { withSecrets = true }: { withSecrets?: boolean } = {},
): string {
  const document = new Document(config);
  const spec = document.get('spec');
  if (isMap(spec)) {
    for (const { key } of spec.items) if (isScalar(key)) key.spaceBefore = true;
    for (const path of secretPaths) {
      const secret = document.getIn(path, true);
      if (!isScalar(secret)) continue;
      if (secret.value === '') secret.comment = ' not shown by MKE 3: fill it in before applying';
      else if (!withSecrets) {
        secret.value = '';
        secret.comment = ' left out here: --output FILE writes it';
      }
    }
  }
  document.commentBefore = ' Configuration of MKE 4, made by runner.';
  return document.toString({ lineWidth: 0 });
}
