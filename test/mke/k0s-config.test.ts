import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { rowOf } from '../../src/mke/convert/table.ts';
import type { Conversion, ConvertHost } from '../../src/mke/convert/types.ts';
import { setPath } from '../../src/mke/convert/values.ts';
import { k0sSettings, type K0sSettings } from '../../src/mke/k0s-config.ts';
import { Mke3Config } from '../../src/mke/mke3-config.ts';
import type { Target } from '../../src/mke/mke4-defaults.ts';

const C = 'cluster_config';
type Settings = Record<string, JsonValue>;

const host = (name: string, role: ConvertHost['role'], labels = {}): ConvertHost => {
  return { name, role, labels, address: `10.0.0.${name}`, port: 22, user: 'u', keyPath: 'k' };
};
const hosts = [
  host('m1', 'manager'),
  host('m2', 'manager', { profile: 'gpu' }),
  host('w1', 'worker'),
  host('w2', 'worker', { profile: 'gpu' }),
];

interface Result {
  source: Mke3Config;
  conversion: Conversion;
  k0s: K0sSettings;
}

function settings(values: Settings, target: Target = '4.0'): Result {
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

/** A value that differs from the default, and the settings without which it means nothing. */
type Case = [value: JsonValue, beside?: Settings, target?: Target];

const audit = { [`${C}.kube_api_server_auditing`]: true };
const policy = 'rules: [{ level: Request }]';
const customPolicy = {
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
const nvidia = { [`${C}.nvidia_device_plugin`]: true };

/** Every key that the converter reads. */
const cases: Record<string, Case[]> = {
  // Settings with which a cluster cannot be upgraded.
  [`${C}.calico_kdd`]: [[false]],
  [`${C}.kube_proxy_mode`]: [['ipvs']],
  [`${C}.calico_ebpf_enabled`]: [[true]],
  [`${C}.unmanaged_cni`]: [[true]],
  [`${C}.swarm_only`]: [[true]],
  [`${C}.kms_enabled`]: [[true]],
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
  [`${C}.calico_vxlan_mtu`]: [['1400']],
  [`${C}.ipip_mtu`]: [['1400', { [`${C}.calico_vxlan`]: false }]],
  'log_configuration.level': [['DEBUG']],
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
  [`${ingress}.enabled`]: [[true, { [`${C}.nodeport_range`]: '30000-32767' }]],
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
  'tracking_configuration.ops_care': [[true]],
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

/** Where a setting has gone: into k0s, into the report, or into the file of MKE 4 for later. */
function destinations(key: string, [value, beside = {}, target]: Case): string[] {
  const before = settings(beside, target);
  const after = settings({ ...beside, [key]: value }, target);
  const { conversion, k0s } = after;
  const inK0s = ({ k0s: { spec, flags, files, directories } }: Result): string =>
    JSON.stringify({ spec, flags, files, directories });
  const reported = [...conversion.unconverted, ...conversion.refusals, ...k0s.unconverted].some(
    (one) =>
      (one.key === key || one.key.startsWith(`${key}.`)) && one.why !== '' && one.what !== '',
  );
  const feature = rowOf(key)?.feature;
  const waits = conversion.later.some((one) => one.feature === feature);
  const inFile = ({ conversion: { config, metallbPools } }: Result): string =>
    JSON.stringify([config, metallbPools]);
  return [
    ...(inK0s(before) === inK0s(after) ? [] : ['k0s']),
    ...(before.conversion.managersTakePods === conversion.managersTakePods ? [] : ['taint']),
    ...(reported ? ['report'] : []),
    ...(waits && inFile(before) !== inFile(after) ? ['later'] : []),
  ];
}

describe('every setting of MKE 3 that is converted', () => {
  const rows = Object.entries(cases).flatMap(([key, all]) =>
    all.map((one) => ({ key, one, title: `${key} = ${JSON.stringify(one[0])} ${one[2] ?? ''}` })),
  );

  it.each(rows)('$title reaches k0s, the report or the file of MKE 4', ({ key, one }) => {
    expect(destinations(key, one)).not.toEqual([]);
  });

  it('is in the table above', () => {
    const asked = new Set(
      rows.flatMap(({ key, one: [value, beside, target] }) =>
        settings({ ...beside, [key]: value }, target).source.asked(),
      ),
    );
    expect([...asked].filter((key) => !Object.hasOwn(cases, key))).toEqual([]);
    expect(Object.keys(cases).filter((key) => !asked.has(key))).toEqual([]);
  });

  it('is found missing by this check when it goes nowhere', () => {
    expect(destinations(`${C}.node_exporter_port`, [9100])).toEqual([]);
  });
});

const REAL_K0S = process.env['RUNNER_K0S'] ?? '';
it.runIf(REAL_K0S !== '')(
  `a real k0s accepts the configuration with each of them${REAL_K0S === '' ? ' [needs a k0s binary: RUNNER_K0S=FILE]' : ''}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'runner-k0s-'));
    const file = join(dir, 'k0s.yaml');
    const validate = (spec: object): { status: number | null; stderr: string } => {
      const head = { apiVersion: 'k0s.k0sproject.io/v1beta1', kind: 'ClusterConfig' };
      writeFileSync(file, JSON.stringify({ ...head, metadata: { name: 'k0s' }, spec }));
      const args = ['config', 'validate', '--config', file];
      return spawnSync(REAL_K0S, args, { timeout: 30_000, encoding: 'utf8' });
    };
    try {
      // It is strict about most fields, but not about those of the network.
      expect(validate({ noSuchField: 1 }).status).not.toBe(0);
      expect(validate({ api: { extraArgs: { profiling: true } } }).status).not.toBe(0);
      for (const [key, all] of Object.entries(cases))
        for (const [value, beside] of all) {
          const { spec } = settings({ ...beside, [key]: value }).k0s;
          const { status, stderr } = validate({
            ...spec,
            api: { ...spec.api, address: '127.0.0.1' },
            network: { ...spec.network, provider: 'calico' },
          });
          expect(status, `${key}: ${stderr}`).toBe(0);
        }
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
  300_000,
);

const k0sOf = (values: Settings): K0sSettings => settings(values).k0s;
const profilesOf = (values: Settings): Record<string, JsonObject> =>
  Object.fromEntries(k0sOf(values).spec.workerProfiles.map((one) => [one.name, one.values]));

describe('k0s.yaml', () => {
  it.each([
    ['4GB', '4294967296'],
    ['512MB', '536870912'],
    ['8GiB', '8589934592'],
    ['1048576', '1048576'],
  ])('has the etcd quota %s in bytes', (text, bytes) => {
    expect(k0sOf({ [`${C}.etcd_storage_quota`]: text }).spec.storage.etcd.extraArgs).toEqual({
      'quota-backend-bytes': bytes,
    });
  });

  it.each([
    [1450, {}],
    [1410, { calico_mtu: '1410' }],
    [1400, { calico_vxlan_mtu: '1400' }],
    [8950, { calico_mtu: '8980', calico_vxlan_mtu: '8950' }],
    [1480, { calico_vxlan: false }],
    [1440, { calico_vxlan: false, ipip_mtu: '1440' }],
    [0, { calico_mtu: '0', calico_vxlan_mtu: '0' }],
  ])('has the MTU %i, which fits through pods and tunnel', (mtu, values: Settings) => {
    const toml = Object.fromEntries(
      Object.entries(values).map(([key, one]) => [`${C}.${key}`, one]),
    );
    expect(k0sOf(toml).spec.network.calico['mtu']).toBe(mtu);
  });

  it('has text only in extraArgs', () => {
    const { api, controllerManager, scheduler, storage } = k0sOf({
      ...customPolicy,
      [`${C}.kube_scheduler_bind_to_all`]: true,
    }).spec;
    for (const { extraArgs } of [api, controllerManager, scheduler, storage.etcd])
      for (const value of Object.values(extraArgs)) expect(value).toBeTypeOf('string');
    expect(scheduler.extraArgs).toEqual({ 'bind-address': '0.0.0.0' });
  });

  it('keeps NodeRestriction beside the plugins of MKE 3', () => {
    const flags = {
      [`${C}.custom_kube_api_server_flags`]: ['--enable-admission-plugins=PodNodeSelector'],
    };
    expect(k0sOf(flags).spec.api.extraArgs['enable-admission-plugins']).toBe(
      'NodeRestriction,PodNodeSelector',
    );
  });

  it('accepts tokens of a custom issuer and of konnectivity', () => {
    const flags = [`--service-account-issuer=https://mke.example.com`];
    expect(
      k0sOf({ [`${C}.custom_kube_api_server_flags`]: flags }).spec.api.extraArgs,
    ).toMatchObject({
      'service-account-issuer': 'https://mke.example.com',
      'api-audiences':
        'https://kubernetes.default.svc,system:konnectivity-server,https://mke.example.com',
    });
    expect(k0sOf({}).spec.api.extraArgs).not.toHaveProperty('service-account-issuer');
  });

  it('has the audit policy of MKE 3 in a file of its own', () => {
    const { files, spec, directories } = k0sOf(customPolicy);
    expect(parse(files[0]?.content ?? '')).toEqual({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      rules: [{ level: 'Request' }],
    });
    expect(spec.api.extraArgs).toMatchObject({
      'audit-policy-file': files[0]?.path,
      'audit-log-path': `${directories[0] ?? ''}/audit.log`,
    });
  });

  it('reports an audit policy without rules, and logs metadata', () => {
    const broken = { ...customPolicy, [`${C}.kube_api_server_custom_audit_policy_yaml`]: '}{' };
    const { conversion, k0s } = settings(broken);
    expect(conversion.unconverted.map(({ key }) => key)).toContain(
      `${C}.kube_api_server_custom_audit_policy_yaml`,
    );
    expect(k0s.files[0]?.content).toContain('level: Metadata');
  });
});

