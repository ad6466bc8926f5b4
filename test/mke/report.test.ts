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
      cluster_config: { calico_ebpf_enabled: false, kube_proxy_no_cleanup_on_start: true },
    });
    expect(JSON.stringify(report)).not.toContain('a long passphrase');
  });

  it('calls what mkectl does not support so, whatever the value is', () => {
    expect(report.unsupported).toMatchObject({
      auth: { default_new_user_role: 'restrictedcontrol', sessions: { per_user_limit: 10 } },
      cluster_config: {
        controller_port: 443,
        swarm_only: false,
        swarm_port: 2376,
        containerd_root: '/var/lib/containerd',
        policy_enforcement: { pod_security_policy: false },
      },
    });
  });

  it('calls the settings of what is off disabled, whatever their value is', () => {
    const off = parseMke3Config(
      '[cluster_config.ingress_controller]\nenabled = false\ningress_num_replicas = 5\n',
      'x.toml',
    );
    const result = compatibility(off, convertConfig(off, { hosts: [], externalAddress: '' }));
    expect(result.disabled).toEqual({
      cluster_config: { ingress_controller: { enabled: false, ingress_num_replicas: 5 } },
    });
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
