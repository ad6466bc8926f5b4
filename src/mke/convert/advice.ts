import type { PerTarget } from './row.ts';
import type { Advice } from './types.ts';

const C = 'cluster_config';
const PROVIDER = 'auth.external_identity_provider';

/** The same advice on several settings of one table. */
function each(
  prefix: string,
  names: string,
  advice: PerTarget<Advice>,
): Record<string, PerTarget<Advice>> {
  return Object.fromEntries(names.split(' ').map((name) => [`${prefix}${name}`, advice]));
}

const gone = (what: string): Advice => {
  return { why: `it is for ${what} of MKE 3, which MKE 4 does not have`, what: 'nothing' };
};
const noSwarm = { why: 'it is for the Swarm, which MKE 4 does not have', what: 'nothing' };
const ownContainers = {
  why: 'it is for the containers of MKE 3 itself, which are gone',
  what: 'nothing',
};
const noContentTrust = 'MKE 4 has no content trust, so images run whether they are signed or not';
const noPrivileges: PerTarget<Advice> = {
  '4.0': {
    why: 'MKE 4.0 does not check the privileged attributes of pods as MKE 3 does, so every account that may create pods may use them',
    what: 'enforce Pod Security Admission or Gatekeeper constraints on the namespaces, and exempt these accounts',
  },
  '4.1': {
    why: 'from 4.1.3 on, the admission controller mke4-ucpauthz has one list of exempt accounts for all privileged attributes',
    what: 'add these accounts to its exemptUsers, as its documentation shows',
  },
};
const lockout = {
  why: 'MKE 4 does not lock accounts after failed logins',
  what: 'let an identity provider that does it check the passwords',
};
const backup: PerTarget<Advice> = {
  '4.0': {
    why: 'MKE 4.0 has no scheduled backup that could use it',
    what: 'use it for your own schedule of "mkectl backup create"',
  },
  '4.1': {
    why: 'MKE 4.1 has no scheduled backup that could use it',
    what: 'use it for your own schedule of "mkectl backup"',
  },
};
const noWindows = {
  why: 'MKE 4.0 and 4.1 have no Windows nodes',
  what: 'move the workloads of Windows nodes away before the upgrade',
};
const ipvs = { why: 'MKE 4 knows iptables only', what: 'nothing' };
const iscsi = {
  why: 'the kubelet of k0s runs on the node itself and uses the iscsiadm of the node',
  what: 'install iscsiadm on the nodes that mount iSCSI volumes',
};
const nodeDns = {
  why: 'components of k0s use the resolv.conf of their node',
  what: 'set it in the resolv.conf of the nodes if it is not there',
};
const coreDnsMemory = {
  why: 'k0s sets the memory of CoreDNS itself',
  what: 'watch the memory of CoreDNS after the upgrade',
};
const ownPrometheus = {
  why: 'MKE 4 has a Prometheus of its own with other settings',
  what: 'send metrics to a Prometheus of yours if you need this',
};
const kubeletImages = 'MKE 4 does not prune images by schedule: the kubelet removes unused ones';
const noScim = {
  why: 'MKE 4 has no SCIM',
  what: 'accounts are no longer removed by it: remove them at the identity provider, too',
};
const noSamlProxy = {
  why: 'MKE 4 has no proxy for SAML',
  what: 'the managers must reach the identity provider directly',
};
const kms = {
  why: 'secrets encrypted by a KMS cannot be read by MKE 4',
  what: 'switch kms_enabled off in MKE 3 first',
};

