import { parse as parseYaml } from 'yaml';
import { objectOf, type JsonValue } from '../../core/json.ts';
import { calico } from './calico.ts';
import type { Draft } from './draft.ts';
import type { Group, Section } from './row.ts';

const C = 'cluster_config';
const USE_FILE = `${C}.kube_proxy_use_config_file`;
const FILE = `${C}.custom_proxy_config_yaml`;
const ownFile = {
  why: 'k0s writes the configuration of kube-proxy itself',
  what: 'carry the fields that you need over to network.kubeProxy',
};

/** A configuration of kube-proxy in place of the settings, which can choose another mode. */
const proxyFile: Group = {
  rows: [
    { key: USE_FILE, type: 'boolean', advice: ownFile },
    { key: FILE, type: 'text', needs: USE_FILE, advice: ownFile },
  ],
  convert(draft) {
    if (!draft.from.flag(USE_FILE)) return;
    const text = draft.from.text(FILE);
    draft.report(
      text === undefined ? USE_FILE : FILE,
      text === undefined ? true : '(file)',
      ownFile,
    );
    const mode = modeIn(text);
    if (mode !== undefined && mode !== 'iptables') refuseMode(draft, mode);
  },
};

function modeIn(text: string | undefined): string | undefined {
  try {
    const mode = objectOf(parseYaml(text ?? '', { maxAliasCount: 0 }) as JsonValue)['mode'];
    return typeof mode === 'string' && mode !== '' ? mode : undefined;
  } catch {
    return undefined;
  }
}

function refuseMode(draft: Draft, mode: string): void {
  draft.refusals.push({
    key: FILE,
    value: `mode: ${mode}`,
    why: 'MKE 4 knows iptables only',
    what: 'MKE 3 cannot change this: move the workloads to a new cluster',
  });
}

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
  proxyFile,
  calico,
];
