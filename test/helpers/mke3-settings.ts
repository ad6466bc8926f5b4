import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import type { Conversion, ConvertHost } from '../../src/mke/convert/types.ts';
import { setPath } from '../../src/mke/convert/values.ts';
import { k0sSettings, type K0sSettings } from '../../src/mke/k0s-config.ts';
import { Mke3Config } from '../../src/mke/mke3-config.ts';
import type { Target } from '../../src/mke/mke4-defaults.ts';

export const C = 'cluster_config';
export type Settings = Record<string, JsonValue>;

export const host = (name: string, role: ConvertHost['role'], labels = {}): ConvertHost => {
  return { name, role, labels, address: `10.0.0.${name}`, port: 22, user: 'u', keyPath: 'k' };
};
export const hosts = [
  host('m1', 'manager'),
  host('m2', 'manager', { profile: 'gpu' }),
  host('w1', 'worker'),
  host('w2', 'worker', { profile: 'gpu' }),
];

export interface Result {
  source: Mke3Config;
  conversion: Conversion;
  k0s: K0sSettings;
}

export function settings(values: Settings, target: Target = '4.0'): Result {
  const read = (): Mke3Config => {
    const toml: JsonObject = {};
    setPath(toml, `${C}.calico_kdd`, true);
    for (const [key, value] of Object.entries(values)) setPath(toml, key, value);
    return new Mke3Config(toml);
  };
  const options = { hosts, externalAddress: '' };
  const source = read();
  const conversion = convertConfig(source, { ...options, target });
  const base = convertConfig(read(), { ...options, target: '4.0' });
  return { source, conversion, k0s: k0sSettings(base, hosts) };
}

/** A value that differs from the default, and the settings that it depends on. */
export type Case = [value: JsonValue, beside?: Settings, target?: Target];

const audit = { [`${C}.kube_api_server_auditing`]: true };
const policy = 'rules: [{ level: Request }]';
export const customPolicy = {
  ...audit,
  [`${C}.kube_api_server_enable_custom_audit_policy`]: true,
  [`${C}.kube_api_server_custom_audit_policy_yaml`]: policy,
};
const pids = {
  'hardening_configuration.hardening_enabled': true,
  'hardening_configuration.pids_limit_k8s': 4096,
  'hardening_configuration.pids_limit_unspecified_k8s': false,
};
const provider = 'auth.external_identity_provider';
const oidc = { [`${provider}.clientId`]: 'mke', [`${provider}.issuer`]: 'https://idp' };
const saml = { 'auth.samlEnabled': true };
const ingress = `${C}.ingress_controller`;
const withIngress = { [`${ingress}.enabled`]: true };
const metallb = { [`${C}.metallb_config.enabled`]: true };
const cleanup = { 'etcd_cleanup_schedule_config.cleanup_enabled': true };
const nvidia = { [`${C}.nvidia_device_plugin`]: true };

