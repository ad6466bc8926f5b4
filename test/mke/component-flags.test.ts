import { describe, expect, it } from 'vitest';
import { checkFlags } from '../../src/mke/component-flags.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { Mke3Config } from '../../src/mke/mke3-config.ts';

type Cluster = Record<string, string[] | boolean>;
type CheckOptions = Parameters<typeof checkFlags>[2];

const convert = (cluster: Cluster) =>
  convertConfig(new Mke3Config({ cluster_config: { calico_kdd: true, ...cluster } }), {
    hosts: [],
    externalAddress: '',
  });
const check = (cluster: Cluster, options: CheckOptions = {}, version = 'v1.29.15+k0s.0') =>
  checkFlags(convert(cluster), version, options);
const api = (...flags: string[]): Cluster => ({ custom_kube_api_server_flags: flags });

describe('the check of custom flags', () => {
  it.each([
    ['api_server', '--no-such-flag=1', /does not have this flag and would not start/],
    ['api_server', '--kubelet-https=true', /does not have this flag/],
    ['api_server', '--enable-admission-plugins=NoSuchPlugin', /this admission plugin/],
    ['api_server', '--disable-admission-plugins=NoSuchPlugin', /this admission plugin/],
    ['api_server', '--feature-gates=NoSuchGate=true', /this feature gate/],
    ['api_server', '--authorization-mode=AlwaysAllow', /could do everything/],
    ['api_server', '--authorization-mode=Node,RBAC,AlwaysAllow', /could do everything/],
    ['api_server', '--authorization-mode=RBAC', /need Node and RBAC/],
    ['api_server', '--anonymous-auth', /without credentials/],
    ['api_server', '--anonymous_auth=true', /without credentials/],
    ['api_server', '--insecure-port=8080', /without authentication/],
    ['api_server', '--token-auth-file=tokens.csv', /never expire/],
    ['api_server', '--service-account-lookup=false', /deleted service accounts/],
    ['api_server', '--disable-admission-plugins=NodeRestriction', /more rights/],
    [
      'api_server',
      '--enable-admission-plugins=ImagePolicyWebhook',
      /does not copy its configuration file/,
    ],
    ['api_server', '--enable-admission-plugins=AlwaysDeny', /rejects every request/],
    ['api_server', '--etcd-servers=https://10.0.0.9:2379', /two databases/],
    ['api_server', '--etcd-cafile=ca.pem', /its own etcd/],
    ['api_server', '--secure-port=16443', /expects its API server there/],
    ['api_server', '--client-ca-file=ca.pem', /could not authenticate/],
    ['api_server', '--allow-privileged=false', /Calico/],
    ['api_server', '--tls-min-version=VersionTLS10', /insecure TLS versions/],
    ['api_server', '--cloud-provider=aws', /no longer has built-in cloud providers/],
    ['controller_manager', '--no-such-flag=1', /does not have this flag/],
    ['controller_manager', '--leader-elect=false', /at the same time/],
    ['controller_manager', '--controllers=*', /bootstrapsigner/],
    ['scheduler', '--no-such-flag=1', /does not have this flag/],
    ['scheduler', '--kubeconfig=a.conf', /could not reach/],
    ['kubelet', '--network-plugin=cni', /does not have this flag/],
    ['kubelet', '--anonymous-auth=true', /run commands/],
    ['kubelet', '--authorization-mode=AlwaysAllow', /run commands/],
    ['kubelet', '--read-only-port=10255', /without authentication/],
    ['kubelet', '--cgroup-driver=systemd', /k0s containerd/],
    ['kubelet', '--cluster-dns=10.96.0.10', /k0s sets it/],
  ])('reports for %s the flag %s with its TOML key', (component, flag, why) => {
    const key = component === 'kubelet' ? 'custom_kubelet_flags' : `custom_kube_${component}_flags`;
    const { problems } = check({ [key]: [flag] });
    expect(problems).toEqual([
      {
        key: `cluster_config.${key}`,
        value: expect.stringMatching(/^--/) as string,
        why: expect.stringMatching(why) as string,
        what: expect.stringMatching(
          new RegExp(
            `remove it from cluster_config\\.${key} in MKE 3, or use --leave-out [\\w-]+$`,
          ),
        ) as string,
      },
    ]);
  });

  it.each([
    api('--event-ttl=2h', '--goaway-chance=0.001', '--v=4', '--feature-gates=AllAlpha=false'),
    api('--authorization-mode=Node,RBAC,Webhook', '--anonymous-auth=false'),
    api('--enable-admission-plugins=NodeRestriction,PodNodeSelector,EventRateLimit'),
    api('--tls-min-version=VersionTLS13', '--cloud-provider=external', '--profiling'),
    { custom_kube_controller_manager_flags: ['--controllers=*,bootstrapsigner,tokencleaner'] },
    { custom_kube_controller_manager_flags: ['--leader-elect=true', '--kube-api-qps=50'] },
    { custom_kube_scheduler_flags: ['--kube-api-qps=50'] },
    { custom_kubelet_flags: ['--max-pods=50', '--read-only-port=0', '--resolv-conf=resolv'] },
    // k0s-config.ts reports kube-proxy flags without a field in k0s.yaml; they are not passed on.
    { custom_kube_proxy_flags: ['--no-such-flag=1'] },
  ])('accepts %j', (cluster: Cluster) => {
    expect(check(cluster).problems).toEqual([]);
  });

  it('reports an unknown flag once for each component that gets it', () => {
    const flags = ['--no-such-flag=1'];
    const cluster = { custom_kube_api_server_flags: flags, custom_kube_scheduler_flags: flags };
    expect(check(cluster).problems.map(({ key }) => key)).toEqual([
      'cluster_config.custom_kube_api_server_flags',
      'cluster_config.custom_kube_scheduler_flags',
    ]);
  });

  it('names the TOML key of the setting, not the key of the custom flags', () => {
    const { imageProblems } = check(
      { k8s_always_pull_images_ac_enabled: true },
      { airgapped: true },
    );
    expect(imageProblems.map(({ key }) => key)).toEqual([
      'cluster_config.k8s_always_pull_images_ac_enabled',
    ]);
  });

  it.each([
    ['--anonymous-auth=true', /run commands/],
    ['--authorization-mode=AlwaysAllow', /run commands/],
    ['--read-only-port=10255', /without authentication/],
    ['--feature-gates=NoSuchGate=true', /this feature gate/],
  ])('reports %s in a kubelet profile', (flag, why) => {
    const { problems } = checkFlags(
      convertConfig(
        new Mke3Config({
          cluster_config: {
            calico_kdd: true,
            custom_kubelet_flags_profiles: { gpu: `--max-pods=40 ${flag} --node-ip=10.0.0.9` },
          },
        }),
        { hosts: [], externalAddress: '' },
      ),
      'v1.29.15+k0s.0',
    );
    expect(problems).toMatchObject([
      {
        key: 'cluster_config.custom_kubelet_flags_profiles.gpu',
        why: expect.stringMatching(why) as string,
      },
    ]);
  });

  it('requires a list of flags for an unknown release if there are custom flags', () => {
    const unknown = 'v1.99.0+k0s.0';
    expect(check({}, {}, unknown).problems).toEqual([]);
    expect(check(api('--event-ttl=2h'), {}, unknown).problems).toMatchObject([
      { key: 'k0s_version', why: expect.stringContaining('Kubernetes 1.99') as string },
    ]);
    const tables = { '1.99': { 'kube-apiserver': ['event-ttl'] } };
    expect(check(api('--event-ttl=2h'), { tables }, unknown).problems).toEqual([]);
  });

  it('reports an admission plugin that Kubernetes 1.30 removed', () => {
    const flags = api('--enable-admission-plugins=NodeRestriction,SecurityContextDeny');
    expect(check(flags).problems).toEqual([]);
    expect(check(flags, {}, 'v1.30.14+k0s.0').problems).toMatchObject([
      { what: expect.stringContaining('--leave-out SecurityContextDeny') as string },
    ]);
  });

  it('accepts flags from "kubernetes_flags" in addition to the known flags of a release', () => {
    const tables = { '1.29': { kubelet: ['vendor-flag'] } };
    const cluster = { custom_kubelet_flags: ['--vendor-flag=1', '--max-pods=1'] };
    expect(check(cluster).problems).toHaveLength(1);
    expect(check(cluster, { tables }).problems).toEqual([]);
  });
});

describe('AlwaysPullImages in an air-gapped cluster without a registry', () => {
  const always = { k8s_always_pull_images_ac_enabled: true };

  it.each([
    [always, { airgapped: true }, 1],
    [api('--enable-admission-plugins=AlwaysPullImages'), { airgapped: true }, 1],
    [always, { airgapped: true, registry: 'r.example.com/k0s' }, 0],
    [always, {}, 0],
    [{}, { airgapped: true }, 0],
  ])('with %j and %j: %i problems', (cluster: Cluster, options, count) => {
    const { imageProblems } = check(cluster, options);
    expect(imageProblems).toHaveLength(count);
    for (const { what } of imageProblems)
      expect(what).toBe(
        'use --image-registry, or leave the plugin out of the upgrade with --leave-out AlwaysPullImages',
      );
  });
});
