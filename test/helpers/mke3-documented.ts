import type { JsonValue } from '../../src/core/json.ts';
import type { Target } from '../../src/mke/mke4-defaults.ts';

/**
 * A path in "spec" of MKE 4, and its value. A text with "!" is YAML. Undefined: the path must not
 * exist.
 */
type Place = readonly [path: string, value: JsonValue | undefined];

/**
 * A setting of MKE 3 as in its documentation and dumps, and its path in the configuration of MKE 4.
 */
export interface Documented {
  standard: JsonValue;
  /** Another legal value. */
  other: JsonValue;
  places: Partial<Record<Target, Place>>;
}

/** Written only from the documentation, independent of the conversion code. */
export const documented: Record<string, Documented> = {};

type Line = [name: string, standard: JsonValue, other: JsonValue, place40?: Place, place41?: Place];

/** Settings that become a field. Without its own path, 4.1 has the path of 4.0. */
function converted(table: string, lines: readonly Line[]): void {
  for (const [name, standard, other, older, newer = older] of lines) {
    const places = { ...(older && { '4.0': older }), ...(newer && { '4.1': newer }) };
    documented[`${table}.${name}`] = { standard, other, places };
  }
}

/** Settings that MKE 4.1 has and MKE 4.0 does not have. */
function newer(table: string, lines: readonly [string, JsonValue, JsonValue, Place][]): void {
  for (const [name, standard, other, place] of lines)
    documented[`${table}.${name}`] = { standard, other, places: { '4.1': place } };
}

/** Settings without a counterpart, for which a line of the report describes the loss. */
function lost(table: string, lines: Record<string, readonly [JsonValue, JsonValue]>): void {
  for (const [name, [standard, other]] of Object.entries(lines))
    documented[table === '' ? name : `${table}.${name}`] = { standard, other, places: {} };
}

const C = 'cluster_config';
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const CALICO = 'network/providers/0/extraConfig';
const TIGERA = `${CALICO}/values.yaml/!`;
const NETWORK = `${TIGERA}/installation/calicoNetwork`;
const SUITE = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384';

