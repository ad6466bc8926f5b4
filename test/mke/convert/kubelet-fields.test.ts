import { describe, expect, it } from 'vitest';
import { profileToFields } from '../../../src/mke/convert/kubelet-fields.ts';

/**
 * Flags of kubelet 1.27 and the KubeletConfiguration v1beta1 fields that they set, from the flag sets in
 * cmd/kubelet/app/options and the JSON names in k8s.io/kubelet/config/v1beta1.
 */
const rows: [flag: string, fields: Record<string, unknown>][] = [
  ['--max-pods=250', { maxPods: 250 }],
  ['--pods-per-core=10', { podsPerCore: 10 }],
  ['--pod-max-pids=-1', { podPidsLimit: -1 }],
  ['--kube-reserved=cpu=200m,memory=1Gi', { kubeReserved: { cpu: '200m', memory: '1Gi' } }],
  ['--system-reserved=cpu=100m', { systemReserved: { cpu: '100m' } }],
  ['--eviction-hard=memory.available<5%', { evictionHard: { 'memory.available': '5%' } }],
  ['--eviction-soft=nodefs.available<10%', { evictionSoft: { 'nodefs.available': '10%' } }],
  [
    '--eviction-soft-grace-period=nodefs.available=1m30s',
    { evictionSoftGracePeriod: { 'nodefs.available': '1m30s' } },
  ],
  [
    '--eviction-minimum-reclaim=imagefs.available=2Gi',
    { evictionMinimumReclaim: { 'imagefs.available': '2Gi' } },
  ],
  ['--eviction-max-pod-grace-period=30', { evictionMaxPodGracePeriod: 30 }],
  ['--eviction-pressure-transition-period=5m', { evictionPressureTransitionPeriod: '5m' }],
  ['--image-gc-high-threshold=85', { imageGCHighThresholdPercent: 85 }],
  ['--image-gc-low-threshold=80', { imageGCLowThresholdPercent: 80 }],
  ['--minimum-image-ttl-duration=2m', { imageMinimumGCAge: '2m' }],
  ['--event-qps=50', { eventRecordQPS: 50 }],
  ['--event-burst=100', { eventBurst: 100 }],
  ['--registry-qps=5', { registryPullQPS: 5 }],
  ['--registry-burst=10', { registryBurst: 10 }],
  ['--serialize-image-pulls=false', { serializeImagePulls: false }],
  ['--cpu-manager-policy=static', { cpuManagerPolicy: 'static' }],
  ['--cpu-cfs-quota=true', { cpuCFSQuota: true }],
  ['--topology-manager-policy=best-effort', { topologyManagerPolicy: 'best-effort' }],
  ['--memory-manager-policy=Static', { memoryManagerPolicy: 'Static' }],
  ['--container-log-max-size=10Mi', { containerLogMaxSize: '10Mi' }],
  ['--container-log-max-files=5', { containerLogMaxFiles: 5 }],
  ['--feature-gates=A=true,B=false', { featureGates: { A: true, B: false } }],
  [
    '--allowed-unsafe-sysctls=net.*,kernel.msg*',
    { allowedUnsafeSysctls: ['net.*', 'kernel.msg*'] },
  ],
  ['--protect-kernel-defaults=true', { protectKernelDefaults: true }],
  ['--seccomp-default=true', { seccompDefault: true }],
  ['--fail-swap-on=false', { failSwapOn: false }],
  ['--read-only-port=0', { readOnlyPort: 0 }],
  ['--tls-cipher-suites=A,B', { tlsCipherSuites: ['A', 'B'] }],
  ['--tls-min-version=VersionTLS12', { tlsMinVersion: 'VersionTLS12' }],
  ['--streaming-connection-idle-timeout=4h', { streamingConnectionIdleTimeout: '4h' }],
  ['--node-status-update-frequency=10s', { nodeStatusUpdateFrequency: '10s' }],
  ['--sync-frequency=1m', { syncFrequency: '1m' }],
  ['--runtime-request-timeout=2m', { runtimeRequestTimeout: '2m' }],
  ['--anonymous-auth=false', { authentication: { anonymous: { enabled: false } } }],
  ['--authorization-mode=Webhook', { authorization: { mode: 'Webhook' } }],
];

describe('a kubelet flag', () => {
  it.each(rows)('%s sets its field', (flag, fields) => {
    expect(profileToFields(flag)).toMatchObject({ fields, problems: [] });
  });

  it.each([
    ['--max-pods=many', '"many" is not a valid value for this flag'],
    ['--cpu-cfs-quota=yes', '"yes" is not a valid value for this flag'],
    ['--kube-reserved=cpu', '"cpu" is not a valid value for this flag'],
    ['--resolv-conf=none', 'k0s overwrites it'],
    ['--node-ip=10.0.0.1', 'KubeletConfiguration has no such field'],
  ])('%s is reported with the reason', (flag, reason) => {
    expect(profileToFields(flag)).toEqual({ fields: {}, taken: {}, problems: [{ flag, reason }] });
  });
});

it('converts the flags of a kubelet profile to typed fields', () => {
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
