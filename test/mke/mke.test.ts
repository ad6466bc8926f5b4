import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/json.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { flagsToMap } from '../../src/mke/convert/flags.ts';
import { profileToFields } from '../../src/mke/convert/kubelet-fields.ts';
import { configToYaml } from '../../src/mke/convert/yaml.ts';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { convertLdap } from '../../src/mke/convert/ldap.ts';
import { mke3_cluster } from '../../src/mke/mke3_cluster.ts';
import { targets, type Target } from '../../src/mke/mke4-defaults.ts';
import { schemaProblems } from '../../src/mke/mke4-schema.ts';
import { compatibility, compatibilityText } from '../../src/mke/report.ts';
import { mke4_config } from '../../src/mke/mke4_config.ts';
import { mke_upgrade_summary } from '../../src/mke/mke_upgrade_summary.ts';
import { packageRoot } from '../../src/util/package.ts';
import { fakeHost, testModule } from '../helpers/module-tester.ts';

const dump = readFileSync(join(packageRoot(), 'src', 'lab', 'mke3-config.toml'), 'utf8');
const convert = (toml: string) =>
  convertConfig(parseMke3Config(toml, 'x.toml'), { hosts: [], externalAddress: 'mke.example.com' });
const kdd = '[cluster_config]\ncalico_kdd = true\n';
interface Spec {
  [key: string]: Spec;
}
const specOf = (toml: string) => convert(toml).config['spec'] as unknown as Spec;

describe('conversion of a real dump', () => {
  const { config, unconverted, refusals, metallbPools } = convert(dump);
  const spec = config['spec'] as unknown as Spec;

  it.each([
    ['kubelet.maxPods', 150],
    ['kubelet.podPidsLimit', 4096],
    ['kubelet.workerKubeReserved', { cpu: '100m', memory: '500Mi', 'ephemeral-storage': '1Gi' }],
    ['etcd.storageQuota', '4GB'],
    ['apiServer.requestTimeout', '1m0s'],
    ['apiServer.audit.maxAge', 14],
    ['apiServer.extraArgs.enable-admission-plugins', 'NodeRestriction,AlwaysPullImages'],
    ['apiServer.sans', ['mke.example.com', '10.20.0.10']],
    ['authentication.oidc.issuer', 'https://login.example.com/realms/ops'],
    ['ingressController.replicaCount', 3],
    ['ingressController.tolerations', []],
    ['ingressController.tcpServices', { 9000: 'default/tcp-echo:9000' }],
    ['policyController.opaGatekeeper.exemptNamespaces', ['build']],
    ['dns.lameduck.enabled', true],
    ['monitoring.enableCAdvisor', true],
    ['tracking.enabled', false],
    ['tracking.clusterLabel', 'night-shift'],
  ])('%s', (path, wanted) => {
    const value = path.split('.').reduce<unknown>((node, key) => (node as JsonObject)[key], spec);
    expect(value).toEqual(wanted);
  });

  it('reports choices that have no counterpart, and nothing that was a default', () => {
    const keys = unconverted.map(({ key }) => key);
    expect(keys).toContain('backup_schedule_config.enabled');
    expect(keys).toContain('registries');
    expect(keys.filter((key) => /swarm|kv_|rethinkdb|calico_mtu|iscsi|ipvs/.test(key))).toEqual([]);
    expect(refusals).toEqual([]);
    expect(metallbPools).toEqual([{ name: 'edge', addresses: ['10.20.30.0/28', '10.20.31.0/28'] }]);
  });

  it('never prints a secret in the report', () => {
    expect(JSON.stringify(unconverted)).not.toContain('a long passphrase');
  });

  it('makes YAML that reads back as the same', () => {
    expect(parse(configToYaml(config))).toEqual(JSON.parse(JSON.stringify(config)));
  });
});

describe('refusals', () => {
  it.each([
    ['calico_kdd = false', 'calico_kdd'],
    ['calico_kdd = true\nkube_proxy_mode = "ipvs"', 'kube_proxy_mode'],
    ['calico_kdd = true\ncalico_ebpf_enabled = true', 'calico_ebpf_enabled'],
    ['calico_kdd = true\nkms_enabled = true', 'kms_enabled'],
  ])('%s', (text, key) => {
    expect(convert(`[cluster_config]\n${text}\n`).refusals.map((one) => one.key)).toEqual([
      `cluster_config.${key}`,
    ]);
  });
});

describe('node ports of the ingress', () => {
  it.each([
    ['default range, off', '', { http: 33000, https: 33001 }],
    ['custom range, off', 'nodeport_range = "30000-32767"', { http: 30000, https: 30001 }],
    [
      'default range, on',
      '[cluster_config.ingress_controller]\nenabled = true',
      { http: 33000, https: 33001 },
    ],
  ])('%s', (_, text, wanted) => {
    expect(specOf(`${kdd}${text}\n`)['ingressController']?.['nodePorts']).toEqual(wanted);
  });
});

