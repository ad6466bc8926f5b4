import type { PerTarget } from './row.ts';
import type { Advice } from './types.ts';

const C = 'cluster_config';
const PROVIDER = 'auth.external_identity_provider';

/** The same advice for several settings of one table. */
function each(
  prefix: string,
  names: string,
  advice: PerTarget<Advice>,
): Record<string, PerTarget<Advice>> {
  return Object.fromEntries(names.split(' ').map((name) => [`${prefix}${name}`, advice]));
}

const NO_ACTION = 'no action needed';
const unused = (what: string): Advice => {
  return { why: `it configures the MKE 3 ${what}, which MKE 4 does not use`, what: NO_ACTION };
};
const noSwarm = { why: 'it configures Swarm, which MKE 4 does not have', what: NO_ACTION };
const ownContainers = {
  why: "it limits MKE 3's own containers, which the upgrade removes",
  what: NO_ACTION,
};
const noContentTrust = 'MKE 4 has no content trust, so images run whether they are signed or not';
const noPrivileges: PerTarget<Advice> = {
  '4.0': {
    why: 'MKE 4.0 does not check privileged pod attributes as MKE 3 does, so every account that can create pods can use them',
    what: 'enforce Pod Security Admission or Gatekeeper constraints on the namespaces, and exempt these accounts',
  },
  '4.1': {
    why: 'since 4.1.3, the admission controller mke4-ucpauthz has one list of exempt accounts for all privileged attributes',
    what: 'add these accounts to its exemptUsers; see its documentation',
  },
};
const lockout = {
  why: 'MKE 4 does not lock accounts after failed logins',
  what: 'use an identity provider that locks accounts',
};
const backup: PerTarget<Advice> = {
  '4.0': {
    why: 'MKE 4.0 has no scheduled backups',
    what: 'use it in your own schedule of "mkectl backup create"',
  },
  '4.1': {
    why: 'MKE 4.1 has no scheduled backups',
    what: 'use it in your own schedule of "mkectl backup"',
  },
};
const noWindows = {
  why: 'MKE 4.0 and 4.1 do not support Windows nodes',
  what: 'move the workloads off Windows nodes before the upgrade',
};
const ipvs = { why: 'MKE 4 supports only iptables', what: NO_ACTION };
const iscsi = {
  why: 'the k0s kubelet runs on the node itself and uses its iscsiadm',
  what: 'install iscsiadm on the nodes that mount iSCSI volumes',
};
const nodeDns = {
  why: 'k0s components use the resolv.conf of their node',
  what: 'set it in resolv.conf on the nodes if it is missing there',
};
const coreDnsMemory = {
  why: 'k0s sets the CoreDNS memory itself',
  what: 'watch the CoreDNS memory usage after the upgrade',
};
const ownPrometheus = {
  why: 'MKE 4 has its own Prometheus with other settings',
  what: 'send metrics to your own Prometheus if you need this',
};
const kubeletImages =
  'MKE 4 does not prune images on a schedule: the kubelet removes unused images';
const noScim = {
  why: 'MKE 4 does not support SCIM',
  what: 'SCIM no longer removes accounts: also remove them at the identity provider',
};
const noSamlProxy = {
  why: 'MKE 4 does not support a SAML proxy',
  what: 'make sure that the managers reach the identity provider directly',
};
const kms = {
  why: 'MKE 4 cannot read Secrets encrypted with a KMS',
  what: 'turn kms_enabled off in MKE 3 first',
};

