import { expect, it } from 'vitest';
import { convertConfig } from '../../../src/mke/convert/convert.ts';
import { parseMke3Config } from '../../../src/mke/mke3-config.ts';
import { kdd } from '../../helpers/mke3-config.ts';

it('selects the kubelet profile that a node label names', () => {
  const toml = `${kdd}[cluster_config.custom_kubelet_flags_profiles]\ngpu = "--max-pods=40"\n`;
  const host = { role: 'worker', address: 'a', port: 22, user: 'u', keyPath: 'k' } as const;
  const { config, unconverted } = convertConfig(parseMke3Config(toml, 'x'), {
    hosts: [{ ...host, labels: { profile: 'gpu' } }, host],
    externalAddress: '',
  });
  expect(config).toMatchObject({
    spec: {
      hosts: [
        { installFlags: ['--profile=gpu'] },
        expect.not.objectContaining({ installFlags: [] }),
      ],
    },
  });
  expect(unconverted).toEqual([]);
});