describe('flags', () => {
  it('become a map; what a map cannot hold is reported', () => {
    const { map, problems } = flagsToMap([
      '--a=b=c',
      '--bare',
      'x y',
      '--a=2',
      '--tls-cert-file=/etc/docker/x',
    ]);
    expect(map).toEqual({ a: 'b=c', bare: 'true' });
    expect(problems.map(({ flag }) => flag)).toEqual([
      'x y',
      '--a=2',
      '--tls-cert-file=/etc/docker/x',
    ]);
  });

  it('of a kubelet profile become fields of their type', () => {
    const { fields, problems } = profileToFields(
      '--max-pods=40 --eviction-hard=memory.available<5%,nodefs.available<10% --feature-gates=A=true --anonymous-auth=false --node-ip=1.2.3.4',
    );
    expect(fields).toEqual({
      maxPods: 40,
      evictionHard: { 'memory.available': '5%', 'nodefs.available': '10%' },
      featureGates: { A: true },
      authentication: { anonymous: { enabled: false } },
    });
    expect(problems).toEqual([
      { flag: '--node-ip=1.2.3.4', reason: 'KubeletConfiguration has no such field' },
    ]);
  });
});

it('broken TOML is named with line and column', () => {
  expect(() => parseMke3Config('a = 1\nb = = 2\n', 'mke3.toml')).toThrow(
    expect.objectContaining({ at: { file: 'mke3.toml', line: 2, column: 5 } }) as Error,
  );
});

it('both spellings of a key are understood', () => {
  const issuer = 'issuer = "https://i"\n';
  for (const key of ['clientID', 'clientId']) {
    expect(
      specOf(`${kdd}[auth.external_identity_provider]\n${issuer}${key} = "me"\n`)[
        'authentication'
      ]?.['oidc'],
    ).toMatchObject({ clientID: 'me' });
  }
});

const api = 'https://mke';
const answers = (body: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      { status: 200, headers: {}, body: typeof value === 'string' ? value : JSON.stringify(value) },
    ]),
  );

const admission = {
  [`GET ${api}/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations`]: {
    items: [],
  },
  [`GET ${api}/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations`]: { items: [] },
  [`GET ${api}/apis/discovery.k8s.io/v1/endpointslices`]: { items: [] },
  [`GET ${api}/api/v1/namespaces/kube-system`]: { metadata: {} },
};

testModule(mke3_cluster, {
  settled: [
    {
      title: 'reads configuration, nodes and accounts over all pages',
      args: { url: api, username: 'a', password: 'b' },
      responses: answers({
        [`POST ${api}/auth/login`]: { auth_token: 't' },
        [`GET ${api}/id/`]: { isAdmin: true },
        [`GET ${api}/api/ucp/config-toml`]: 'x = 1',
        ...admission,
        [`GET ${api}/nodes`]: [
          {
            ID: '1',
            Spec: { Role: 'worker', Labels: {} },
            Description: { Hostname: 'w', Platform: { OS: 'linux' } },
            Status: { State: 'ready' },
          },
        ],
        [`GET ${api}/enzi/v0/config/auth`]: { backend: 'ldap' },
        [`GET ${api}/enzi/v0/config/auth/ldap`]: { serverURL: 'ldaps://l' },
        [`GET ${api}/accounts/?filter=all&limit=1000`]: {
          accounts: [{ name: 'u', isOrg: false }],
          nextPageStart: 'n',
        },
        [`GET ${api}/accounts/?filter=all&limit=1000&start=n`]: {
          accounts: [{ name: 'o', isOrg: true }],
          nextPageStart: '',
        },
        [`GET ${api}/accounts/o/teams?&limit=1000`]: { teams: [{ name: 't' }] },
      }),
      result: {
        toml: 'x = 1',
        users: ['u'],
        orgs: ['o'],
        teams: ['o/t'],
        ldap: { serverURL: 'ldaps://l' },
        webhooks: [],
        webhooks_error: '',
      },
    },
    {
      title: 'reads all else when Kubernetes does not tell its webhooks',
      args: { url: api, username: 'a', password: 'b' },
      responses: {
        ...answers({
          [`POST ${api}/auth/login`]: { auth_token: 't' },
          [`GET ${api}/id/`]: { isAdmin: true },
          [`GET ${api}/api/ucp/config-toml`]: 'x = 1',
          [`GET ${api}/nodes`]: [],
          [`GET ${api}/enzi/v0/config/auth`]: { backend: 'managed' },
          [`GET ${api}/accounts/?filter=all&limit=1000`]: { accounts: [] },
        }),
        [`GET ${api}/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations`]: {
          ...{ status: 403, body: '{"message":"forbidden"}', headers: {} },
        },
      },
      result: {
        toml: 'x = 1',
        webhooks: [],
        webhooks_error:
          'MKE 3 answered /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations with status 403: forbidden.',
      },
    },
  ],
  refused: [
    {
      title: 'a user who is no administrator',
      args: { url: api, username: 'a', password: 'b' },
      responses: answers({
        [`POST ${api}/auth/login`]: { auth_token: 't' },
        [`GET ${api}/id/`]: { isAdmin: false },
      }),
      code: 'TASK_FAILED',
    },
    {
      title: 'plain HTTP',
      args: { url: 'http://mke', username: 'a', password: 'b' },
      code: 'SCHEMA',
    },
  ],
});