const authentication: Record<string, PerTarget<Advice>> = {
  [`${PROVIDER}.signInCriteria`]: {
    why: 'MKE 4 accepts every user whom the identity provider authenticates',
    what: 'restrict the client to these users at the identity provider before you apply the configuration',
  },
  [`${PROVIDER}.adminRoleCriteria`]: {
    why: 'MKE 4 does not grant administrator rights by claim',
    what: "bind the administrators' group to a role in MKE 4, and keep a local administrator until then",
  },
  ...each('auth.account_lock.', 'enabled failureTrigger durationSeconds', lockout),
  'auth.managedPasswordDisabled': {
    why: 'the MKE 4 field is not documented, so local users could log in with their passwords again',
    what: 'remove the local users after the upgrade',
  },
  'auth.managedPasswordFallbackUser': {
    why: 'MKE 4 has no such setting',
    what: 'keep one local administrator',
  },
  'auth.default_new_user_role': {
    why: 'new users have no role in MKE 4',
    what: 'bind a role to their group',
  },
  'auth.sessions.per_user_limit': {
    why: 'MKE 4 does not limit sessions per user',
    what: 'limit them at the identity provider',
  },
  'auth.sessions.renewal_threshold_minutes': {
    why: 'the MKE 4 field is not documented',
    what: 'see authentication.expiry.refreshTokens.validIfNotUsedFor',
  },
  'auth.sessions.store_token_per_session': unused('web interface'),
  'auth.samlLoginText': { why: 'MKE 4 has no custom login text', what: NO_ACTION },
  ...each('auth.', 'scimEnabled scim.token scim.orgName', noScim),
  'auth.saml.allowLdapLogins': {
    why: 'MKE 4 does not combine SAML and LDAP this way',
    what: 'configure authentication.ldap in addition to SAML',
  },
  ...each(
    'auth.samlProxy.',
    'enabled proxy_url credentials.basic.user credentials.basic.password',
    noSamlProxy,
  ),
  'pki.client_ca_bundle': {
    why: 'MKE 4 does not accept client certificates from this certificate authority',
    what: 'give their users another way to log in',
  },
  [`${C}.oidc_client_id`]: unused('login service'),
  [`${C}.pre_logon_message`]: {
    why: 'MKE 4 shows no message before login',
    what: 'show it at the identity provider',
  },
  [`${C}.disable_client_bundle`]: {
    why: 'MKE 4 has no client bundles',
    what: NO_ACTION,
  },
};

const security: Record<string, PerTarget<Advice>> = {
  'trust_configuration.require_content_trust': {
    why: noContentTrust,
    what: 'verify signatures with an admission controller',
  },
  'trust_configuration.require_signature_from': {
    why: noContentTrust,
    what: 'require these signers in an admission controller that verifies signatures',
  },
  'trust_configuration.allow_repos': {
    why: noContentTrust,
    what: 'exempt these repositories in the admission controller that verifies signatures',
  },
  ...each(
    `${C}.priv_attributes_`,
    'allowed_for_user_accounts user_accounts allowed_for_service_accounts service_accounts',
    noPrivileges,
  ),
  registries: {
    why: 'the k0s containerd does not get the registry and its certificate authority from MKE 3',
    what: 'add the CA to the trusted certificates of all nodes, and give pods imagePullSecrets, or they cannot pull from it',
  },
  ...each(
    'hardening_configuration.',
    'limit_kernel_capabilities pids_limit_int pids_limit_unspecified_int',
    ownContainers,
  ),
  ...each('hardening_configuration.', 'pids_limit_swarm pids_limit_unspecified_swarm', noSwarm),
  'hardening_configuration.limit_non_root_containers': {
    why: 'MKE 4 has no such setting',
    what: 'enforce runAsNonRoot with Pod Security Admission if you rely on it',
  },
  'hardening_configuration.use_strong_tls_ciphers': {
    why: 'MKE 4 has no such setting',
    what: 'set tls-cipher-suites in apiServer.extraArgs and kubelet.extraArgs, and etcd.tlsCipherSuites',
  },
  [`${C}.exclude_server_identity_headers`]: {
    why: 'it configures response headers of the MKE 3 API, which the upgrade removes',
    what: NO_ACTION,
  },
  [`${C}.secrets_encryption_provider`]: {
    why: 'the upgrade copies the encryption configuration from the managers and ignores this setting',
    what: NO_ACTION,
  },
  ...each(`${C}.kms_`, 'name endpoint cachesize', kms),
  [`${C}.disable_http2`]: {
    why: 'MKE 4 has no such setting; kube-apiserver limits unauthenticated HTTP/2 requests since Kubernetes 1.29',
    what: NO_ACTION,
  },
  [`${C}.unauthenticated_http2_dos_mitigation`]: {
    why: 'kube-apiserver does it by default since Kubernetes 1.29',
    what: NO_ACTION,
  },
  custom_api_server_headers: {
    why: 'MKE 4 has no such setting',
    what: 'add the headers in your load balancer',
  },
};