converted(C, [
  ['shared_sans', [], ['mke.example.com'], ['apiServer/sans', ['mke.example.com']]],
  ['kube_api_server_request_timeout', '1m', '3m', ['apiServer/requestTimeout', '3m0s']],
  [
    'k8s_event_rate_limit.event_rate_limit_ac_enabled',
    false,
    true,
    ['apiServer/eventRateLimit/enabled', true],
  ],
  ['kube_api_server_auditing', false, true, ['apiServer/audit/enabled', true]],
  ['kube_api_server_audit_log_maxage', 30, 90, ['apiServer/audit/maxAge', 90]],
  ['kube_api_server_audit_log_maxbackup', 10, 20, ['apiServer/audit/maxBackup', 20]],
  ['kube_api_server_audit_log_maxsize', 10, 500, ['apiServer/audit/maxSize', 500]],
  ['kube_api_server_profiling_enabled', true, false, ['apiServer/extraArgs/profiling', undefined]],
  [
    'custom_kube_api_server_flags',
    [],
    ['--event-ttl=2h0m0s'],
    ['apiServer/extraArgs/event-ttl', '2h0m0s'],
  ],
  [
    'cipher_suites_for_kube_api_server',
    '',
    SUITE,
    ['apiServer/extraArgs/tls-cipher-suites', SUITE],
  ],
  [
    'k8s_always_pull_images_ac_enabled',
    false,
    true,
    ['apiServer/extraArgs/enable-admission-plugins', 'NodeRestriction,AlwaysPullImages'],
  ],
  [
    'kube_manager_terminated_pod_gc_threshold',
    12500,
    500,
    ['controllerManager/terminatedPodGCThreshold', 500],
  ],
  [
    'custom_kube_controller_manager_flags',
    [],
    ['--node-monitor-period=9s'],
    ['controllerManager/extraArgs/node-monitor-period', '9s'],
  ],
  [
    'kube_controller_manager_profiling_enabled',
    true,
    false,
    ['controllerManager/extraArgs/profiling', undefined],
  ],
  ['kube_scheduler_profiling_enabled', true, false, ['scheduler/profilingEnabled', false]],
  ['kube_scheduler_bind_to_all', false, true, ['scheduler/bindToAll', true]],
  [
    'custom_kube_scheduler_flags',
    [],
    ['--kube-api-qps=200'],
    ['scheduler/extraArgs/kube-api-qps', '200'],
  ],
  ['etcd_storage_quota', '', '8GB', ['etcd/storageQuota', '8GB']],
  ['cipher_suites_for_etcd_server', '', SUITE, ['etcd/tlsCipherSuites', SUITE]],
  ['kubelet_max_pods', 110, 250, ['kubelet/maxPods', 250]],
  ['kubelet_event_record_qps', 50, 0, ['kubelet/eventRecordQPS', 0]],
  ['kubelet_pods_per_core', 0, 10, ['kubelet/podsPerCore', 10]],
  ['kube_protect_kernel_defaults', false, true, ['kubelet/protectKernelDefaults', true]],
  [
    'manager_kube_reserved_resources',
    'cpu=250m,memory=2Gi,ephemeral-storage=4Gi',
    'cpu=1,memory=4Gi',
    ['kubelet/managerKubeReserved', { cpu: '1', memory: '4Gi' }],
  ],
  [
    'worker_kube_reserved_resources',
    'cpu=50m,memory=300Mi,ephemeral-storage=500Mi',
    'cpu=100m',
    ['kubelet/workerKubeReserved', { cpu: '100m' }],
  ],
  [
    'custom_kubelet_flags',
    [],
    ['--kube-api-burst=200'],
    ['kubelet/extraArgs/kube-api-burst', '200'],
  ],
  ['cipher_suites_for_kubelet', '', SUITE, ['kubelet/extraArgs/tls-cipher-suites', SUITE]],
  [
    'kubelet_serialize_image_pulls',
    true,
    false,
    ['kubelet/extraArgs/serialize-image-pulls', 'false'],
  ],
  [
    'custom_kubelet_flags_profiles',
    {},
    { gpu: '--max-pods=40' },
    ['kubelet/customProfiles', [{ name: 'gpu', values: { maxPods: 40 } }]],
  ],
  [
    'custom_kube_proxy_flags',
    [],
    ['--metrics-bind-address=127.0.0.1:10249'],
    ['network/kubeProxy/metricsBindAddress', '127.0.0.1:10249'],
  ],
  [
    'service_cluster_ip_range',
    '10.96.0.0/16',
    '172.30.0.0/16',
    ['network/serviceCIDR', '172.30.0.0/16'],
  ],
  ['nodeport_range', '32768-35535', '32768-39535', ['network/nodePortRange', '32768-39535']],
  [
    'pod_cidr',
    '192.168.0.0/16',
    '10.244.0.0/16',
    [`${CALICO}/clusterCIDRIPv4`, '10.244.0.0/16'],
    [`${CALICO}/cidrV4`, '10.244.0.0/16'],
  ],
  [
    'vxlan_vni',
    10000,
    4096,
    [`${CALICO}/vxlanVNI`, '4096'],
    [`${TIGERA}/defaultFelixConfiguration/vxlanVNI`, 4096],
  ],
  [
    'calico_vxlan_port',
    '4789',
    '8472',
    [`${CALICO}/vxlanPort`, '8472'],
    [`${TIGERA}/defaultFelixConfiguration/vxlanPort`, 8472],
  ],
  [
    'calico_vxlan',
    true,
    false,
    [`${CALICO}/mode`, 'ipip'],
    [`${NETWORK}/ipPools/0/encapsulation`, 'IPIP'],
  ],
  [
    'calico_ip_auto_method',
    '',
    'interface=ens.*',
    [`${CALICO}/ipAutodetectionMethod`, 'interface=ens.*'],
    [`${NETWORK}/nodeAddressAutodetectionV4/interface`, 'ens.*'],
  ],
  ['nvidia_device_plugin', false, true, ['devicePlugins/nvidiaGPU/enabled', true]],
  ['nvidia_device_partitioner', true, false, ['devicePlugins/nvidiaGPU/mig/enabled', false]],
  ['cadvisor_enabled', false, true, ['monitoring/enableCAdvisor', true]],
  ['cloud_provider', '', 'aws', ['cloudProvider/provider', 'aws']],
  ['core_dns_lameduck_config.enabled', false, true, ['dns/lameduck/enabled', true]],
  ['core_dns_lameduck_config.duration', '7s', '9s', ['dns/lameduck/duration', '9s']],
  ['metallb_config.enabled', false, true, ['addons/0/enabled', true], ['metallb/enabled', true]],
  [
    'policy_enforcement.gatekeeper.enabled',
    false,
    true,
    ['policyController/opaGatekeeper/enabled', true],
  ],
  [
    'policy_enforcement.gatekeeper.excluded_namespaces',
    [
      'kube-system',
      'kube-public',
      'kube-node-lease',
      'gatekeeper-system',
      'node-feature-discovery',
    ],
    ['kube-system', 'build'],
    ['policyController/opaGatekeeper/exemptNamespaces', ['build']],
  ],
]);
newer(C, [
  ['node_local_dns', false, true, ['nodeLocalDNS/enabled', true]],
  ['node_local_dns_config_persist', false, true, ['nodeLocalDNS/nodeLocalConfigPersist', true]],
  ['calico_mtu', '1480', '1400', [`${NETWORK}/mtu`, 1400]],
  ['calico_vxlan_mtu', '1450', '1300', [`${NETWORK}/mtu`, 1300]],
  ['ipip_mtu', '1480', '1200', [`${NETWORK}/mtu`, 1200]],
]);
converted(`${C}.ingress_controller`, [
  ['enabled', false, true, ['ingressController/enabled', true]],
  ['ingress_num_replicas', 2, 5, ['ingressController/replicaCount', 5]],
  ['ingress_enable_lb', false, true, ['ingressController/enableLoadBalancer', true]],
  ['ingress_preserve_client_ip', false, true, ['ingressController/preserveClientIP', true]],
  ['ingress_external_ips', [], ['203.0.113.9'], ['ingressController/externalIPs/0', '203.0.113.9']],
  [
    'ingress_config_map',
    {},
    { 'proxy-body-size': '64m' },
    ['ingressController/configMap/proxy-body-size', '64m'],
  ],
  [
    'ingress_tcp_services',
    {},
    { 9000: 'default/echo:9000' },
    ['ingressController/tcpServices/9000', 'default/echo:9000'],
  ],
  [
    'ingress_udp_services',
    {},
    { 5005: 'default/echo:5005' },
    ['ingressController/udpServices/5005', 'default/echo:5005'],
  ],
  ['ingress_extra_args.http_port', 80, 8080, ['ingressController/extraArgs/httpPort', 8080]],
  ['ingress_extra_args.https_port', 443, 8443, ['ingressController/extraArgs/httpsPort', 8443]],
  [
    'ingress_extra_args.enable_ssl_passthrough',
    false,
    true,
    ['ingressController/extraArgs/enableSslPassthrough', true],
  ],
  [
    'ingress_extra_args.default_ssl_certificate',
    '',
    'edge/tls',
    ['ingressController/extraArgs/defaultSslCertificate', 'edge/tls'],
  ],
  [
    'ingress_node_toleration',
    [{ key: 'com.docker.ucp.manager', value: '', operator: 'Exists', effect: 'NoSchedule' }],
    [{ key: 'edge', value: '', operator: 'Exists', effect: 'NoExecute' }],
    ['ingressController/tolerations/0/key', 'edge'],
  ],
  [
    'ingress_node_affinity',
    {},
    { edge: '' },
    [
      'ingressController/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0/key',
      'edge',
    ],
  ],
  [
    'ingress_exposed_ports',
    [
      { name: 'http2', port: 80, target_port: 80, node_port: 33000, protocol: '' },
      { name: 'https', port: 443, target_port: 443, node_port: 33001, protocol: '' },
    ],
    [{ name: 'https', port: 8443, target_port: 443, node_port: 34443, protocol: '' }],
    ['ingressController/nodePorts/https', 34443],
  ],
]);
converted('auth', [
  [
    'external_identity_provider.issuer',
    '',
    'https://idp.example.com',
    ['authentication/oidc/issuer', 'https://idp.example.com'],
  ],
  [
    'external_identity_provider.wellKnownConfigUrl',
    '',
    'https://kc.example.com/realms/a/.well-known/openid-configuration',
    ['authentication/oidc/issuer', 'https://kc.example.com/realms/a'],
  ],
  ['external_identity_provider.clientId', '', 'mke', ['authentication/oidc/clientID', 'mke']],
  [
    'external_identity_provider.clientSecret',
    '',
    's3cret',
    ['authentication/oidc/clientSecret', 's3cret'],
  ],
  ['samlEnabled', false, true, ['authentication/saml/enabled', true]],
  [
    'saml.idpMetadataURL',
    '',
    'https://idp.example.com/saml',
    ['authentication/saml/ssoMetadataURL', 'https://idp.example.com/saml'],
  ],
  ['saml.rootCerts', '', PEM, ['authentication/saml/caData', PEM]],
]);
converted('tracking_configuration', [
  ['disable_tracking', false, true, ['tracking/enabled', false]],
  ['disable_usageinfo', false, true, ['tracking/enabled', false]],
  ['cluster_label', '', 'prod', ['tracking/clusterLabel', 'prod']],
]);
documented['tracking_configuration.ops_care'] = {
  ...{ standard: false, other: true },
  places: { '4.0': ['monitoring/enableOpscare', true] },
};
converted('log_configuration', [
  [
    'level',
    'INFO',
    'DEBUG',
    [`${CALICO}/FELIX_LOGSEVERITYSCREEN`, 'DEBUG'],
    [`${CALICO}/loglevel`, 'Debug'],
  ],
]);
converted('hardening_configuration', [['pids_limit_k8s', 0, 4096, ['kubelet/podPidsLimit', 4096]]]);
newer('etcd_cleanup_schedule_config', [
  ['cleanup_enabled', false, true, ['etcd/maintenanceService/cleanupEnabled', true]],
  ['min_ttl_to_keep_seconds', 0, 600, ['etcd/maintenanceService/minTTLToKeepSeconds', 600]],
  ['cron_expression', '', '@weekly', ['etcd/maintenanceService/cronExpression', '@weekly']],
  ['defrag_enabled', false, true, ['etcd/maintenanceService/defragEnabled', true]],
  ['defrag_pause_seconds', 0, 30, ['etcd/maintenanceService/defragPauseSeconds', 30]],
  ['defrag_timeout_seconds', 0, 30, ['etcd/maintenanceService/defragTimeoutSeconds', 30]],
]);

