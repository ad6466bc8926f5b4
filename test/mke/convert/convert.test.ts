import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { convert, dump, kdd } from '../../helpers/mke3-config.ts';

describe('conversion of a configuration downloaded from MKE 3', () => {
  const { config, unconverted, refusals, metallbPools } = convert(dump);

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
    const value = path
      .split('.')
      .reduce<unknown>((node, key) => (node as JsonObject)[key], config['spec']);
    expect(value).toEqual(wanted);
  });

  it('reports changed settings without a counterpart, and no defaults', () => {
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
});

it('reports a value of the wrong type', () => {
  const { unconverted } = convert(`${kdd}kubelet_max_pods = "lots"\nshared_sans = "one"\n`);
  expect(unconverted.map(({ key, why }) => `${key}: ${why}`)).toEqual([
    'cluster_config.shared_sans: expected a list',
    'cluster_config.kubelet_max_pods: expected a number',
  ]);
});
