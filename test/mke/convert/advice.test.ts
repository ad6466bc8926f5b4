import { describe, expect, it } from 'vitest';
import { specialAdvice, switchOf } from '../../../src/mke/convert/advice.ts';
import { rowOf } from '../../../src/mke/convert/table.ts';
import { unsupported } from '../../../src/mke/convert/unsupported.ts';
import { convert } from '../../helpers/mke3-config.ts';

const lines = (toml: string): string[] =>
  convert(toml).unconverted.map(
    ({ key, value, why, what }) => `${key} = ${value}: ${why}; ${what}`,
  );

describe('advice on settings without a counterpart', () => {
  it('exists for every such setting', () => {
    expect(unsupported.map(({ key }) => key).filter((key) => !(key in specialAdvice))).toEqual([]);
  });

  it('depends on the MKE 4 release', () => {
    const accounts = '[cluster_config]\npriv_attributes_user_accounts = ["alice"]\n';
    const [older] = convert(accounts).unconverted;
    const [newer] = convert(accounts, { target: '4.1' }).unconverted;
    expect(older?.why).toMatch(/every account that can create pods can use them/);
    expect(newer?.why).toMatch(/mke4-ucpauthz/);
  });

  it('exists only for documented settings', () => {
    expect(Object.keys(specialAdvice).filter((key) => rowOf(key) === undefined)).toEqual([]);
  });

  it.each([
    [
      '[[auth.external_identity_provider.signInCriteria]]\nterm = "hd"\nvalue = "example.com"\nmatchType = "must"',
      /signInCriteria.*accepts every user.*restrict the client/,
    ],
    [
      '[[auth.external_identity_provider.adminRoleCriteria]]\nterm = "roles"\nvalue = "admin"\nmatchType = "contains"',
      /adminRoleCriteria.*does not grant administrator rights.*bind the administrators' group/,
    ],
    [
      '[trust_configuration]\nrequire_signature_from = ["ops"]',
      /no content trust.*admission controller/,
    ],
    [
      '[trust_configuration]\nallow_repos = ["docker.io/a/b"]',
      /no content trust.*exempt these repositories/,
    ],
    [
      '[hardening_configuration]\nhardening_enabled = true\nlimit_kernel_capabilities = true',
      /MKE 3's own containers, which the upgrade removes; no action needed$/,
    ],
    [
      '[hardening_configuration]\nhardening_enabled = true\npids_limit_k8s = 100',
      /pids_limit_k8s = 100: it has no effect because pids_limit_unspecified_k8s is not false/,
    ],
    ['[log_configuration]\nlevel = "warning"', /level = warning: MKE 4 documents only Debug/],
    [
      '[cluster_config]\nipip_mtu = "1200"',
      /it has no effect because calico_vxlan is true; no action needed$/,
    ],
    [
      '[cluster_config]\ncalico_mtu = "1400"',
      /sets the MTU 1400 in k0s, but .* 4\.0 configuration has no field/,
    ],
    [
      '[cluster_config]\nkube_api_server_auditing = true\nkube_api_server_enable_custom_audit_policy = true',
      /enable_custom_audit_policy = true: the configuration has no audit policy/,
    ],
    [
      '[cluster_config]\nkube_api_server_enable_custom_audit_policy = true\nkube_api_server_custom_audit_policy_yaml = "rules: [{ level: None }]"',
      /\(policy\): it has no effect because cluster_config\.kube_api_server_auditing is off/,
    ],
    [
      '[auth]\nsamlEnabled = true',
      /auth\.saml\.idpMetadataURL is not set.*set authentication\.saml\.ssoMetadataURL/,
    ],
    [
      '[auth.external_identity_provider]\nclientId = "mke"\nclientSecret = "s"\nissuer = "https://a"\nwellKnownConfigUrl = "https://b/.well-known/openid-configuration"',
      /MKE 4 reads https:\/\/a\/\.well-known\/openid-configuration instead/,
    ],
    [
      '[cluster_config.custom_kubelet_flags_profiles]\ngpu = "--max-pods=40"',
      /node labels select it, and this file does not contain them/,
    ],
    ['[cluster_config]\ncontainerd_root = "/data"', /\/var\/lib\/k0s\/containerd; check that it/],
    ['[cluster_config]\nkube_apiserver_port = 7443', /listens on port 6443; update load balancers/],
    ['[cluster_config]\nexternal_service_lb = "lb"', /MKE 3 web interface, which MKE 4 does not/],
    ['[cluster_config]\nprometheus_memory_limit = "8Gi"', /the MKE 4 field is not documented/],
    ['[log_configuration]\nhost = "syslog:514"', /not send logs to a syslog server; collect the/],
    [
      '[cluster_config]\npriv_attributes_allowed_for_user_accounts = ["privileged"]',
      /every account that can create pods.*Pod Security Admission/,
    ],
    [
      '[cluster_config]\npriv_attributes_service_accounts = ["a:b"]',
      /every account that can create pods.*Pod Security Admission/,
    ],
    [
      '[[registries]]\nhost_address = "r"\nca_bundle = """-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"""',
      /^registries = \[\{"host_address":"r","ca_bundle":"\(CERTIFICATE\)"\}\]: .*add the CA to the trusted certificates/,
    ],
  ])('explains the loss and what to do: %s', (toml, line) => {
    expect(lines(toml)).toEqual([expect.stringMatching(line)]);
  });
});

