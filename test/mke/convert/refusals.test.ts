import { describe, expect, it } from 'vitest';
import { convert } from '../../helpers/mke3-config.ts';

describe('a cluster that cannot be upgraded', () => {
  it.each([
    ['calico_kdd = false', 'calico_kdd'],
    ['calico_kdd = true\nkube_proxy_mode = "ipvs"', 'kube_proxy_mode'],
    ['calico_kdd = true\ncalico_ebpf_enabled = true', 'calico_ebpf_enabled'],
    ['calico_kdd = true\nkms_enabled = true', 'kms_enabled'],
  ])('%s is refused by its key', (text, key) => {
    expect(convert(`[cluster_config]\n${text}\n`).refusals.map((one) => one.key)).toEqual([
      `cluster_config.${key}`,
    ]);
  });
});