describe('worker profiles', () => {
  const gpu = { [`${C}.custom_kubelet_flags_profiles`]: { gpu: '--max-pods=40' } };

  it('reserve different resources on managers and workers', () => {
    const profiles = profilesOf({
      [`${C}.manager_kube_reserved_resources`]: 'cpu=2',
      [`${C}.worker_kube_reserved_resources`]: 'cpu=1',
    });
    expect(profiles['default']?.['kubeReserved']).toEqual({ cpu: '1' });
    expect(profiles['mke-manager']?.['kubeReserved']).toEqual({ cpu: '2' });
    expect(k0sOf({}).flags).toEqual({
      m1: ['--profile=mke-manager'],
      m2: ['--profile=mke-manager'],
      w1: [],
      w2: [],
    });
  });

  it('of MKE 3 contain the reserved resources of the role, and are chosen by labels', () => {
    const values = { ...gpu, [`${C}.manager_kube_reserved_resources`]: 'cpu=2' };
    const profiles = profilesOf(values);
    expect(profiles['gpu']).toMatchObject({ maxPods: 40, kubeReserved: { cpu: '50m' } });
    expect(profiles['gpu-manager']).toMatchObject({ maxPods: 40, kubeReserved: { cpu: '2' } });
    expect(k0sOf(values).flags).toMatchObject({
      m2: ['--profile=gpu-manager'],
      w1: [],
      w2: ['--profile=gpu'],
    });
  });

  it('get names that a ConfigMap can have, with a line in the report', () => {
    const names = {
      GPU_big: '--max-pods=1',
      default: '--max-pods=2',
      'mke-manager': '--max-pods=3',
    };
    const { spec, unconverted } = k0sOf({ [`${C}.custom_kubelet_flags_profiles`]: names });
    const custom = spec.workerProfiles.slice(2);
    expect(custom.map(({ name }) => name)).toEqual(['gpu-big', 'mke-default', 'mke-mke-manager']);
    expect(unconverted.map(({ what }) => what)).toEqual(
      custom.map(({ name }) => `use "--profile=${name}" for further nodes`),
    );
  });

  it('have custom kubelet flags as fields, and the rest are flags of the installation', () => {
    const flags = [
      '--image-gc-high-threshold=70',
      '--max-open-files=9',
      '--v=4',
      '--node-labels=a=b',
    ];
    const values = { ...gpu, [`${C}.custom_kubelet_flags`]: flags };
    for (const profile of Object.values(profilesOf(values)))
      expect(profile).toMatchObject({ imageGCHighThresholdPercent: 70 });
    expect(k0sOf(values).flags['w2']).toEqual([
      '--profile=gpu',
      '--labels=a=b',
      '--kubelet-extra-args=--max-open-files=9 --v=4',
    ]);
  });

  it('have the address of the node in the cluster, unless a custom flag says otherwise', () => {
    const flagsOf = (custom: string[]) => {
      const toml: JsonObject = {};
      setPath(toml, `${C}.calico_kdd`, true);
      setPath(toml, `${C}.custom_kubelet_flags`, custom);
      const one = [{ ...host('w1', 'worker'), nodeAddress: '10.1.0.5' }];
      const base = convertConfig(new Mke3Config(toml), { hosts: one, externalAddress: '' });
      return k0sSettings(base, one).flags['w1'];
    };
    expect(flagsOf([])).toEqual(['--kubelet-extra-args=--node-ip=10.1.0.5']);
    expect(flagsOf(['--v=4'])).toEqual(['--kubelet-extra-args=--node-ip=10.1.0.5 --v=4']);
    expect(flagsOf(['--node-ip=::'])).toEqual(['--kubelet-extra-args=--node-ip=::']);
  });

  it('have no field that k0s refuses', () => {
    const flags = ['--cluster-dns=10.0.0.1', '--cluster-domain=x', '--manifest-url=http://x'];
    const locked = ['clusterDNS', 'clusterDomain', 'apiVersion', 'kind', 'staticPodURL'];
    const profiles = profilesOf({
      [`${C}.custom_kubelet_flags`]: flags,
      [`${C}.custom_kubelet_flags_profiles`]: { gpu: flags.join(' ') },
    });
    for (const profile of Object.values(profiles))
      expect(Object.keys(profile).filter((key) => locked.includes(key))).toEqual([]);
  });
});
