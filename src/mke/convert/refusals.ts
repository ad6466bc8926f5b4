import type { Section } from './row.ts';

const C = 'cluster_config';
const RELEASES = 'The MKE 4.1 documentation requires MKE 3.7.15 or later, or 3.8';
const OFF = 'turn it off in MKE 3 first';
/** The MKE 3 documentation says that this setting cannot be changed after the installation. */
const NEW_CLUSTER = 'MKE 3 cannot change this setting: move the workloads to a new cluster';

/** Settings that prevent the upgrade of a cluster. */
export const refusals: Section = [
  {
    key: `${C}.calico_kdd`,
    type: 'boolean',
    defaults: [true, false],
    refusal: {
      unless: true,
      // With either, MKE 3 does not manage Calico.
      moot: [`${C}.swarm_only`, `${C}.unmanaged_cni`],
      why: 'Calico keeps its data outside Kubernetes',
      what: `back up MKE 3, set calico_kdd = true and upload the configuration; this cannot be undone. ${RELEASES}`,
      absent: {
        why: 'only MKE 3.7.12 and later have this setting; without it, Calico keeps its data outside Kubernetes',
        what: `upgrade MKE 3 first, then set calico_kdd = true. ${RELEASES}`,
      },
    },
  },
  {
    key: `${C}.kube_proxy_mode`,
    type: 'text',
    refusal: {
      unless: 'iptables',
      why: 'MKE 4 supports only iptables',
      what: NEW_CLUSTER,
    },
  },
  {
    key: `${C}.calico_ebpf_enabled`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'the upgrade does not support the eBPF data plane',
      what: NEW_CLUSTER,
    },
  },
  {
    key: `${C}.unmanaged_cni`,
    type: 'boolean',
    refusal: {
      unless: false,
      why: 'the upgrade requires a CNI that MKE 3 manages',
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
      why: 'MKE 4 cannot read Secrets encrypted with a KMS',
      what: OFF,
    },
  },
];