testModule(mke4_config, {
  settled: [{ title: 'converts', args: { toml: kdd, hosts: [] }, result: { refusals: [] } }],
  refused: [{ title: 'no hosts', args: { toml: kdd }, code: 'SCHEMA' }],
});

const facts = {
  unconverted: [],
  metallb_pools: [],
  users: 1,
  orgs: 2,
  teams: 3,
  mke3_version: '3.7.16',
};
testModule(mke_upgrade_summary, { settled: [{ title: 'prints', args: facts }] });

it('the summary names what takes effect only when the configuration is applied', async () => {
  const later = [
    { key: 'auth.backend', feature: 'logins by OIDC, SAML or LDAP' },
    { key: 'cluster_config.cadvisor_enabled', feature: 'cAdvisor' },
    { key: 'auth.samlEnabled', feature: 'logins by OIDC, SAML or LDAP' },
  ];
  const { document } = await mke_upgrade_summary.plan({ ...facts, later }, fakeHost({}));
  expect(document?.text).toContain(
    'In the file, but not in effect before you apply it: logins by OIDC, SAML or LDAP, cAdvisor.\n',
  );
});

it('the summary has the sections of mkectl in their order', async () => {
  const { document } = await mke_upgrade_summary.plan(facts, fakeHost({}));
  const titles = document?.text
    .split('\n')
    .filter((_, index, lines) => lines[index + 1] === '-'.repeat(15));
  expect(titles).toEqual([
    'Upgrade Summary',
    'Configuration file',
    'Authentication',
    'Authorization',
    'Ports',
    'MCR',
    'MKE3 Cleanup',
  ]);
});

describe('the configuration fits its schema', () => {
  const config = (target: Target, toml: string) =>
    convertConfig(parseMke3Config(toml, 'x.toml'), { hosts: [], externalAddress: 'm', target })
      .config;
  it.each(targets.flatMap((target) => [[target, dump] as const, [target, kdd] as const]))(
    '%s',
    (target, toml) => {
      expect(schemaProblems(config(target, toml))).toEqual([]);
      expect(schemaProblems(parse(configToYaml(config(target, toml))) as JsonObject)).toEqual([]);
    },
  );

  it('and the schema finds what does not', () => {
    const wrong = config('4.0', kdd);
    (wrong['spec'] as JsonObject)['kubelet'] = { maxPods: 'many', maxPosd: 1 };
    expect(schemaProblems(wrong)).toEqual([
      'Unknown argument "maxPosd".',
      '"spec.kubelet.maxPods" must be integer.',
    ]);
  });
});

it('4.1 has the shape of the Tigera operator, registries and node-local DNS', () => {
  const { config, unconverted } = convertConfig(
    parseMke3Config(
      `${kdd}vxlan_vni = 4242\ncalico_vxlan_mtu = "1400"\npod_cidr = "10.1.0.0/16"\nnode_local_dns = true\nkubelet_data_root = "/data/kubelet"\n`,
      'x',
    ),
    {
      hosts: [],
      externalAddress: '',
      target: '4.1',
      airgapped: true,
      registries: { image: 'r.example.com/mke', chart: 'oci://r.example.com/mke' },
    },
  );
  const spec = config['spec'] as unknown as Spec;
  expect(spec).toMatchObject({
    version: 'v4.1.3',
    airgap: { enabled: true },
    registries: { imageRegistry: { url: 'r.example.com/mke' } },
    nodeLocalDNS: { enabled: true },
    kubelet: { kubeletRootDir: '/data/kubelet' },
  });
  expect(Object.keys(spec)).not.toContain('addons');
  const [calico] = (spec['network'] as unknown as { providers: { extraConfig: JsonObject }[] })
    .providers;
  const values = String(calico?.extraConfig['values.yaml']);
  expect(values.split('\n')[0]).toBe('kubeletVolumePluginPath: /var/lib/k0s/kubelet');
  expect(parse(values)).toMatchObject({
    installation: { calicoNetwork: { mtu: 1400, ipPools: [{ cidr: '10.1.0.0/16' }] } },
    defaultFelixConfiguration: { vxlanVNI: 4242, vxlanPort: 4789 },
  });
  expect(unconverted.map(({ key }) => key)).toEqual(['cluster_config.kubelet_data_root']);
});

