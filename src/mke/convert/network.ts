import { calico } from './calico.ts';
import type { Section } from './row.ts';

const C = 'cluster_config';

export const network: Section = [
  { key: `${C}.service_cluster_ip_range`, type: 'text', to: 'network.serviceCIDR' },
  { key: `${C}.nodeport_range`, type: 'text', to: 'network.nodePortRange' },
  {
    key: `${C}.secure_overlay`,
    type: 'boolean',
    advice: {
      why: 'MKE 4 has no IPSec overlay',
      what: 'enableWireguard is near, but another technology; decide after the upgrade',
    },
  },
  calico,
];
