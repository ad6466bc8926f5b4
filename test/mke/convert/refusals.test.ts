import { describe, expect, it } from 'vitest';
import { convert, kdd } from '../../helpers/mke3-config.ts';

describe('settings that prevent the upgrade', () => {
  it.each([
    ['calico_kdd = false', 'calico_kdd'],
    ['calico_kdd = true\nkube_proxy_mode = "ipvs"', 'kube_proxy_mode'],
    ['calico_kdd = true\ncalico_ebpf_enabled = true', 'calico_ebpf_enabled'],
    ['calico_kdd = true\nkms_enabled = true', 'kms_enabled'],
    ['calico_kdd = false\nswarm_only = true', 'swarm_only'],
    ['calico_kdd = false\nunmanaged_cni = true', 'unmanaged_cni'],
    [
      'calico_kdd = true\nkube_proxy_use_config_file = true\ncustom_proxy_config_yaml = "mode: ipvs"',
      'custom_proxy_config_yaml',
    ],
  ])('%s is refused with its key', (text, key) => {
    expect(convert(`[cluster_config]\n${text}\n`).refusals.map((one) => one.key)).toEqual([
      `cluster_config.${key}`,
    ]);
  });

  it.each(['kube_proxy_mode = "ipvs"', 'calico_ebpf_enabled = true', 'unmanaged_cni = true'])(
    'the message says that MKE 3 cannot change it: %s',
    (text) => {
      const { refusals } = convert(`${kdd}${text}\n`);
      expect(refusals.map(({ what }) => what)).toEqual([
        expect.stringContaining('move the workloads to a new cluster'),
      ]);
    },
  );

  it.each(['', 'mode: iptables', 'mode: ""', 'not a file'])(
    'do not include a kube-proxy configuration file with %j',
    (file) => {
      const toml = `${kdd}kube_proxy_use_config_file = true\ncustom_proxy_config_yaml = '${file}'\n`;
      expect(convert(toml).refusals).toEqual([]);
      expect(convert(toml).unconverted).toHaveLength(1);
    },
  );
});
