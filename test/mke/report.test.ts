import { describe, expect, it } from 'vitest';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { compatibility, compatibilityText } from '../../src/mke/report.ts';
import { dump } from '../helpers/mke3-config.ts';

describe('the compatibility report', () => {
  const source = parseMke3Config(dump, 'x.toml');
  const report = compatibility(source, convertConfig(source, { hosts: [], externalAddress: '' }));

  it('sorts every setting, and shows no secret', () => {
    expect(report.unsupported).toMatchObject({ backup_schedule_config: { enabled: true } });
    expect(report.supported).toMatchObject({ cluster_config: { kubelet_max_pods: 150 } });
    expect(report.disabled).toMatchObject({
      cluster_config: { swarm_only: false, swarm_port: 2376 },
    });
    expect(JSON.stringify(report)).not.toContain('a long passphrase');
  });

  it('has the headings of mkectl', () => {
    const lines = compatibilityText(report).split('\n');
    const headings = lines.filter(
      (_, index) => lines[index + 1]?.startsWith('===') && lines[index - 1]?.startsWith('==='),
    );
    expect(lines[0]).toBe('MKE3->MKE4 Compatibility Checks');
    expect(headings).toEqual(['Not supported', 'Supported', 'Disabled (skipped)']);
  });
});