/** Every key that the converter reads. */
export const cases: Record<string, Case[]> = {
  // Settings with which a cluster cannot be upgraded.
  [`${C}.calico_kdd`]: [[false]],
  [`${C}.kube_proxy_mode`]: [['ipvs']],
  [`${C}.calico_ebpf_enabled`]: [[true]],
  [`${C}.unmanaged_cni`]: [[true]],
  [`${C}.swarm_only`]: [[true]],
  [`${C}.kms_enabled`]: [[true]],
  [`${C}.kube_proxy_use_config_file`]: [[true]],
  [`${C}.custom_proxy_config_yaml`]: [
    ['mode: iptables', { [`${C}.kube_proxy_use_config_file`]: true }],
  ],
  // kube-apiserver
  [`${C}.shared_sans`]: [[['mke.example.com']]],
  [`${C}.kube_api_server_request_timeout`]: [['2m']],
  [`${C}.k8s_event_rate_limit.event_rate_limit_ac_enabled`]: [[true]],
  [`${C}.kube_api_server_auditing`]: [[true]],
  [`${C}.kube_api_server_audit_log_maxage`]: [[7, audit]],
  [`${C}.kube_api_server_audit_log_maxbackup`]: [[7, audit]],
  [`${C}.kube_api_server_audit_log_maxsize`]: [[7, audit]],
  [`${C}.kube_api_server_enable_custom_audit_policy`]: [[false, customPolicy]],
  [`${C}.kube_api_server_custom_audit_policy_yaml`]: [
    [policy, { ...customPolicy, [`${C}.kube_api_server_custom_audit_policy_yaml`]: '' }],
  ],
  [`${C}.custom_kube_api_server_flags`]: [[['--event-ttl=2h']], [['no flag']]],
  [`${C}.cipher_suites_for_kube_api_server`]: [['TLS_AES_128_GCM_SHA256']],
  [`${C}.k8s_always_pull_images_ac_enabled`]: [[true]],
  [`${C}.kube_api_server_profiling_enabled`]: [[true]],
  // Other components of the control plane
  [`${C}.kube_manager_terminated_pod_gc_threshold`]: [[100]],
  [`${C}.custom_kube_controller_manager_flags`]: [[['--node-monitor-grace-period=50s']]],
  [`${C}.kube_controller_manager_profiling_enabled`]: [[true]],
  [`${C}.kube_scheduler_profiling_enabled`]: [[true]],
  [`${C}.kube_scheduler_bind_to_all`]: [[true]],
  [`${C}.custom_kube_scheduler_flags`]: [[['--kube-api-qps=100']]],
  [`${C}.etcd_storage_quota`]: [['4GB'], ['much']],
  [`${C}.cipher_suites_for_etcd_server`]: [['TLS_AES_128_GCM_SHA256']],
  'etcd_cleanup_schedule_config.cleanup_enabled': [[true], [true, {}, '4.1']],
  'etcd_cleanup_schedule_config.min_ttl_to_keep_seconds': [
    [600, cleanup],
    [600, cleanup, '4.1'],
  ],
  'etcd_cleanup_schedule_config.cron_expression': [
    ['@every 72h', cleanup],
    ['@every 72h', cleanup, '4.1'],
  ],
  'etcd_cleanup_schedule_config.defrag_enabled': [
    [true, cleanup],
    [true, cleanup, '4.1'],
  ],
  'etcd_cleanup_schedule_config.defrag_pause_seconds': [
    [30, cleanup],
    [30, cleanup, '4.1'],
  ],
  'etcd_cleanup_schedule_config.defrag_timeout_seconds': [
    [30, cleanup],
    [30, cleanup, '4.1'],
  ],
  [`${C}.custom_kube_proxy_flags`]: [[['--masquerade-all']], [['--v=4']]],
  // kubelet
  [`${C}.kubelet_max_pods`]: [[150]],
  [`${C}.kubelet_event_record_qps`]: [[5]],
  [`${C}.kubelet_pods_per_core`]: [[10]],
  [`${C}.kube_protect_kernel_defaults`]: [[true]],
  'hardening_configuration.hardening_enabled': [[false, pids]],
  'hardening_configuration.pids_limit_k8s': [[100, pids]],
  'hardening_configuration.pids_limit_unspecified_k8s': [[true, pids]],
  [`${C}.manager_kube_reserved_resources`]: [['cpu=1,memory=1Gi'], ['much']],
  [`${C}.worker_kube_reserved_resources`]: [['cpu=1,memory=1Gi'], ['much']],
  [`${C}.custom_kubelet_flags`]: [
    [['--image-gc-high-threshold=80']],
    [['--max-open-files=100000']],
    [['--node-labels=disk=fast']],
    [['--node-status-max-images=5%']],
  ],
  [`${C}.cipher_suites_for_kubelet`]: [['TLS_AES_128_GCM_SHA256']],
  [`${C}.kubelet_serialize_image_pulls`]: [[false]],
  [`${C}.custom_kubelet_flags_profiles`]: [[{ gpu: '--max-pods=40' }], [{ unused: '--v=2' }]],
  [`${C}.kubelet_data_root`]: [['/data/kubelet'], ['/data/kubelet', {}, '4.1']],
  [`${C}.disable_seccomp_default`]: [[true]],
  // Network
  [`${C}.service_cluster_ip_range`]: [['10.97.0.0/16']],
  [`${C}.nodeport_range`]: [['30000-32767']],
  [`${C}.secure_overlay`]: [[true]],
  [`${C}.pod_cidr`]: [['10.1.0.0/16']],
  [`${C}.vxlan_vni`]: [[4242]],
  [`${C}.calico_vxlan_port`]: [['4790']],
  [`${C}.calico_ip_auto_method`]: [['interface=eth1'], ['interface=eth1', {}, '4.1']],
  [`${C}.calico_vxlan`]: [[false]],
  [`${C}.calico_mtu`]: [['1410'], ['9000']],
  [`${C}.calico_vxlan_mtu`]: [['1400'], ['1400', { [`${C}.calico_vxlan`]: false }]],
  [`${C}.ipip_mtu`]: [['1400', { [`${C}.calico_vxlan`]: false }]],
  'log_configuration.level': [['DEBUG'], ['warning']],
  // What MKE 4 installs when its configuration is applied
  [`${provider}.clientId`]: [['other', oidc]],
  [`${provider}.issuer`]: [['https://other', oidc]],
  [`${provider}.wellKnownConfigUrl`]: [
    ['https://other/.well-known/openid-configuration', { ...oidc, [`${provider}.issuer`]: '' }],
  ],
  [`${provider}.clientSecret`]: [['s3cret', oidc]],
  [`${provider}.caBundle`]: [['PEM']],
  [`${provider}.httpProxy`]: [['http://proxy']],
  [`${provider}.httpsProxy`]: [['http://proxy']],
  [`${provider}.userServiceId`]: [['id']],
  [`${provider}.usernameClaim`]: [['email']],
  'auth.samlEnabled': [[true]],
  'auth.saml.idpMetadataURL': [['https://idp', saml]],
  'auth.saml.rootCerts': [['PEM', saml]],
  'auth.saml.spHost': [['https://mke', saml]],
  'auth.saml.tlsSkipVerify': [[true, saml]],
  'auth.backend': [['ldap']],
  'auth.sessions.lifetime_minutes': [[30]],
  // The ingress controller of 4.0 is always on.
  [`${ingress}.enabled`]: [[true, {}, '4.1']],
  [`${ingress}.ingress_num_replicas`]: [[3, withIngress]],
  [`${ingress}.ingress_enable_lb`]: [[true, withIngress]],
  [`${ingress}.ingress_preserve_client_ip`]: [[true, withIngress]],
  [`${ingress}.ingress_external_ips`]: [[['10.0.0.1'], withIngress]],
  [`${ingress}.ingress_config_map`]: [[{ 'body-size': '8m' }, withIngress]],
  [`${ingress}.ingress_tcp_services`]: [[{ 9000: 'a/b:1' }, withIngress]],
  [`${ingress}.ingress_udp_services`]: [[{ 9000: 'a/b:1' }, withIngress]],
  [`${ingress}.ingress_extra_args.http_port`]: [[8080, withIngress]],
  [`${ingress}.ingress_extra_args.https_port`]: [[8443, withIngress]],
  [`${ingress}.ingress_extra_args.enable_ssl_passthrough`]: [[true, withIngress]],
  [`${ingress}.ingress_extra_args.default_ssl_certificate`]: [['a/b', withIngress]],
  [`${ingress}.ingress_extra_args.default_backend_service`]: [['a/b', withIngress]],
  [`${ingress}.ingress_node_toleration`]: [[[{ key: 'a', operator: 'Exists' }], withIngress]],
  [`${ingress}.ingress_node_affinity`]: [[{ a: 'b' }, withIngress]],
  [`${ingress}.ingress_exposed_ports`]: [[[{ name: 'https', node_port: 34000 }], withIngress]],
  [`${C}.core_dns_lameduck_config.enabled`]: [[true]],
  [`${C}.core_dns_lameduck_config.duration`]: [['9s']],
  [`${C}.metallb_config.enabled`]: [[true]],
  [`${C}.metallb_config.metallb_ip_addr_pool`]: [
    [[{ name: 'a', external_ip: ['10.1.1.0/24'] }], metallb],
  ],
  [`${C}.policy_enforcement.gatekeeper.enabled`]: [[true]],
  [`${C}.policy_enforcement.gatekeeper.excluded_namespaces`]: [[['build']]],
  [`${C}.policy_enforcement.pod_security_policy`]: [[true]],
  [`${C}.nvidia_device_plugin`]: [[true]],
  [`${C}.nvidia_device_partitioner`]: [
    [true, { ...nvidia, [`${C}.nvidia_device_partitioner`]: false }],
  ],
  [`${C}.cadvisor_enabled`]: [[true]],
  'tracking_configuration.ops_care': [[true], [true, {}, '4.1']],
  'tracking_configuration.cluster_label': [['night']],
  'tracking_configuration.disable_tracking': [[true]],
  'tracking_configuration.disable_usageinfo': [[true]],
  [`${C}.cloud_provider`]: [['aws'], ['azure']],
  [`${C}.node_local_dns`]: [[true], [true, {}, '4.1']],
  [`${C}.node_local_dns_config_persist`]: [[true], [true, {}, '4.1']],
  'backup_schedule_config.enabled': [[true]],
  // Becomes a taint of the managers.
  'scheduling_configuration.enable_admin_ucp_scheduling': [[false]],
};

export const k0sOf = (values: Settings): K0sSettings => settings(values).k0s;
export const profilesOf = (values: Settings): Record<string, JsonObject> =>
  Object.fromEntries(k0sOf(values).spec.workerProfiles.map((one) => [one.name, one.values]));
