import { describe, expect, it } from 'vitest';
import { objectOf, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { flagFields } from '../../../src/mke/convert/flag-fields.ts';
import { convert } from '../../helpers/mke3-config.ts';

const keys: Record<string, string> = {
  'apiServer.extraArgs': 'custom_kube_api_server_flags',
  'controllerManager.extraArgs': 'custom_kube_controller_manager_flags',
  'scheduler.extraArgs': 'custom_kube_scheduler_flags',
  'kubelet.extraArgs': 'custom_kubelet_flags',
  'network.kubeProxy.extraArgs': 'custom_kube_proxy_flags',
};

const kdd = '[cluster_config]\ncalico_kdd = true\n';
const withFlags = (path: string, flags: string[], more = '') =>
  convert(`${kdd}${keys[path] ?? ''} = ${JSON.stringify(flags)}\n${more}`);

function at(config: JsonObject, path: string): JsonValue | undefined {
  return path
    .split('.')
    .reduce<JsonValue | undefined>((node, key) => objectOf(node)[key], config['spec']);
}

describe('a custom flag with a field in MKE 4', () => {
  it.each([
    [
      'apiServer.extraArgs',
      '--service-node-port-range=30000-32767',
      'network.nodePortRange',
      '30000-32767',
    ],
    ['apiServer.extraArgs', '--request-timeout=5m', 'apiServer.requestTimeout', '5m0s'],
    ['apiServer.extraArgs', '--audit-log-maxage=7', 'apiServer.audit.maxAge', 7],
    ['apiServer.extraArgs', '--audit-log-maxbackup=7', 'apiServer.audit.maxBackup', 7],
    ['apiServer.extraArgs', '--audit-log-maxsize=7', 'apiServer.audit.maxSize', 7],
    [
      'controllerManager.extraArgs',
      '--terminated-pod-gc-threshold=10',
      'controllerManager.terminatedPodGCThreshold',
      10,
    ],
    ['scheduler.extraArgs', '--profiling=true', 'scheduler.profilingEnabled', true],
    ['scheduler.extraArgs', '--bind-address=0.0.0.0', 'scheduler.bindToAll', true],
    ['kubelet.extraArgs', '--max-pods=250', 'kubelet.maxPods', 250],
    ['kubelet.extraArgs', '--pods-per-core=10', 'kubelet.podsPerCore', 10],
    ['kubelet.extraArgs', '--event-qps=0', 'kubelet.eventRecordQPS', 0],
    ['kubelet.extraArgs', '--pod-max-pids=100', 'kubelet.podPidsLimit', 100],
    ['kubelet.extraArgs', '--protect-kernel-defaults', 'kubelet.protectKernelDefaults', true],
    ['kubelet.extraArgs', '--seccomp-default', 'kubelet.seccompDefault', true],
    [
      'kubelet.extraArgs',
      '--kube-reserved=cpu=1,memory=1Gi',
      'kubelet.workerKubeReserved',
      { cpu: '1', memory: '1Gi' },
    ],
    [
      'network.kubeProxy.extraArgs',
      '--metrics-bind-address=127.0.0.1:10249',
      'network.kubeProxy.metricsBindAddress',
      '127.0.0.1:10249',
    ],
    [
      'network.kubeProxy.extraArgs',
      '--iptables-sync-period=30s',
      'network.kubeProxy.iptables.syncPeriod',
      '30s',
    ],
    [
      'network.kubeProxy.extraArgs',
      '--masquerade-all',
      'network.kubeProxy.iptables.masqueradeAll',
      true,
    ],
    ['network.kubeProxy.extraArgs', '--proxy-mode=iptables', 'network.kubeProxy.mode', 'iptables'],
  ])('of %s is converted to that field: %s', (path, flag, to, value) => {
    const { config, unconverted } = withFlags(path, [flag]);
    expect(at(config, to)).toEqual(value);
    expect(at(config, path) ?? {}).toEqual({});
    expect(unconverted).toEqual([]);
  });

  it('is reported if its value is not valid, and the field keeps its default', () => {
    for (const [path, fields] of Object.entries(flagFields))
      for (const [name, { to, read, elseFlag }] of Object.entries(fields)) {
        if (read('no-value') !== undefined || elseFlag === true || name === 'proxy-mode') continue;
        const { config, unconverted } = withFlags(path, [`--${name}=no-value`]);
        const reported = unconverted.map(({ key, value }) => `${key} ${value}`);
        expect(reported).toEqual([`cluster_config.${keys[path] ?? ''} --${name}=no-value`]);
        const defaults = convert(kdd).config;
        expect(at(config, to[0] ?? '')).toEqual(at(defaults, to[0] ?? ''));
      }
  });

  it('overrides the equivalent setting, which is reported', () => {
    const path = 'kubelet.extraArgs';
    const { config, unconverted } = withFlags(path, ['--max-pods=250'], 'kubelet_max_pods = 110\n');
    expect(at(config, 'kubelet.maxPods')).toBe(250);
    expect(unconverted).toEqual([
      {
        key: 'cluster_config.kubelet_max_pods',
        value: '110',
        why: '--max-pods=250 in cluster_config.custom_kubelet_flags overrides it',
        what: 'remove one of the two in MKE 3',
      },
    ]);
  });

  it.each([
    ['kubelet.extraArgs', '--max-pods=110', 'kubelet_max_pods = 110'],
    ['apiServer.extraArgs', '--request-timeout=60s', 'kube_api_server_request_timeout = "60s"'],
    ['apiServer.extraArgs', '--request-timeout=5m0s', 'kube_api_server_request_timeout = "5m"'],
    ['kubelet.extraArgs', '--pod-max-pids=9', '[hardening_configuration]\npids_limit_k8s = 0'],
    [
      'kubelet.extraArgs',
      '--kube-reserved=memory=1Gi,cpu=1',
      'manager_kube_reserved_resources = "cpu=1,memory=1Gi"',
    ],
  ])('of %s is not reported if the setting has the same value: %s, %s', (path, flag, setting) => {
    expect(withFlags(path, [flag], `${setting}\n`).unconverted).toEqual([]);
  });

  it('overrides the setting that sets the same flag, which is reported', () => {
    const cipher = 'cipher_suites_for_kube_api_server = "TLS_AES_128_GCM_SHA256"\n';
    const flags = ['--tls-cipher-suites=TLS_AES_256_GCM_SHA384'];
    expect(withFlags('apiServer.extraArgs', flags, cipher).unconverted).toEqual([
      expect.objectContaining({ key: 'cluster_config.cipher_suites_for_kube_api_server' }),
    ]);
  });

  it('determines the node port range from which the ingress ports are chosen', () => {
    const { config } = withFlags('apiServer.extraArgs', ['--service-node-port-range=30000-32767']);
    expect(at(config, 'ingressController.nodePorts')).toEqual({ http: 30000, https: 30001 });
  });

  it.each(['ipvs', 'nftables', 'userspace'])(
    'prevents the upgrade if it is --proxy-mode=%s',
    (mode) => {
      const { refusals } = withFlags('network.kubeProxy.extraArgs', [`--proxy-mode=${mode}`]);
      expect(refusals).toMatchObject([
        { key: 'cluster_config.custom_kube_proxy_flags', value: `--proxy-mode=${mode}` },
      ]);
    },
  );

  it('stays a flag if it binds the scheduler to one address', () => {
    const { config } = withFlags('scheduler.extraArgs', ['--bind-address=10.0.0.1']);
    expect(at(config, 'scheduler.extraArgs')).toEqual({ 'bind-address': '10.0.0.1' });
  });
});
