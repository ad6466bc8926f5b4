/**
 * Settings that "mkectl check mke3" always reports as "Not supported", even if they are off or have their default, by the two
 * lists on the vendor's page on compatibility checks. Settings that runner converts are left out.
 */
const always: readonly string[] = [
  'auth.default_new_user_role',
  'auth.managedPasswordFallbackUser',
  'auth.external_identity_provider.caBundle',
  'auth.external_identity_provider.httpProxy',
  'auth.external_identity_provider.httpsProxy',
  'auth.external_identity_provider.userServiceId',
  'auth.external_identity_provider.usernameClaim',
  'auth.sessions.per_user_limit',
  'custom_api_server_headers',
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

/** Prefixes of settings that mkectl skips while the boolean setting `needs` is off. */
const switches: readonly [prefix: string, needs: string][] = [
  ['auth.samlProxy.', 'auth.samlProxy.enabled'],
  ['backup_schedule_config.', 'backup_schedule_config.enabled'],
];

/**
 * Whether mkectl reports a setting that runner does not convert as "Not supported": always, only while another setting is on,
 * or never (undefined).
 */
export function notSupportedByMkectl(key: string): 'always' | { whileOn: string } | undefined {
  const listed = always.some((one) =>
    one.endsWith('.*') ? key.startsWith(one.slice(0, -1)) : key === one,
  );
  if (listed) return 'always';
  const found = switches.find(([prefix]) => key.startsWith(prefix));
  return found && { whileOn: found[1] };
}
