import { stringify as stringifyYaml } from 'yaml';
import { objectOf, type JsonObject } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import { isDefaultOf, type Group, type Row } from './row.ts';
import { take } from './take.ts';

const C = 'cluster_config';
const EXTRA = 'network.providers[calico].extraConfig';
const LEVEL = 'log_configuration.level';
const MTU = 'network.calico.mtu of k0s';

const podCidr: Row = {
  key: `${C}.pod_cidr`,
  type: 'text',
  to: { '4.0': `${EXTRA}.clusterCIDRIPv4`, '4.1': `${EXTRA}.cidrV4` },
};
const vni: Row = {
  key: `${C}.vxlan_vni`,
  type: 'text',
  to: { '4.0': `${EXTRA}.vxlanVNI`, '4.1': `${EXTRA}.values.yaml` },
};
const port: Row = {
  key: `${C}.calico_vxlan_port`,
  type: 'text',
  to: { '4.0': `${EXTRA}.vxlanPort`, '4.1': `${EXTRA}.values.yaml` },
};
const autodetection: Row = {
  key: `${C}.calico_ip_auto_method`,
  type: 'text',
  to: { '4.0': `${EXTRA}.ipAutodetectionMethod`, '4.1': `${EXTRA}.values.yaml` },
};
const vxlan: Row = {
  key: `${C}.calico_vxlan`,
  type: 'any',
  to: { '4.0': `${EXTRA}.mode`, '4.1': `${EXTRA}.values.yaml` },
  as: (on) => (on === false ? 'ipip' : undefined),
};
const mtuRow = (name: string, standard: number): Row => {
  return { key: `${C}.${name}`, type: 'number', defaults: [String(standard)], elsewhere: MTU };
};
const podMtu = mtuRow('calico_mtu', 1480);
const vxlanMtu = mtuRow('calico_vxlan_mtu', 1450);
const ipipMtu = mtuRow('ipip_mtu', 1480);
const mtuRows = [podMtu, vxlanMtu, ipipMtu];

/** Calico: a map of settings in 4.0, and Helm values of the Tigera operator in 4.1. */
export const calico: Group = {
  rows: [
    podCidr,
    vni,
    port,
    autodetection,
    vxlan,
    {
      key: LEVEL,
      type: 'text',
      to: { '4.0': `${EXTRA}.CALICO_STARTUP_LOGLEVEL`, '4.1': `${EXTRA}.loglevel` },
    },
    ...mtuRows,
  ],
  convert(draft) {
    if (draft.target === '4.1') convertForOperator(draft);
    else convertForK0s(draft);
  },
};

function convertForK0s(draft: Draft): void {
  for (const row of [podCidr, vni, port, autodetection, vxlan]) take(draft, row);
  const level = logLevelOf(draft).toUpperCase();
  draft.set(`${EXTRA}.CALICO_STARTUP_LOGLEVEL`, level);
  draft.set(`${EXTRA}.FELIX_LOGSEVERITYSCREEN`, level);
  const mtu = mtuOf(draft);
  draft.k0sOnly.calicoMtu = mtu;
  // mtuOf has already reported those without an effect.
  const known = new Set(draft.unconverted.map(({ key }) => key));
  for (const row of mtuRows) {
    const own = draft.from.peek(row.key);
    if (own !== undefined && !known.has(row.key) && !isDefaultOf(row, String(own)))
      draft.report(row.key, own, {
        why: `the upgrade sets the MTU ${String(mtu)} in k0s, but the MKE 4.0 configuration has no field for it`,
        what: 'compare the MTU of pods before and after you apply the configuration',
      });
  }
}

