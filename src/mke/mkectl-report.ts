/**
 * Settings that "mkectl check mke3" lists as not supported whatever their value is, by the vendor's page on compatibility
 * checks (mke-upgrade.md §2.6). A "*" at the end stands for all keys of a table. Those that runner converts are not among them.
 */
const notSupported: readonly string[] = [
  'auth.default_new_user_role',
  'auth.managedPasswordFallbackUser',
  'auth.external_identity_provider.caBundle',
  'auth.external_identity_provider.httpProxy',
  'auth.external_identity_provider.httpsProxy',
  'auth.external_identity_provider.userServiceId',
  'auth.external_identity_provider.usernameClaim',
  'auth.samlProxy.*',
  'auth.sessions.per_user_limit',
  'backup_schedule_config.*',
  'custom_api_server_headers',
  'etcd_cleanup_schedule_config.*',
  'license_configuration.*',
  'pki.client_ca_bundle',
  'scheduling_configuration.default_node_orchestrator',
  'user_workload_defaults.*',
  ...[
    'azure_ip_count',
    'calico_strict_affinity',
    'containerd_root',
    'controller_port',
    'cpu_usage_banner_scrape_interval',
    'cpu_usage_banner_threshold',
    'exclude_server_identity_headers',
    'hide_swarm_ui',
    'image_prune_schedule',
    'image_scan_cvss_version',
    'iscsi_enabled',
    'iscsiadm_path',
    'iscsidb_path',
    'kube_apiserver_port',
    'kv_snapshot_count',
    'kv_timeout',
    'metrics_retention_time',
    'metrics_scrape_interval',
    'networks_quota_per_collection',
    'node_exporter_port',
    'policy_enforcement.pod_security_policy',
    'prometheus_memory_request',
    'rethinkdb_cache_size',
    'storage_expt_enabled',
    'swarm_only',
    'swarm_polling_disabled',
    'swarm_port',
    'swarm_strategy',
    'unauthenticated_http2_dos_mitigation',
    'use_flex_volume_driver',
    'windows_containerd_root',
    'windows_gmsa',
    'windows_kubelet_data_root',
  ].map((name) => `cluster_config.${name}`),
];

const keys = new Set(notSupported);
const tables = notSupported.filter((key) => key.endsWith('.*')).map((key) => key.slice(0, -1));

/** Whether mkectl calls a setting that is not converted "Not supported", also where it is off. */
export function isNotSupportedByMkectl(key: string): boolean {
  return keys.has(key) || tables.some((table) => key.startsWith(table));
}