const authentication: Record<string, PerTarget<Advice>> = {
  [`${PROVIDER}.signInCriteria`]: {
    why: 'MKE 4 lets in everybody whom the identity provider lets in',
    what: 'restrict the client to these users at the identity provider before you apply the configuration',
  },
  [`${PROVIDER}.adminRoleCriteria`]: {
    why: 'MKE 4 makes nobody an administrator by a claim',
    what: 'bind the group of the administrators to a role in MKE 4, and keep a local administrator until then',
  },
  ...each('auth.account_lock.', 'enabled failureTrigger durationSeconds', lockout),
  'auth.managedPasswordDisabled': {
    why: 'the field of MKE 4 is not published, so local users could log in with their passwords again',
    what: 'remove the local users after the upgrade',
  },
  'auth.managedPasswordFallbackUser': {
    why: 'MKE 4 has no such setting',
    what: 'keep one local administrator',
  },
  'auth.default_new_user_role': {
    why: 'new users of MKE 4 have no role',
    what: 'bind a role to their group',
  },
  'auth.sessions.per_user_limit': {
    why: 'MKE 4 does not limit the sessions of a user',
    what: 'limit them at the identity provider',
  },
  'auth.sessions.renewal_threshold_minutes': {
    why: 'the field of MKE 4 is not published',
    what: 'see authentication.expiry.refreshTokens.validIfNotUsedFor',
  },
  'auth.sessions.store_token_per_session': gone('the web interface'),
  'auth.samlLoginText': { why: 'MKE 4 has no text of yours at the login', what: 'nothing' },
  ...each('auth.', 'scimEnabled scim.token scim.orgName', noScim),
  'auth.saml.allowLdapLogins': {
    why: 'MKE 4 does not combine SAML and LDAP like this',
    what: 'configure authentication.ldap beside SAML',
  },
  ...each(
    'auth.samlProxy.',
    'enabled proxy_url credentials.basic.user credentials.basic.password',
    noSamlProxy,
  ),
  'pki.client_ca_bundle': {
    why: 'MKE 4 does not accept client certificates of this authority',
    what: 'their users need another login',
  },
  [`${C}.oidc_client_id`]: gone('the login service'),
  [`${C}.pre_logon_message`]: {
    why: 'MKE 4 shows no message before the login',
    what: 'show it at the identity provider',
  },
  [`${C}.disable_client_bundle`]: {
    why: 'MKE 4 has no client bundles, so there is nothing to disable',
    what: 'nothing',
  },
};

const security: Record<string, PerTarget<Advice>> = {
  'trust_configuration.require_content_trust': {
    why: noContentTrust,
    what: 'verify signatures with an admission controller',
  },
  'trust_configuration.require_signature_from': {
    why: noContentTrust,
    what: 'require these signers with an admission controller that verifies signatures',
  },
  'trust_configuration.allow_repos': {
    why: noContentTrust,
    what: 'exempt these repositories from the admission controller that verifies signatures',
  },
  ...each(
    `${C}.priv_attributes_`,
    'allowed_for_user_accounts user_accounts allowed_for_service_accounts service_accounts',
    noPrivileges,
  ),
  registries: {
    why: 'the containerd of k0s does not know the registry and its certificate authority',
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
    why: 'MKE 4 has no such switch',
    what: 'set tls-cipher-suites in apiServer.extraArgs and kubelet.extraArgs, and etcd.tlsCipherSuites',
  },
  [`${C}.exclude_server_identity_headers`]: {
    why: 'it is for headers of the MKE 3 API, which is gone',
    what: 'nothing',
  },
  [`${C}.secrets_encryption_provider`]: {
    why: 'the encryption configuration is copied from the managers, whatever this says',
    what: 'nothing',
  },
  ...each(`${C}.kms_`, 'name endpoint cachesize', kms),
  [`${C}.disable_http2`]: {
    why: 'MKE 4 has no such setting',
    what: 'nothing: from Kubernetes 1.29 on, kube-apiserver limits HTTP/2 requests without credentials by itself',
  },
  [`${C}.unauthenticated_http2_dos_mitigation`]: {
    why: 'kube-apiserver does it by default from Kubernetes 1.29 on',
    what: 'nothing',
  },
  custom_api_server_headers: {
    why: 'MKE 4 has no such setting',
    what: 'add the headers in your load balancer',
  },
};