/** 4.1 installs Calico by the Tigera operator, whose chart takes most of it. */
function convertForOperator(draft: Draft): void {
  const { from } = draft;
  const vxlanOn = usesVxlan(draft);
  const cidr = from.text(podCidr.key) ?? '192.168.0.0/16';
  const level = logLevelOf(draft);
  const mtu = mtuOf(draft);
  const detection = nodeAddressDetection(draft);
  const values = {
    // MKE 4.1 requires this key to be first.
    kubeletVolumePluginPath: '/var/lib/k0s/kubelet',
    installation: {
      cni: { type: 'Calico' },
      calicoNetwork: {
        // The operator rejects IPIP without BGP, which distributes the routes.
        bgp: vxlanOn ? 'Disabled' : 'Enabled',
        linuxDataplane: 'Iptables',
        // With 0, Calico detects the MTU.
        ...(mtu > 0 ? { mtu } : {}),
        ...(detection === undefined ? {} : { nodeAddressAutodetectionV4: detection }),
        // Describes the existing pool completely, so that the operator does not choose values of its own.
        ipPools: [
          {
            cidr,
            encapsulation: vxlanOn ? 'VXLAN' : 'IPIP',
            blockSize: 26,
            natOutgoing: 'Enabled',
            nodeSelector: 'all()',
          },
        ],
      },
    },
    defaultFelixConfiguration: {
      enabled: true,
      vxlanVNI: from.number(vni.key) ?? 10000,
      vxlanPort: from.number(port.key) ?? 4789,
      logSeverityScreen: level,
    },
  };
  Object.assign(objectOf(draft.item('network.providers', 'calico')['extraConfig']), {
    cidrV4: cidr,
    linuxDataplane: 'Iptables',
    loglevel: level,
    'values.yaml': stringifyYaml(values),
  });
}

/** Calico's IP_AUTODETECTION_METHOD in the form of the Tigera operator. */
function nodeAddressDetection(draft: Draft): JsonObject | undefined {
  const method = draft.from.text(autodetection.key);
  if (method === undefined) return undefined;
  const [, name = '', text = ''] = /^([a-z-]+)(?:=(.+))?$/.exec(method) ?? [];
  const found: Record<string, JsonObject | undefined> = {
    'first-found': { firstFound: true },
    'kubernetes-internal-ip': { kubernetes: 'NodeInternalIP' },
    ...(text === ''
      ? {}
      : {
          'can-reach': { canReach: text },
          interface: { interface: text },
          'skip-interface': { skipInterface: text },
          cidr: { cidrs: text.split(',') },
        }),
  };
  if (found[name] === undefined)
    draft.report(autodetection.key, method, {
      why: 'Calico has no such method',
      what: 'correct it in MKE 3',
    });
  return found[name];
}

function usesVxlan({ from }: Draft): boolean {
  return from.get(vxlan.key) !== false;
}

/** MKE 3 uses syslog levels; MKE 4 documents only Debug and Info. */
function logLevelOf(draft: Draft): 'Debug' | 'Info' {
  const level = draft.from.text(LEVEL);
  if (level !== undefined && !/^(debug|info)$/i.test(level))
    draft.report(LEVEL, level, {
      why: 'MKE 4 documents only Debug and Info, so Calico logs at Info',
      what: 'no action needed, or set the Calico log level by hand',
    });
  return level?.toLowerCase() === 'debug' ? 'Debug' : 'Info';
}

/**
 * MKE 3 has one MTU for pods and one for each kind of tunnel; k0s and the Tigera operator have one for both. The smaller
 * value fits both. With 0, Calico detects the MTU.
 */
function mtuOf(draft: Draft): number {
  const { from } = draft;
  const [tunnel, standard, other] = usesVxlan(draft)
    ? ([vxlanMtu, 1450, ipipMtu] as const)
    : ([ipipMtu, 1480, vxlanMtu] as const);
  const unused = from.get(other.key);
  if (unused !== undefined && !isDefaultOf(other, String(unused)))
    draft.report(other.key, unused, {
      why: `it has no effect because calico_vxlan is ${String(usesVxlan(draft))}`,
      what: 'no action needed',
    });
  const pods = from.number(podMtu.key) ?? 1480;
  const most = from.number(tunnel.key) ?? standard;
  const mtu = Math.min(...[pods, most].filter((one) => one > 0));
  if (pods > most && most > 0 && !isDefaultOf(podMtu, String(pods)))
    draft.report(podMtu.key, pods, {
      why: `MKE 4 has one MTU for pods and tunnels, and ${tunnel.key} is ${String(most)}`,
      what: `also raise ${tunnel.key} in MKE 3 if the network carries larger packets`,
    });
  return Number.isFinite(mtu) ? mtu : 0;
}
