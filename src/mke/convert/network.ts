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
  what: 'copy the fields that you need to network.kubeProxy',
};

/** A kube-proxy configuration file that replaces the settings. It can select another mode. */
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
    why: 'MKE 4 supports only iptables',
    what: 'MKE 3 cannot change this setting: move the workloads to a new cluster',
  });
}

export const network: Section = [
  { key: `${C}.service_cluster_ip_range`, type: 'text', to: 'network.serviceCIDR' },
  { key: `${C}.nodeport_range`, type: 'text', to: 'network.nodePortRange' },
  {
    key: `${C}.secure_overlay`,
    type: 'boolean',
    advice: {
      why: 'MKE 4 does not support an IPsec overlay',
      what: 'decide after the upgrade whether to use enableWireguard instead',
    },
  },
  proxyFile,
  calico,
];
