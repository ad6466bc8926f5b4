import type { JsonValue } from '../../core/json.ts';
import type { Target } from '../mke4-defaults.ts';
import { specialAdvice, switchOf } from './advice.ts';
import { forTarget, type Row, type ValueTypes } from './row.ts';
import type { Advice } from './types.ts';

const noCounterpart = {
  why: 'MKE 4 has no such setting',
  what: 'see the MKE 4 documentation',
};

/**
 * Settings of MKE 3 without a counterpart in MKE 4, with their default values: those of the documentation, and those of dumps if
 * they differ.
 */
export const unsupported: readonly Row[] = [
  ...table('auth', {
    default_new_user_role: ['restrictedcontrol'],
    scimEnabled: [false],
    samlLoginText: [''],
    managedPasswordDisabled: [false],
    managedPasswordFallbackUser: [''],
    'sessions.renewal_threshold_minutes': [20],
    'sessions.per_user_limit': [10],
    'sessions.store_token_per_session': [false],
    'saml.allowLdapLogins': [false],
    'scim.token': [''],
    'scim.orgName': [''],
    'samlProxy.enabled': [false],
    'samlProxy.proxy_url': [''],
    'samlProxy.credentials.basic.user': [''],
    'samlProxy.credentials.basic.password': [''],
    'account_lock.enabled': [false],
    'account_lock.failureTrigger': [0],
    'account_lock.durationSeconds': [0],
  }),
  ...table('hardening_configuration', {
    limit_kernel_capabilities: [false],
    limit_non_root_containers: [false],
    use_strong_tls_ciphers: [false],
    pids_limit_int: [0],
    pids_limit_swarm: [0],
    pids_limit_unspecified_int: [true],
    pids_limit_unspecified_swarm: [true],
  }),
  ...table('audit_log_configuration', {
    level: [''],
    support_bundle_include_audit_logs: [false],
  }),
  ...table('scheduling_configuration', { default_node_orchestrator: ['swarm', 'kubernetes'] }),
  ...table('tracking_configuration', { anonymize_tracking: [false] }),
  ...table('trust_configuration', {
    require_content_trust: [false],
    require_signature_from: [[]],
    allow_repos: [[]],
  }),
  ...table('log_configuration', { protocol: ['tcp'], host: [''] }),
  ...table('license_configuration', { auto_refresh: [true, false], omit_telemetry: [false] }),
  ...lists({
    registries: ['host_address', 'service_id', 'ca_bundle', 'batch_scanning_data_enabled'],
    custom_api_server_headers: ['name', 'value'],
    'auth.external_identity_provider.signInCriteria': ['term', 'value', 'matchType'],
    'auth.external_identity_provider.adminRoleCriteria': ['term', 'value', 'matchType'],
    'cluster_config.image_prune_whitelist': ['key', 'value'],
  }),
  ...table('pki', { client_ca_bundle: [''] }),
  ...table('user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy', {
    'delay.value': ['5s'],
    'maxattempts.value': ['3'],
  }),
  ...table('backup_schedule_config', {
    path: [''],
    passphrase: [''],
    no_passphrase: [false],
    cron_spec: [''],
    include_logs: [false],
    backups_limit: [0, 30],
    notification_delay: [0, 7],
  }),
  ...table('cluster_config', {
    controller_port: [443],
    kube_apiserver_port: [6443],
    swarm_port: [2376],
    node_exporter_port: [9100],
    swarm_strategy: ['spread'],
    swarm_polling_disabled: [false],
    hide_swarm_ui: [false],
    cluster_name: ['', 'kubernetes'],
    external_service_lb: [''],
    dns: [[]],
    dns_opt: [[]],
    dns_search: [[]],
    containerd_root: ['/var/lib/containerd'],
    // Downloaded configurations double the backslashes.
    windows_containerd_root: ['C:\\ProgramData\\containerd', 'C:\\\\ProgramData\\\\containerd'],
    windows_kubelet_data_root: ['C:\\k'],
    kv_timeout: [5000],
    kv_snapshot_count: [20000],
    rethinkdb_cache_size: ['1GB'],
    authz_cache_timeout: [0],
    pubkey_auth_cache_enabled: [false],
    profiling_enabled: [false],
    exclude_server_identity_headers: [false],
    disable_client_bundle: [false],
    image_scan_aggregation_enabled: [false],
    image_scan_cvss_version: [3],
    image_prune_schedule: [''],
    metrics_retention_time: ['24h'],
    metrics_scrape_interval: ['1m'],
    metrics_disk_usage_interval: ['2h'],
    prometheus_memory_limit: ['2Gi'],
    prometheus_memory_request: ['1Gi'],
    core_dns_memory_limit: ['170Mi'],
    core_dns_memory_request: ['70Mi'],
    cpu_usage_banner_threshold: [20],
    cpu_usage_banner_scrape_interval: ['10m'],
    azure_ip_count: [''],
    iscsi_enabled: [false],
    iscsiadm_path: [''],
    iscsidb_path: [''],
    storage_expt_enabled: [false],
    secrets_encryption_provider: ['aescbc'],
    kms_name: [''],
    kms_endpoint: [''],
    kms_cachesize: [0],
    disable_http2: [false],
    unauthenticated_http2_dos_mitigation: [false],
    kubelet_max_parallel_image_pulls: [1],
    ignore_pod_updates_for_node_selector: [false],
    local_volume_collection_mapping: [false],
    gmsa_allow_non_admins: [false],
    windows_gmsa: [false],
    use_flex_volume_driver: [false],
    core_dns_config_persist: [false],
    networks_quota_per_collection: [0],
    pre_logon_message: [''],
    priv_attributes_allowed_for_user_accounts: [[]],
    priv_attributes_allowed_for_service_accounts: [[]],
    priv_attributes_user_accounts: [[]],
    priv_attributes_service_accounts: [[]],
    oidc_client_id: [''],
  }),
  // Network
  ...table('cluster_config', {
    cni_installer_url: [''],
    calico_strict_affinity: [false],
    calico_manifest_tigop_compat_disabled: [false],
    tigop_compatible_manifest: [true],
    kube_proxy_no_cleanup_on_start: [true],
    kube_default_drop_masq_bits: [false],
    ipvs_exclude_cidrs: [''],
    ipvs_min_sync_period: [''],
    ipvs_scheduler: [''],
    ipvs_strict_arp: [false],
    ipvs_sync_period: [''],
    ipvs_tcp_timeout: [''],
    ipvs_tcpfin_timeout: [''],
    ipvs_udp_timeout: [''],
    calico_controller_probes_tuning: [false],
  }),
  ...['liveness', 'readiness'].flatMap((probe) =>
    table(`cluster_config.calico_controller_${probe}_probe`, {
      _failure_threshold: [0],
      _initial_delay_seconds: [-1, 0],
      _period_seconds: [0],
      _success_threshold: [0],
      _timeout_seconds: [0],
    }),
  ),
].map(withAdvice);

