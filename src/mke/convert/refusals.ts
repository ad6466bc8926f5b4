import type { Section } from './row.ts';

const C = 'cluster_config';
const RELEASES = 'The documents of MKE 4.1 ask for MKE 3.7.15 or later, or any 3.8';
const OFF = 'switch it off in MKE 3 first';
/** The documents of MKE 3 rule the change out. */
const NEW_CLUSTER = 'MKE 3 cannot change this: move the workloads to a new cluster';

/** Settings with which a cluster cannot be upgraded at all. */
export const refusals: Section = [
  {
    key: `${C}.calico_kdd`,
    type: 'boolean',
    defaults: [true, false],
    refusal: {
      unless: true,
      // Neither has a Calico that MKE 3 manages.
      moot: [`${C}.swarm_only`, `${C}.unmanaged_cni`],
      why: 'Calico keeps its data outside of Kubernetes',
      what: `back MKE 3 up, set calico_kdd = true and upload the configuration; that cannot be undone. ${RELEASES}`,
      absent: {
        why: 'only MKE 3.7.12 and later have this setting; without it, Calico keeps its data outside of Kubernetes',
        what: `upgrade MKE 3 first, and then set calico_kdd = true. ${RELEASES}`,
      },
    },
  },
  {
    key: `${C}.kube_proxy_mode`,
    type: 'text',
    refusal: {
      unless: 'iptables',
      why: 'MKE 4 knows iptables only',
      what: NEW_CLUSTER,
    },
  },
  {
    key: `${C}.calico_ebpf_enabled`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'MKE 4 cannot take the eBPF data plane over',
      what: NEW_CLUSTER,
    },
  },
  {
    key: `${C}.unmanaged_cni`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'MKE 4 needs the network that MKE 3 manages',
      what: NEW_CLUSTER,
    },
  },
  {
    key: `${C}.swarm_only`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'the cluster has no Kubernetes to upgrade, and MKE 4 has no Swarm',
      what: 'move the services to Kubernetes on a new cluster',
    },
  },
  {
    key: `${C}.kms_enabled`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'secrets encrypted by a KMS cannot be read by MKE 4',
      what: OFF,
    },
  },
];