describe('LDAP', () => {
  const source = {
    serverURL: 'ldap://ad.example.com',
    startTLS: false,
    readerDN: 'cn=reader',
    userSearchConfigs: [
      {
        baseDN: 'ou=people',
        filter: 'objectClass=person',
        usernameAttr: 'uid',
        fullNameAttr: 'cn',
      },
      { baseDN: 'ou=more' },
    ],
    adminSyncOpts: { enableSync: true, groupDN: 'cn=admins' },
    additionalDomains: [],
    syncSchedule: '',
    jitUserProvisioning: false,
  };

  it('becomes one user search; what MKE 4 has not is reported', () => {
    const { ldap, unconverted } = convertLdap(source, undefined);
    expect(ldap).toEqual({
      enabled: true,
      host: 'ad.example.com:389',
      insecureNoSSL: true,
      bindDN: 'cn=reader',
      bindPW: '',
      userSearch: {
        baseDN: 'ou=people',
        filter: '(objectClass=person)',
        username: 'uid',
        idAttr: 'DN',
        emailAttr: 'mail',
        nameAttr: 'cn',
      },
    });
    expect(unconverted.map(({ key }) => key)).toEqual([
      'auth.ldap.readerPassword',
      'auth.ldap.userSearchConfigs',
      'auth.ldap.adminSyncOpts',
    ]);
  });

  it('keeps the password out of what is printed', () => {
    const { config } = convertConfig(parseMke3Config(`${kdd}[auth]\nbackend = "ldap"\n`, 'x'), {
      hosts: [],
      externalAddress: '',
      ldap: { ...source, serverURL: 'ldaps://ad.example.com:1636' },
      ldapPassword: 'Tr0ub4dor',
    });
    expect(configToYaml(config)).toContain('Tr0ub4dor');
    expect(configToYaml(config, { withSecrets: false })).not.toContain('Tr0ub4dor');
    expect(config).toMatchObject({
      spec: { authentication: { ldap: { host: 'ad.example.com:1636' } } },
    });
  });
});

it('hosts whose node has a label with the name of a kubelet profile get it', () => {
  const toml = `${kdd}[cluster_config.custom_kubelet_flags_profiles]\ngpu = "--max-pods=40"\n`;
  const host = { role: 'worker', address: 'a', port: 22, user: 'u', keyPath: 'k' } as const;
  const { config, unconverted } = convertConfig(parseMke3Config(toml, 'x'), {
    hosts: [{ ...host, labels: { profile: 'gpu' } }, host],
    externalAddress: '',
  });
  expect(config).toMatchObject({
    spec: {
      hosts: [
        { installFlags: ['--profile=gpu'] },
        expect.not.objectContaining({ installFlags: [] }),
      ],
    },
  });
  expect(unconverted).toEqual([]);
});

it('a value of a wrong type is reported, not lost', () => {
  const { unconverted } = convert(`${kdd}kubelet_max_pods = "lots"\nshared_sans = "one"\n`);
  expect(unconverted.map(({ key, why }) => `${key}: ${why}`)).toEqual([
    'cluster_config.shared_sans: it is not a list',
    'cluster_config.kubelet_max_pods: it is not a number',
  ]);
});

describe('the compatibility report', () => {
  const source = parseMke3Config(dump, 'x.toml');
  const report = compatibility(source, convertConfig(source, { hosts: [], externalAddress: '' }));

  it('sorts every setting, and shows no secret', () => {
    expect(report.unsupported).toMatchObject({ backup_schedule_config: { enabled: true } });
    expect(report.supported).toMatchObject({ cluster_config: { kubelet_max_pods: 150 } });
    expect(report.disabled).toMatchObject({
      cluster_config: { swarm_only: false, swarm_port: 2376 },
    });
    expect(JSON.stringify(report)).not.toContain('a long passphrase');
  });

  it('has the headings of mkectl', () => {
    const lines = compatibilityText(report).split('\n');
    const headings = lines.filter(
      (_, index) => lines[index + 1]?.startsWith('===') && lines[index - 1]?.startsWith('==='),
    );
    expect(lines[0]).toBe('MKE3->MKE4 Compatibility Checks');
    expect(headings).toEqual(['Not supported', 'Supported', 'Disabled (skipped)']);
  });
});