const operation: Record<string, PerTarget<Advice>> = {
  'audit_log_configuration.level': {
    why: 'it is the audit log of the MKE 3 API, which is gone',
    what: 'log the requests to Kubernetes with apiServer.audit',
  },
  'audit_log_configuration.support_bundle_include_audit_logs': gone('the audit log'),
  ...each('log_configuration.', 'host protocol', {
    why: 'MKE 4 sends no logs to a syslog server',
    what: 'collect the logs of pods and of the units of k0s with an agent',
  }),
  ...each(
    'backup_schedule_config.',
    'path passphrase no_passphrase cron_spec include_logs backups_limit',
    backup,
  ),
  'backup_schedule_config.notification_delay': {
    why: 'MKE 4 does not remind you of backups',
    what: 'nothing',
  },
  'license_configuration.auto_refresh': {
    why: 'MKE 4 has a license of its own',
    what: 'put its text into license.token, and renew it by hand',
  },
  'license_configuration.omit_telemetry': {
    why: 'MKE 4 has no such setting',
    what: 'set tracking.enabled to false if such data may not leave',
  },
  'tracking_configuration.anonymize_tracking': {
    why: 'MKE 4 has no such setting',
    what: 'set tracking.enabled to false if such data may not leave',
  },
  ...each(`${C}.`, 'cpu_usage_banner_threshold cpu_usage_banner_scrape_interval', {
    ...gone('the web interface'),
  }),
  ...each(
    `${C}.`,
    'metrics_retention_time metrics_scrape_interval metrics_disk_usage_interval prometheus_memory_request',
    ownPrometheus,
  ),
  [`${C}.prometheus_memory_limit`]: {
    why: 'the field of MKE 4 is not published',
    what: 'watch the memory of Prometheus after the upgrade',
  },
  [`${C}.node_exporter_port`]: {
    why: 'MKE 4 chooses the port of its node exporter itself',
    what: 'correct firewalls and collectors of yours that use this port',
  },
  ...each(`${C}.`, 'core_dns_memory_limit core_dns_memory_request', coreDnsMemory),
  [`${C}.core_dns_config_persist`]: {
    why: 'k0s writes the ConfigMap of CoreDNS itself, so changes of yours are lost',
    what: 'copy the ConfigMap coredns in kube-system before the upgrade',
  },
  [`${C}.image_prune_schedule`]: {
    why: kubeletImages,
    what: 'see imageGCHighThresholdPercent in kubelet.customProfiles',
  },
  [`${C}.image_prune_whitelist`]: {
    why: kubeletImages,
    what: 'keep these images in a registry, too',
  },
  ...each(`${C}.`, 'image_scan_aggregation_enabled image_scan_cvss_version', gone('the scanner')),
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
    why: 'MKE 4 is served at a node port',
    what: 'forward the port of the load balancer to the HTTPS node port',
  },
  [`${C}.kube_apiserver_port`]: {
    why: 'kube-apiserver of k0s listens on 6443',
    what: 'correct load balancers, firewalls and kubeconfig files that use this port',
  },
  [`${C}.external_service_lb`]: {
    why: 'it is for links in the web interface of MKE 3, which is gone',
    what: 'nothing',
  },
  [`${C}.cluster_name`]: { why: 'the field of MKE 4 is not published', what: 'nothing' },
  ...each(`${C}.`, 'dns dns_opt dns_search', nodeDns),
  [`${C}.containerd_root`]: {
    why: 'the containerd of k0s keeps its data in /var/lib/k0s/containerd',
    what: 'check the free space there',
  },
  ...each(
    `${C}.`,
    'windows_containerd_root windows_kubelet_data_root windows_gmsa gmsa_allow_non_admins',
    noWindows,
  ),
  [`${C}.azure_ip_count`]: gone('the allocator of addresses in Azure'),
  ...each(`${C}.`, 'iscsi_enabled iscsiadm_path iscsidb_path', iscsi),
  [`${C}.storage_expt_enabled`]: {
    why: 'it is for experimental volume drivers of MKE 3',
    what: 'move their volumes to CSI drivers before the upgrade',
  },
  [`${C}.use_flex_volume_driver`]: {
    why: 'the kubelet of k0s looks for FlexVolume drivers in a directory of its own',
    what: 'move the volumes to CSI drivers before the upgrade',
  },
  ...each(`${C}.`, 'networks_quota_per_collection local_volume_collection_mapping', {
    ...gone('collections'),
  }),
  ...each(`${C}.`, 'authz_cache_timeout pubkey_auth_cache_enabled', gone('the authorization')),
  ...each(`${C}.`, 'kv_timeout kv_snapshot_count rethinkdb_cache_size', gone('the databases')),
  ...each(`${C}.`, 'profiling_enabled', gone('the controller')),
  [`${C}.ignore_pod_updates_for_node_selector`]: gone('an admission controller'),
  [`${C}.kubelet_max_parallel_image_pulls`]: {
    why: 'MKE 4 has no field for it',
    what: 'set maxParallelImagePulls in kubelet.customProfiles',
  },
};

