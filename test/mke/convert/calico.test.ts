import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../../src/core/json.ts';
import { convertConfig } from '../../../src/mke/convert/convert.ts';
import { configToYaml } from '../../../src/mke/convert/yaml.ts';
import { parseMke3Config } from '../../../src/mke/mke3-config.ts';
import { kdd } from '../../helpers/mke3-config.ts';

it('converts to Tigera operator values, registries and node-local DNS for 4.1', () => {
  const { config, unconverted } = convertConfig(
    parseMke3Config(
      `${kdd}vxlan_vni = 4242\ncalico_vxlan_mtu = "1400"\npod_cidr = "10.1.0.0/16"\nnode_local_dns = true\nkubelet_data_root = "/data/kubelet"\n`,
      'x',
    ),
    {
      hosts: [],
      externalAddress: '',
      target: '4.1',
      airgapped: true,
      registries: { image: 'r.example.com/mke', chart: 'oci://r.example.com/mke' },
    },
  );
  const spec = config['spec'] as JsonObject;
  expect(spec).toMatchObject({
    version: 'v4.1.5',
    airgap: { enabled: true },
    registries: { imageRegistry: { url: 'r.example.com/mke' } },
    nodeLocalDNS: { enabled: true },
    kubelet: { kubeletRootDir: '/var/lib/k0s/kubelet' },
  });
  expect(Object.keys(spec)).not.toContain('addons');
  const [calico] = (spec['network'] as unknown as { providers: { extraConfig: JsonObject }[] })
    .providers;
  const values = String(calico?.extraConfig['values.yaml']);
  expect(values.split('\n')[0]).toBe('kubeletVolumePluginPath: /var/lib/k0s/kubelet');
  expect(parse(values)).toMatchObject({
    installation: { calicoNetwork: { mtu: 1400, ipPools: [{ cidr: '10.1.0.0/16' }] } },
    defaultFelixConfiguration: { vxlanVNI: 4242, vxlanPort: 4789 },
  });
  expect(unconverted.map(({ key }) => key)).toEqual(['cluster_config.kubelet_data_root']);
});

it.each([
  ['', 'Disabled', 'VXLAN', 1450],
  ['calico_vxlan = false\n', 'Enabled', 'IPIP', 1480],
])(
  'sets the IP pool and the MTU of the cluster in the operator values (%j)',
  (toml, bgp, encapsulation, mtu) => {
    const { config } = convertConfig(parseMke3Config(`${kdd}${toml}`, 'x'), {
      hosts: [],
      externalAddress: '',
      target: '4.1',
    });
    const text = /values\.yaml: \|\n((?: {12}.*\n)+)/.exec(configToYaml(config))?.[1] ?? '';
    expect(parse(text)).toMatchObject({
      installation: {
        calicoNetwork: {
          bgp,
          mtu,
          ipPools: [
            { cidr: '192.168.0.0/16', encapsulation, blockSize: 26, natOutgoing: 'Enabled' },
          ],
        },
      },
    });
  },
);

it.each([
  ['first-found', { firstFound: true }],
  ['can-reach=10.0.0.1', { canReach: '10.0.0.1' }],
  ['interface=ens.*,eth0', { interface: 'ens.*,eth0' }],
  ['skip-interface=docker0', { skipInterface: 'docker0' }],
  ['cidr=10.0.0.0/8,172.16.0.0/12', { cidrs: ['10.0.0.0/8', '172.16.0.0/12'] }],
  ['kubernetes-internal-ip', { kubernetes: 'NodeInternalIP' }],
  ['nearest', undefined],
])('converts the detection of node addresses for the operator: %s', (method, wanted) => {
  const { config, unconverted } = convertConfig(
    parseMke3Config(`${kdd}calico_ip_auto_method = "${method}"\n`, 'x'),
    { hosts: [], externalAddress: '', target: '4.1' },
  );
  const text = /values\.yaml: \|\n((?: {12}.*\n)+)/.exec(configToYaml(config))?.[1] ?? '';
  const { installation } = parse(text) as {
    installation: { calicoNetwork: { nodeAddressAutodetectionV4?: JsonObject } };
  };
  expect(installation.calicoNetwork.nodeAddressAutodetectionV4).toEqual(wanted);
  expect(unconverted).toHaveLength(wanted === undefined ? 1 : 0);
});
