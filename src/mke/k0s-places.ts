/** Where k0s has what a path in "spec" of MKE 4 sets; longer paths come first. The rest waits until MKE 4 is applied. */
const places: readonly [path: string, place: string][] = [
  ['apiServer.sans', 'api.sans'],
  ['apiServer.requestTimeout', 'api.extraArgs.request-timeout'],
  ['apiServer.eventRateLimit.enabled', 'api.extraArgs.enable-admission-plugins'],
  ['apiServer.audit', 'api.extraArgs.audit-*'],
  ['apiServer.extraArgs', 'api.extraArgs'],
  [
    'controllerManager.terminatedPodGCThreshold',
    'controllerManager.extraArgs.terminated-pod-gc-threshold',
  ],
  ['controllerManager.extraArgs', 'controllerManager.extraArgs'],
  ['scheduler.profilingEnabled', 'scheduler.extraArgs.profiling'],
  ['scheduler.bindToAll', 'scheduler.extraArgs.bind-address'],
  ['scheduler.extraArgs', 'scheduler.extraArgs'],
  ['etcd.storageQuota', 'storage.etcd.extraArgs.quota-backend-bytes'],
  ['etcd.tlsCipherSuites', 'storage.etcd.extraArgs.cipher-suites'],
  ['kubelet.extraArgs', 'workerProfiles, --kubelet-extra-args'],
  ['kubelet', 'workerProfiles'],
  ['network.serviceCIDR', 'network.serviceCIDR'],
  ['network.nodePortRange', 'api.extraArgs.service-node-port-range'],
  ['network.kubeProxy', 'network.kubeProxy'],
  ['network.providers[calico].extraConfig.clusterCIDRIPv4', 'network.podCIDR'],
  ['network.providers[calico].extraConfig.CALICO_STARTUP_LOGLEVEL', 'network.calico.envVars'],
  ['network.providers[calico].extraConfig', 'network.calico'],
  ['tracking.enabled', 'telemetry.enabled'],
];

/** The part of "spec" in k0s.yaml that a path in "spec" of MKE 4.0 goes to. */
export function k0sPlaceOf(path: string): string | undefined {
  return places.find(([start]) => path === start || path.startsWith(`${start}.`))?.[1];
}
