import { describe, expect, it } from 'vitest';
import { convert, kdd } from '../../helpers/mke3-config.ts';

describe('tracking', () => {
  it.each([
    ['', true],
    ['disable_tracking = true', false],
    ['disable_usageinfo = true', false],
    ['disable_tracking = true\ndisable_usageinfo = true', false],
  ])('with "%s" is enabled: %s, without a line in the report', (settings, enabled) => {
    const { config, unconverted } = convert(`${kdd}[tracking_configuration]\n${settings}\n`);
    expect(config).toMatchObject({ spec: { tracking: { enabled } } });
    expect(unconverted).toEqual([]);
  });
});

describe('the cloud provider', () => {
  it.each([
    ['aws', { enabled: true, provider: 'aws' }],
    ['azure', { enabled: true, provider: 'external' }],
  ])(
    '%s is converted to a provider that MKE 4 supports, with a line in the report',
    (name, cloudProvider) => {
      const { config, unconverted } = convert(`${kdd}cloud_provider = "${name}"\n`);
      expect(config).toMatchObject({ spec: { cloudProvider } });
      expect(unconverted.map(({ key }) => key)).toEqual(['cluster_config.cloud_provider']);
    },
  );
});

describe('MetalLB', () => {
  const pool =
    '[[cluster_config.metallb_config.metallb_ip_addr_pool]]\nname = "a"\nexternal_ip = ["10.0.0.0/28"]\n';

  it.each([
    [true, [{ name: 'a', addresses: ['10.0.0.0/28'] }]],
    [false, []],
  ])('enabled: %s returns the address pools that must be created again', (enabled, pools) => {
    const toml = `${kdd}[cluster_config.metallb_config]\nenabled = ${String(enabled)}\n${pool}`;
    expect(convert(toml).metallbPools).toEqual(pools);
    expect(convert(toml).config).toMatchObject({ spec: { addons: [{ enabled }] } });
    expect(convert(toml, { target: '4.1' }).config).toMatchObject({
      spec: { metallb: { enabled } },
    });
  });
});