describe('an MKE 3 default', () => {
  it.each([
    '[etcd_cleanup_schedule_config]\ndefrag_pause_seconds = 0',
    '[cluster_config]\nwindows_containerd_root = "C:\\\\ProgramData\\\\containerd"',
    "[cluster_config]\nwindows_containerd_root = 'C:\\\\ProgramData\\\\containerd'",
    '[auth.external_identity_provider]\nusernameClaim = "sub"',
    '[cluster_config.ingress_controller]\nenabled = false\ningress_num_replicas = 2\n[cluster_config.ingress_controller.ingress_extra_args]\nhttp_port = 80\nhttps_port = 443',
    '[[cluster_config.ingress_controller.ingress_node_toleration]]\nkey = "com.docker.ucp.manager"\nvalue = ""\noperator = "Exists"\neffect = "NoSchedule"',
    '[[cluster_config.ingress_controller.ingress_exposed_ports]]\nname = "http2"\nport = 80\ntarget_port = 80\nnode_port = 33000\nprotocol = ""\n[[cluster_config.ingress_controller.ingress_exposed_ports]]\nname = "https"\nport = 443\ntarget_port = 443\nnode_port = 33001\nprotocol = ""',
    '[auth.saml]\nspHost = ""\ntlsSkipVerify = false',
    '[auth]\nsamlEnabled = true\n[auth.saml]\nidpMetadataURL = "https://idp"\nspHost = ""',
    '[cluster_config]\nnvidia_device_plugin = false\nnvidia_device_partitioner = true',
  ])('is not reported: %s', (toml) => {
    expect(lines(toml)).toEqual([]);
  });
});

describe('a setting of a feature that is off', () => {
  it.each([
    [
      '[cluster_config.ingress_controller]\nenabled = false\ningress_num_replicas = 5',
      'cluster_config.ingress_controller.enabled',
    ],
    [
      '[cluster_config.ingress_controller]\ningress_exposed_ports = [{ name = "https", node_port = 34000 }]',
      'cluster_config.ingress_controller.enabled',
    ],
    ['[auth.saml]\nspHost = "https://mke.example.com"', 'auth.samlEnabled'],
    ['[auth.saml]\nidpMetadataURL = "https://idp.example.com"', 'auth.samlEnabled'],
    ['[cluster_config]\nnvidia_device_partitioner = false', 'cluster_config.nvidia_device_plugin'],
    [
      '[[cluster_config.metallb_config.metallb_ip_addr_pool]]\nname = "a"\nexternal_ip = ["10.0.0.0/24"]',
      'cluster_config.metallb_config.enabled',
    ],
    ['[backup_schedule_config]\npath = "/tmp"', 'backup_schedule_config.enabled'],
    [
      '[hardening_configuration]\nlimit_kernel_capabilities = true',
      'hardening_configuration.hardening_enabled',
    ],
  ])('is reported with the setting that turns the feature on: %s', (toml, needs) => {
    expect(lines(toml)).toEqual([
      expect.stringContaining(
        `it has no effect because ${needs} is off in MKE 3; no action needed unless`,
      ),
    ]);
    expect(switchOf('auth.samlEnabled')).toBeUndefined();
  });
});

describe('an incomplete OIDC provider', () => {
  it.each([
    [
      'clientId = "mke"',
      'clientId = mke: OIDC does not work without issuer and wellKnownConfigUrl',
    ],
    ['issuer = "https://idp"', 'issuer = https://idp: OIDC does not work without clientId'],
    ['clientSecret = "s3cret"', 'clientSecret = (secret): OIDC does not work without clientId'],
  ])('is reported: %s', (toml, line) => {
    expect(lines(`[auth.external_identity_provider]\n${toml}`)).toEqual([
      expect.stringContaining(line),
    ]);
  });
});
