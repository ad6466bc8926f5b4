import { expect, it } from 'vitest';
import { rows } from '../../src/mke/convert/table.ts';
import { settingsPage } from '../../src/mke/settings-page.ts';

it('has a line with the destination of every setting', () => {
  const lines = settingsPage().split('\n');
  for (const { key } of rows) {
    const line = lines.find((one) => one.startsWith(`| \`${key}\` |`));
    expect(line, key).not.toMatch(/\|\s*\|\s*\|\s*\|$/);
    expect(line, key).toBeDefined();
  }
});

it.each([
  ['cluster_config.kubelet_max_pods', '`kubelet.maxPods` | `workerProfiles`'],
  [
    'cluster_config.nodeport_range',
    '`network.nodePortRange` | `api.extraArgs.service-node-port-range`',
  ],
  [
    'cluster_config.metallb_config.enabled',
    '`addons[metallb].enabled` (4.0), `metallb.enabled` (4.1) | active with MKE 4',
  ],
  ['cluster_config.calico_kdd', ' |  | prevents the upgrade unless `true`'],
])('shows where %s goes in MKE 4 and k0s', (key, rest) => {
  expect(settingsPage()).toContain(`| \`${key}\` | ${rest}`);
});