const network: Record<string, PerTarget<Advice>> = {
  [`${C}.cni_installer_url`]: {
    why: 'MKE 3 reads it at its installation only',
    what: 'nothing',
  },
  [`${C}.calico_strict_affinity`]: {
    why: 'MKE 4 has no such setting; the IPAM configuration of Calico stays in the cluster',
    what: 'compare "calicoctl ipam show --show-configuration" before and after the upgrade',
  },
  ...each(
    `${C}.`,
    'calico_manifest_tigop_compat_disabled tigop_compatible_manifest',
    gone('the manifest of Calico'),
  ),
  [`${C}.calico_controller_probes_tuning`]: {
    why: 'k0s sets the probes of calico-kube-controllers itself',
    what: 'nothing',
  },
  ...Object.fromEntries(
    ['liveness', 'readiness'].flatMap((probe) =>
      Object.entries(
        each(
          `${C}.calico_controller_${probe}_probe_`,
          'failure_threshold initial_delay_seconds period_seconds success_threshold timeout_seconds',
          { why: 'k0s sets the probes of calico-kube-controllers itself', what: 'nothing' },
        ),
      ),
    ),
  ),
  [`${C}.kube_proxy_no_cleanup_on_start`]: gone('the kube-proxy'),
  [`${C}.kube_default_drop_masq_bits`]: {
    why: 'kube-proxy of k0s uses the bits of Kubernetes',
    what: 'nothing',
  },
  ...each(
    `${C}.ipvs_`,
    'exclude_cidrs min_sync_period scheduler strict_arp sync_period tcp_timeout tcpfin_timeout udp_timeout',
    ipvs,
  ),
};

/** What is lost with a setting without a counterpart, and what to do about it. */
export const specialAdvice: Readonly<Record<string, PerTarget<Advice>>> = {
  ...authentication,
  ...security,
  ...operation,
  ...cluster,
  ...network,
};

/** Switches without which the settings that begin so have no effect. */
const switches: [prefix: string, needs: string | undefined][] = [
  ['auth.account_lock.', 'auth.account_lock.enabled'],
  ['auth.scim.', 'auth.scimEnabled'],
  ['auth.samlProxy.', 'auth.samlProxy.enabled'],
  ['auth.saml.', 'auth.samlEnabled'],
  ['auth.samlLoginText', 'auth.samlEnabled'],
  // It also counts the days since backups by hand.
  ['backup_schedule_config.notification_delay', undefined],
  ['backup_schedule_config.', 'backup_schedule_config.enabled'],
  ['hardening_configuration.', 'hardening_configuration.hardening_enabled'],
  [`${C}.iscsi`, `${C}.iscsi_enabled`],
  [`${C}.kms_`, `${C}.kms_enabled`],
  [`${C}.calico_controller_liveness`, `${C}.calico_controller_probes_tuning`],
  [`${C}.calico_controller_readiness`, `${C}.calico_controller_probes_tuning`],
];

/** The switch that a setting needs. */
export function switchOf(key: string): string | undefined {
  const found = switches.find(([prefix, needs]) => key.startsWith(prefix) && key !== needs);
  return found?.[1];
}