/** The advice for a setting that no section converts. */
export function adviceOnRest(key: string, target: Target): Advice {
  const row = unsupported.find((one) => one.key === key);
  return forTarget(row?.advice, target) ?? noCounterpart;
}

/** Rows for the settings of one TOML table. The type of a setting is the type of its default. */
function table(prefix: string, settings: Record<string, readonly JsonValue[]>): Row[] {
  return Object.entries(settings).map(([name, defaults]) => ({
    key: prefix === '' || name.startsWith('_') ? `${prefix}${name}` : `${prefix}.${name}`,
    type: typeOf(defaults[0]),
    defaults,
  }));
}

/** Adds the advice, and the setting that must be on for it to matter. */
function withAdvice(row: Row): Row {
  const needs = switchOf(row.key);
  const advice = specialAdvice[row.key] ?? noCounterpart;
  return needs === undefined ? { ...row, advice } : { ...row, advice, needs };
}

/** Rows for lists of tables. `fields` has the field names of their items. */
function lists(fields: Record<string, readonly string[]>): Row[] {
  return Object.entries(fields).map(([key, names]) => ({
    key,
    type: 'list',
    defaults: [[]],
    fields: names,
  }));
}

function typeOf(value: JsonValue | undefined): keyof ValueTypes {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean' || typeof value === 'number') return typeof value as 'number';
  return 'text';
}
