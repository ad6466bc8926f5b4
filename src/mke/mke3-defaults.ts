import type { JsonValue } from '../core/json.ts';

/**
 * Defaults of the MKE 3 keys that have no counterpart in MKE 4. A dump lists every key, so only a value that differs
 * was somebody's choice. Several values mean that documentation and dumps differ (mke-upgrade.md §5).
 */
export const mke3Defaults: Record<string, JsonValue[]> = {
  'auth.backend': ['managed'],
  'auth.default_new_user_role': ['restrictedcontrol'],
  'auth.sessions.per_user_limit': [10],
  'auth.sessions.renewal_threshold_minutes': [20],
  'auth.sessions.lifetime_minutes': [60],
  'scheduling_configuration.enable_admin_ucp_scheduling': [true, false],
  'scheduling_configuration.default_node_orchestrator': ['swarm', 'kubernetes'],
  'license_configuration.auto_refresh': [true, false],
  'log_configuration.protocol': ['tcp'],
  'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.delay.value': ['5s'],
  'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.maxattempts.value': ['3'],
  'backup_schedule_config.backups_limit': [0, 30],
  'backup_schedule_config.notification_delay': [0, 7],
  'etcd_cleanup_schedule_config.defrag_pause_seconds': [60],
  'etcd_cleanup_schedule_config.defrag_timeout_seconds': [300, 0],
  'hardening_configuration.pids_limit_unspecified_int': [true],
  'hardening_configuration.pids_limit_unspecified_swarm': [true],
  'cluster_config.controller_port': [443],
  'cluster_config.kube_apiserver_port': [6443],
  'cluster_config.swarm_port': [2376],
  'cluster_config.swarm_strategy': ['spread'],
  'cluster_config.node_exporter_port': [9100],
  'cluster_config.cluster_name': ['', 'kubernetes'],
  'cluster_config.containerd_root': ['/var/lib/containerd'],
  'cluster_config.windows_containerd_root': ['C:\\ProgramData\\containerd'],
  'cluster_config.kubelet_data_root': ['/var/lib/kubelet'],
  'cluster_config.windows_kubelet_data_root': ['C:\\k'],
  'cluster_config.kv_timeout': [5000],
  'cluster_config.kv_snapshot_count': [20000],
  'cluster_config.rethinkdb_cache_size': ['1GB'],
  'cluster_config.image_scan_cvss_version': [3],
  'cluster_config.metrics_retention_time': ['24h'],
  'cluster_config.metrics_scrape_interval': ['1m'],
  'cluster_config.metrics_disk_usage_interval': ['2h'],
  'cluster_config.prometheus_memory_limit': ['2Gi'],
  'cluster_config.prometheus_memory_request': ['1Gi'],
  'cluster_config.core_dns_memory_limit': ['170Mi'],
  'cluster_config.core_dns_memory_request': ['70Mi'],
  'cluster_config.cpu_usage_banner_threshold': [20],
  'cluster_config.cpu_usage_banner_scrape_interval': ['10m'],
  'cluster_config.calico_mtu': ['1480'],
  'cluster_config.calico_vxlan_mtu': ['1450'],
  'cluster_config.ipip_mtu': ['1480'],
  'cluster_config.calico_kdd': [true, false],
  'cluster_config.kube_proxy_no_cleanup_on_start': [true],
  'cluster_config.nvidia_device_partitioner': [true],
  'cluster_config.secrets_encryption_provider': ['aescbc'],
  'cluster_config.kubelet_serialize_image_pulls': [true],
  'cluster_config.kubelet_max_parallel_image_pulls': [1],
  'cluster_config.tigop_compatible_manifest': [true],
  'cluster_config.calico_controller_liveness_probe_initial_delay_seconds': [-1, 0],
  'cluster_config.calico_controller_readiness_probe_initial_delay_seconds': [-1, 0],
};

/** Off, empty or zero: what nobody chose. */
export function isDefault(path: string, value: JsonValue): boolean {
  const known = mke3Defaults[path];
  if (known?.some((one) => JSON.stringify(one) === JSON.stringify(value))) return true;
  if (known) return value === '';
  return isOff(value);
}

/** Keys whose values are never shown. */
export function isSecretKey(key: string): boolean {
  return /pass(word|phrase)|secret|token|key$/i.test(key);
}

/** Off, empty or zero. */
export function isOff(value: JsonValue): boolean {
  if (value === false || value === 0 || value === '' || value === null) return true;
  if (Array.isArray(value)) return value.every(isOff);
  return typeof value === 'object' && Object.values(value).every(isOff);
}
