import type { Section } from './row.ts';

const C = 'cluster_config';
const MANAGER_ARGS = 'controllerManager.extraArgs';

/** The control plane beside kube-apiserver, and kube-proxy. */
export const components: Section = [
  {
    key: `${C}.kube_manager_terminated_pod_gc_threshold`,
    type: 'number',
    to: 'controllerManager.terminatedPodGCThreshold',
  },
  { key: `${C}.custom_kube_controller_manager_flags`, type: 'flags', to: MANAGER_ARGS },
  {
    key: `${C}.kube_controller_manager_profiling_enabled`,
    type: 'boolean',
    flag: { of: MANAGER_ARGS, name: 'profiling' },
    as: (on) => (on ? 'true' : undefined),
  },
  {
    key: `${C}.kube_scheduler_profiling_enabled`,
    type: 'boolean',
    to: 'scheduler.profilingEnabled',
  },
  { key: `${C}.kube_scheduler_bind_to_all`, type: 'boolean', to: 'scheduler.bindToAll' },
  { key: `${C}.custom_kube_scheduler_flags`, type: 'flags', to: 'scheduler.extraArgs' },
  { key: `${C}.custom_kube_proxy_flags`, type: 'flags', to: 'network.kubeProxy.extraArgs' },
];