/** Settings without a field and without a line of the report, and why. */
export const withoutEffect: Readonly<Record<string, string>> = {
  'scheduling_configuration.enable_admin_ucp_scheduling': 'decides the taint of the managers',
  'scheduling_configuration.default_node_orchestrator': 'dumps have both values',
  'license_configuration.auto_refresh': 'dumps have both values',
  'hardening_configuration.hardening_enabled': 'a switch of other settings',
  'hardening_configuration.pids_limit_unspecified_k8s': 'a switch of pids_limit_k8s',
};

/** Settings that share the line of another one. */
export const reportedWith: Readonly<Record<string, readonly string[]>> = {
  [`${C}.calico_kdd`]: [`${C}.swarm_only`, `${C}.unmanaged_cni`],
  [`${C}.kube_api_server_enable_custom_audit_policy`]: [
    `${C}.kube_api_server_custom_audit_policy_yaml`,
  ],
  [`${C}.kube_proxy_use_config_file`]: [`${C}.custom_proxy_config_yaml`],
};

lost('', {
  'scheduling_configuration.enable_admin_ucp_scheduling': [true, false],
  'scheduling_configuration.default_node_orchestrator': ['kubernetes', 'swarm'],
  registries: [[], [{ host_address: 'msr.example.com', service_id: 'a', ca_bundle: PEM }]],
  custom_api_server_headers: [[], [{ name: 'X-Site', value: 'a' }]],
  'pki.client_ca_bundle': ['', PEM],
  'audit_log_configuration.level': ['', 'request'],
  'audit_log_configuration.support_bundle_include_audit_logs': [false, true],
  'log_configuration.protocol': ['tcp', 'udp'],
  'log_configuration.host': ['', 'syslog.example.com:514'],
  'license_configuration.auto_refresh': [true, false],
  'license_configuration.omit_telemetry': [false, true],
  'tracking_configuration.anonymize_tracking': [false, true],
  'trust_configuration.require_content_trust': [false, true],
  'trust_configuration.require_signature_from': [[], ['corp/signers']],
  'trust_configuration.allow_repos': [[], ['docker.io/a/b']],
  'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.delay.value': ['5s', '9s'],
  'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.maxattempts.value': ['3', '9'],
});
lost('auth', {
  backend: ['managed', 'ldap'],
  default_new_user_role: ['restrictedcontrol', 'viewonly'],
  scimEnabled: [false, true],
  samlLoginText: ['', 'Log in'],
  managedPasswordDisabled: [false, true],
  managedPasswordFallbackUser: ['', 'breakglass'],
  'sessions.lifetime_minutes': [60, 480],
  'sessions.renewal_threshold_minutes': [20, 0],
  'sessions.per_user_limit': [10, 3],
  'sessions.store_token_per_session': [false, true],
  'saml.spHost': ['', 'https://mke.example.com'],
  'saml.tlsSkipVerify': [false, true],
  'saml.allowLdapLogins': [false, true],
  'scim.token': ['', 'tok'],
  'scim.orgName': ['', 'corp'],
  'samlProxy.enabled': [false, true],
  'samlProxy.proxy_url': ['', 'http://proxy:3128'],
  'samlProxy.credentials.basic.user': ['', 'u'],
  'samlProxy.credentials.basic.password': ['', 'p'],
  'account_lock.enabled': [false, true],
  'account_lock.failureTrigger': [0, 5],
  'account_lock.durationSeconds': [0, 600],
  'external_identity_provider.usernameClaim': ['', 'email'],
  'external_identity_provider.caBundle': ['', PEM],
  'external_identity_provider.httpProxy': ['', 'http://proxy:3128'],
  'external_identity_provider.httpsProxy': ['', 'http://proxy:3128'],
  'external_identity_provider.userServiceId': ['', 'id'],
  'external_identity_provider.signInCriteria': [
    [],
    [{ term: 'groups', value: 'ops', matchType: 'must' }],
  ],
  'external_identity_provider.adminRoleCriteria': [
    [],
    [{ term: 'groups', value: 'adm', matchType: 'contains' }],
  ],
});
lost('hardening_configuration', {
  hardening_enabled: [false, true],
  pids_limit_unspecified_k8s: [true, false],
  limit_kernel_capabilities: [false, true],
  limit_non_root_containers: [false, true],
  use_strong_tls_ciphers: [false, true],
  pids_limit_int: [0, 100],
  pids_limit_swarm: [0, 100],
  pids_limit_unspecified_int: [true, false],
  pids_limit_unspecified_swarm: [true, false],
});
lost('backup_schedule_config', {
  enabled: [false, true],
  path: ['', '/var/backups'],
  passphrase: ['', 'long words'],
  no_passphrase: [false, true],
  cron_spec: ['', '@daily'],
  include_logs: [false, true],
  backups_limit: [30, 5],
  notification_delay: [7, -1],
});
lost(C, {
  calico_kdd: [true, false],
  kube_proxy_mode: ['iptables', 'ipvs'],
  calico_ebpf_enabled: [false, true],
  unmanaged_cni: [false, true],
  swarm_only: [false, true],
  kms_enabled: [false, true],
  kms_name: ['', 'k'],
  kms_endpoint: ['', 'unix:///k'],
  kms_cachesize: [0, 9],
  kube_api_server_enable_custom_audit_policy: [false, true],
  kube_api_server_custom_audit_policy_yaml: ['', 'rules: [{ level: Request }]'],
  kube_proxy_use_config_file: [false, true],
  custom_proxy_config_yaml: ['', 'mode: ipvs'],
  kubelet_data_root: ['/var/lib/kubelet', '/data/kubelet'],
  disable_seccomp_default: [false, true],
  secure_overlay: [false, true],
  'ingress_controller.ingress_extra_args.default_backend_service': ['', 'edge/default'],
  'metallb_config.metallb_ip_addr_pool': [
    [{ name: '', external_ip: [] }],
    [{ name: 'edge', external_ip: ['10.20.30.0/28'] }],
  ],
  'policy_enforcement.pod_security_policy': [false, true],
  controller_port: [443, 8443],
  kube_apiserver_port: [6443, 7443],
  swarm_port: [2376, 2377],
  node_exporter_port: [9100, 9200],
  swarm_strategy: ['spread', 'binpack'],
  swarm_polling_disabled: [false, true],
  hide_swarm_ui: [false, true],
  cluster_name: ['', 'prod'],
  external_service_lb: ['', 'lb.example.com'],
  dns: [[], ['10.0.0.2']],
  dns_opt: [[], ['ndots:2']],
  dns_search: [[], ['example.com']],
  containerd_root: ['/var/lib/containerd', '/data/containerd'],
  windows_containerd_root: [String.raw`C:\\ProgramData\\containerd`, String.raw`D:\containerd`],
  windows_kubelet_data_root: [String.raw`C:\k`, String.raw`D:\k`],
  kv_timeout: [5000, 9000],
  kv_snapshot_count: [20000, 50000],
  rethinkdb_cache_size: ['1GB', 'auto'],
  authz_cache_timeout: [0, 30],
  pubkey_auth_cache_enabled: [false, true],
  profiling_enabled: [false, true],
  exclude_server_identity_headers: [false, true],
  disable_client_bundle: [false, true],
  image_scan_aggregation_enabled: [false, true],
  image_scan_cvss_version: [3, 2],
  image_prune_schedule: ['', '@midnight'],
  image_prune_whitelist: [[], [{ key: 'label', value: 'keep' }]],
  metrics_retention_time: ['24h', '168h'],
  metrics_scrape_interval: ['1m', '30s'],
  metrics_disk_usage_interval: ['2h', '4h'],
  prometheus_memory_limit: ['2Gi', '8Gi'],
  prometheus_memory_request: ['1Gi', '4Gi'],
  core_dns_memory_limit: ['170Mi', '512Mi'],
  core_dns_memory_request: ['70Mi', '100Mi'],
  core_dns_config_persist: [false, true],
  cpu_usage_banner_threshold: [20, 50],
  cpu_usage_banner_scrape_interval: ['10m', '5m'],
  azure_ip_count: ['', '128'],
  iscsi_enabled: [false, true],
  iscsiadm_path: ['', '/usr/sbin/iscsiadm'],
  iscsidb_path: ['', '/etc/iscsi'],
  storage_expt_enabled: [false, true],
  secrets_encryption_provider: ['aescbc', 'aesgcm'],
  disable_http2: [false, true],
  unauthenticated_http2_dos_mitigation: [false, true],
  kubelet_max_parallel_image_pulls: [1, 5],
  ignore_pod_updates_for_node_selector: [false, true],
  local_volume_collection_mapping: [false, true],
  gmsa_allow_non_admins: [false, true],
  windows_gmsa: [false, true],
  use_flex_volume_driver: [false, true],
  networks_quota_per_collection: [0, 5],
  pre_logon_message: ['', 'Authorized use only'],
  priv_attributes_allowed_for_user_accounts: [[], ['privileged']],
  priv_attributes_allowed_for_service_accounts: [[], ['hostPID']],
  priv_attributes_user_accounts: [[], ['alice']],
  priv_attributes_service_accounts: [[], ['a:b']],
  oidc_client_id: ['', 'id'],
  cni_installer_url: ['', 'https://example.com/cni.yaml'],
  calico_strict_affinity: [false, true],
  calico_manifest_tigop_compat_disabled: [false, true],
  tigop_compatible_manifest: [true, false],
  kube_proxy_no_cleanup_on_start: [true, false],
  kube_default_drop_masq_bits: [false, true],
  ipvs_exclude_cidrs: ['', '10.0.0.0/8'],
  ipvs_min_sync_period: ['', '1s'],
  ipvs_scheduler: ['', 'wrr'],
  ipvs_strict_arp: [false, true],
  ipvs_sync_period: ['', '9s'],
  ipvs_tcp_timeout: ['', '9s'],
  ipvs_tcpfin_timeout: ['', '9s'],
  ipvs_udp_timeout: ['', '9s'],
  calico_controller_probes_tuning: [false, true],
  ...Object.fromEntries(
    ['liveness', 'readiness'].flatMap((probe) => [
      [`calico_controller_${probe}_probe_failure_threshold`, [0, 6]],
      [`calico_controller_${probe}_probe_initial_delay_seconds`, [-1, 9]],
      [`calico_controller_${probe}_probe_period_seconds`, [0, 9]],
      [`calico_controller_${probe}_probe_success_threshold`, [0, 2]],
      [`calico_controller_${probe}_probe_timeout_seconds`, [0, 9]],
    ]),
  ),
});
