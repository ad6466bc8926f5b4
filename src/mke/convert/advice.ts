import type { Advice } from './types.ts';

const noContentTrust = 'MKE 4 has no content trust, so images run whether they are signed or not';
const noPrivileges =
  'MKE 4 does not check the privileged attributes of pods as MKE 3 does, so every account that may create pods may use them';
const limitPods =
  'enforce Pod Security Admission or Gatekeeper constraints on the namespaces, and exempt these accounts';
const hardening = {
  why: 'MKE 4 does not limit pods like this',
  what: 'enforce it with Pod Security Admission or Gatekeeper before users deploy',
};
const lockout = {
  why: 'MKE 4 does not lock accounts after failed logins',
  what: 'let an identity provider that does it check the passwords',
};
const backup = {
  why: 'MKE 4 has no scheduled backup that could use it',
  what: 'use it for your own schedule of "mkectl backup create"',
};
const etcdCleanup = {
  why: 'the etcd of k0s is not cleaned up or defragmented by schedule',
  what: 'watch the size of the database; MKE 4 has etcd.maintenanceService from 4.1.3 on',
};

const C = 'cluster_config';
const PROVIDER = 'auth.external_identity_provider';

/** What is lost with a setting without a counterpart, where that is more than a convenience. */
export const specialAdvice: Readonly<Record<string, Advice>> = {
  [`${PROVIDER}.signInCriteria`]: {
    why: 'MKE 4 lets in everybody whom the identity provider lets in',
    what: 'restrict the client to these users at the identity provider before you apply the configuration',
  },
  [`${PROVIDER}.adminRoleCriteria`]: {
    why: 'MKE 4 makes nobody an administrator by a claim',
    what: 'bind the group of the administrators to a role in MKE 4, and keep a local administrator until then',
  },
  'trust_configuration.require_content_trust': {
    why: noContentTrust,
    what: 'verify signatures with an admission controller',
  },
  'trust_configuration.require_signature_from': {
    why: noContentTrust,
    what: 'require these signers with an admission controller that verifies signatures',
  },
  'trust_configuration.allow_repos': {
    why: 'MKE 4 does not restrict repositories',
    what: 'allow these repositories with a Gatekeeper constraint',
  },
  [`${C}.priv_attributes_allowed_for_user_accounts`]: { why: noPrivileges, what: limitPods },
  [`${C}.priv_attributes_user_accounts`]: { why: noPrivileges, what: limitPods },
  [`${C}.priv_attributes_allowed_for_service_accounts`]: { why: noPrivileges, what: limitPods },
  [`${C}.priv_attributes_service_accounts`]: { why: noPrivileges, what: limitPods },
  registries: {
    why: 'the containerd of k0s does not know the registry and its certificate authority',
    what: 'put the CA below /etc/k0s/containerd.d on all nodes, and credentials into imagePullSecrets, or pods cannot pull from it',
  },
  'hardening_configuration.limit_kernel_capabilities': hardening,
  'hardening_configuration.limit_non_root_containers': hardening,
  'hardening_configuration.use_strong_tls_ciphers': {
    why: 'MKE 4 has no such switch',
    what: 'set tls-cipher-suites in apiServer.extraArgs and kubelet.extraArgs',
  },
  'auth.account_lock.enabled': lockout,
  'auth.account_lock.failureTrigger': lockout,
  'auth.account_lock.durationSeconds': lockout,
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
  'auth.scimEnabled': {
    why: 'MKE 4 has no SCIM',
    what: 'accounts are no longer removed by it: remove them at the identity provider, too',
  },
  'auth.saml.allowLdapLogins': {
    why: 'MKE 4 does not combine SAML and LDAP like this',
    what: 'configure authentication.ldap beside SAML',
  },
  'auth.samlProxy.enabled': {
    why: 'MKE 4 has no proxy for SAML',
    what: 'the managers must reach the identity provider directly',
  },
  'pki.client_ca_bundle': {
    why: 'MKE 4 does not accept client certificates of this authority',
    what: 'their users need another login',
  },
  [`${C}.disable_client_bundle`]: {
    why: 'MKE 4 has no client bundles, so there is nothing to disable',
    what: 'nothing',
  },
  [`${C}.exclude_server_identity_headers`]: {
    why: 'MKE 4 has no such setting',
    what: 'remove the headers in your load balancer',
  },
  [`${C}.pre_logon_message`]: {
    why: 'MKE 4 shows no message before the login',
    what: 'show it at the identity provider',
  },
  [`${C}.secrets_encryption_provider`]: {
    why: 'the encryption configuration is copied from the managers, whatever this says',
    what: 'nothing',
  },
  [`${C}.external_service_lb`]: {
    why: 'MKE 4 has no such setting',
    what: 'give the name of the load balancer as --external-address',
  },
  'audit_log_configuration.level': {
    why: 'it is the audit log of the MKE 3 API, which is gone',
    what: 'log the requests to Kubernetes with apiServer.audit',
  },
  custom_api_server_headers: {
    why: 'MKE 4 has no such setting',
    what: 'add the headers in your load balancer',
  },
  ...Object.fromEntries(
    ['path', 'passphrase', 'no_passphrase', 'cron_spec', 'include_logs', 'backups_limit'].map(
      (name) => [`backup_schedule_config.${name}`, backup],
    ),
  ),
  ...Object.fromEntries(
    [
      'cleanup_enabled',
      'min_ttl_to_keep_seconds',
      'cron_expression',
      'defrag_enabled',
      'defrag_pause_seconds',
      'defrag_timeout_seconds',
    ].map((name) => [`etcd_cleanup_schedule_config.${name}`, etcdCleanup]),
  ),
};

/** Switches without which the settings that begin so have no effect. */
const switches: [prefix: string, needs: string][] = [
  ['auth.account_lock.', 'auth.account_lock.enabled'],
  ['auth.scim.', 'auth.scimEnabled'],
  ['auth.samlProxy.', 'auth.samlProxy.enabled'],
  ['auth.saml.', 'auth.samlEnabled'],
  ['auth.samlLoginText', 'auth.samlEnabled'],
  ['backup_schedule_config.', 'backup_schedule_config.enabled'],
  [`${C}.kms_`, `${C}.kms_enabled`],
  [`${C}.calico_controller_liveness`, `${C}.calico_controller_probes_tuning`],
  [`${C}.calico_controller_readiness`, `${C}.calico_controller_probes_tuning`],
  [`${C}.custom_proxy_config_yaml`, `${C}.kube_proxy_use_config_file`],
];

/** The switch that a setting needs. */
export function switchOf(key: string): string | undefined {
  const found = switches.find(([prefix, needs]) => key.startsWith(prefix) && key !== needs);
  return found?.[1];
}