const operation: Record<string, PerTarget<Advice>> = {
  'audit_log_configuration.level': {
    why: 'it configures the audit log of the MKE 3 API, which the upgrade removes',
    what: 'log Kubernetes requests with apiServer.audit',
  },
  'audit_log_configuration.support_bundle_include_audit_logs': unused('audit log'),
  ...each('log_configuration.', 'host protocol', {
    why: 'MKE 4 does not send logs to a syslog server',
    what: 'collect the logs of pods and of the k0s systemd units with an agent',
  }),
  ...each(
    'backup_schedule_config.',
    'path passphrase no_passphrase cron_spec include_logs backups_limit',
    backup,
  ),
  'backup_schedule_config.notification_delay': {
    why: 'MKE 4 does not remind you of backups',
    what: NO_ACTION,
  },
  'license_configuration.auto_refresh': {
    why: 'MKE 4 needs its own license',
    what: 'put its text into license.token, and renew it by hand',
  },
  'license_configuration.omit_telemetry': {
    why: 'MKE 4 has no such setting',
    what: 'set tracking.enabled to false if the cluster must not send usage data',
  },
  'tracking_configuration.anonymize_tracking': {
    why: 'MKE 4 has no such setting',
    what: 'set tracking.enabled to false if the cluster must not send usage data',
  },
  ...each(`${C}.`, 'cpu_usage_banner_threshold cpu_usage_banner_scrape_interval', {
    ...unused('web interface'),
  }),
  ...each(
    `${C}.`,
    'metrics_retention_time metrics_scrape_interval metrics_disk_usage_interval prometheus_memory_request',
    ownPrometheus,
  ),
  [`${C}.prometheus_memory_limit`]: {
    why: 'the MKE 4 field is not documented',
    what: 'watch the Prometheus memory usage after the upgrade',
  },
  [`${C}.node_exporter_port`]: {
    why: 'MKE 4 chooses the port of its node exporter',
    what: 'update firewalls and collectors that use this port',
  },
  ...each(`${C}.`, 'core_dns_memory_limit core_dns_memory_request', coreDnsMemory),
  [`${C}.core_dns_config_persist`]: {
    why: 'k0s writes the CoreDNS ConfigMap itself and overwrites your changes',
    what: 'copy the ConfigMap coredns in kube-system before the upgrade',
  },
  [`${C}.image_prune_schedule`]: {
    why: kubeletImages,
    what: 'see imageGCHighThresholdPercent in kubelet.customProfiles',
  },
  [`${C}.image_prune_whitelist`]: {
    why: kubeletImages,
    what: 'keep these images in a registry as well',
  },
  ...each(
    `${C}.`,
    'image_scan_aggregation_enabled image_scan_cvss_version',
    unused('image scanner'),
  ),
};

const cluster: Record<string, PerTarget<Advice>> = {
  'scheduling_configuration.default_node_orchestrator': noSwarm,
  ...each(
    'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.',
    'delay.value maxattempts.value',
    noSwarm,
  ),
  ...each(`${C}.`, 'swarm_port swarm_strategy swarm_polling_disabled hide_swarm_ui', noSwarm),
  [`${C}.controller_port`]: {
    why: 'MKE 4 listens on a node port',
    what: "forward the load balancer's port to the HTTPS node port",
  },
  [`${C}.kube_apiserver_port`]: {
    why: 'the k0s kube-apiserver listens on port 6443',
    what: 'update load balancers, firewalls and kubeconfig files that use this port',
  },
  [`${C}.external_service_lb`]: unused('web interface'),
  [`${C}.cluster_name`]: { why: 'the MKE 4 field is not documented', what: NO_ACTION },
  ...each(`${C}.`, 'dns dns_opt dns_search', nodeDns),
  [`${C}.containerd_root`]: {
    why: 'the k0s containerd keeps its data in /var/lib/k0s/containerd',
    what: 'check that it has enough disk space',
  },
  ...each(
    `${C}.`,
    'windows_containerd_root windows_kubelet_data_root windows_gmsa gmsa_allow_non_admins',
    noWindows,
  ),
  [`${C}.azure_ip_count`]: unused('Azure address allocator'),
  ...each(`${C}.`, 'iscsi_enabled iscsiadm_path iscsidb_path', iscsi),
  [`${C}.storage_expt_enabled`]: {
    why: 'it enables experimental MKE 3 volume drivers, which MKE 4 does not have',
    what: 'move their volumes to CSI drivers before the upgrade',
  },
  [`${C}.use_flex_volume_driver`]: {
    why: 'the k0s kubelet looks for FlexVolume drivers in another directory',
    what: 'move the volumes to CSI drivers before the upgrade',
  },
  ...each(`${C}.`, 'networks_quota_per_collection local_volume_collection_mapping', {
    ...unused('collections'),
  }),
  ...each(`${C}.`, 'authz_cache_timeout pubkey_auth_cache_enabled', unused('authorization')),
  ...each(`${C}.`, 'kv_timeout kv_snapshot_count rethinkdb_cache_size', unused('databases')),
  ...each(`${C}.`, 'profiling_enabled', unused('controller')),
  [`${C}.ignore_pod_updates_for_node_selector`]: unused('admission controller'),
  [`${C}.kubelet_max_parallel_image_pulls`]: {
    why: 'MKE 4 has no such setting',
    what: 'set maxParallelImagePulls in kubelet.customProfiles',
  },
};

const network: Record<string, PerTarget<Advice>> = {
  [`${C}.cni_installer_url`]: {
    why: 'MKE 3 reads it only during its installation',
    what: NO_ACTION,
  },
  [`${C}.calico_strict_affinity`]: {
    why: 'MKE 4 has no such setting; the Calico IPAM configuration stays in the cluster',
    what: 'compare "calicoctl ipam show --show-configuration" before and after the upgrade',
  },
  ...each(
    `${C}.`,
    'calico_manifest_tigop_compat_disabled tigop_compatible_manifest',
    unused('Calico manifest'),
  ),
  [`${C}.calico_controller_probes_tuning`]: {
    why: 'k0s sets the probes of calico-kube-controllers itself',
    what: NO_ACTION,
  },
  ...Object.fromEntries(
    ['liveness', 'readiness'].flatMap((probe) =>
      Object.entries(
        each(
          `${C}.calico_controller_${probe}_probe_`,
          'failure_threshold initial_delay_seconds period_seconds success_threshold timeout_seconds',
          { why: 'k0s sets the probes of calico-kube-controllers itself', what: NO_ACTION },
        ),
      ),
    ),
  ),
  [`${C}.kube_proxy_no_cleanup_on_start`]: unused('kube-proxy'),
  [`${C}.kube_default_drop_masq_bits`]: {
    why: 'the k0s kube-proxy uses the Kubernetes default bits',
    what: NO_ACTION,
  },
  ...each(
    `${C}.ipvs_`,
    'exclude_cidrs min_sync_period scheduler strict_arp sync_period tcp_timeout tcpfin_timeout udp_timeout',
    ipvs,
  ),
};

/** For each MKE 3 setting without a counterpart in MKE 4: why it is lost, and what to do. */
export const specialAdvice: Readonly<Record<string, PerTarget<Advice>>> = {
  ...authentication,
  ...security,
  ...operation,
  ...cluster,
  ...network,
};

/** Settings with the prefix have no effect unless the boolean setting `needs` is on. */
const switches: [prefix: string, needs: string | undefined][] = [
  ['auth.account_lock.', 'auth.account_lock.enabled'],
  ['auth.scim.', 'auth.scimEnabled'],
  ['auth.samlProxy.', 'auth.samlProxy.enabled'],
  ['auth.saml.', 'auth.samlEnabled'],
  ['auth.samlLoginText', 'auth.samlEnabled'],
  // It also counts the days since manual backups.
  ['backup_schedule_config.notification_delay', undefined],
  ['backup_schedule_config.', 'backup_schedule_config.enabled'],
  ['hardening_configuration.', 'hardening_configuration.hardening_enabled'],
  [`${C}.iscsi`, `${C}.iscsi_enabled`],
  [`${C}.kms_`, `${C}.kms_enabled`],
  [`${C}.calico_controller_liveness`, `${C}.calico_controller_probes_tuning`],
  [`${C}.calico_controller_readiness`, `${C}.calico_controller_probes_tuning`],
];

/** The boolean setting that must be on for a setting to have an effect. */
export function switchOf(key: string): string | undefined {
  const found = switches.find(([prefix, needs]) => key.startsWith(prefix) && key !== needs);
  return found?.[1];
}
