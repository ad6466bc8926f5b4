import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { compatibility, compatibilityText } from '../../src/mke/report.ts';
import { dump } from '../helpers/mke3-config.ts';
import { documented } from '../helpers/mke3-documented.ts';
import { settings, type Settings } from '../helpers/mke3-settings.ts';

/** Dotted keys of a nested table. */
function pathsIn(table: JsonObject, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) =>
    isJsonObject(value) && Object.keys(value).length > 0
      ? pathsIn(value, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}

describe('the compatibility report', () => {
  const source = parseMke3Config(dump, 'x.toml');
  const report = compatibility(source, convertConfig(source, { hosts: [], externalAddress: '' }));

  it('groups settings, and contains no secret', () => {
    expect(report.unsupported).toMatchObject({ backup_schedule_config: { enabled: true } });
    expect(report.supported).toMatchObject({ cluster_config: { kubelet_max_pods: 150 } });
    expect(report.disabled).toMatchObject({
      cluster_config: { calico_ebpf_enabled: false, kube_proxy_no_cleanup_on_start: true },
    });
    expect(JSON.stringify(report)).not.toContain('a long passphrase');
  });

  it('lists settings that mkectl does not support as "Not supported" with any value', () => {
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

  it('lists settings of a feature that is off as disabled with any value', () => {
    const off = parseMke3Config(
      '[cluster_config.ingress_controller]\nenabled = false\ningress_num_replicas = 5\n',
      'x.toml',
    );
    const result = compatibility(off, convertConfig(off, { hosts: [], externalAddress: '' }));
    expect(result.disabled).toEqual({
      cluster_config: { ingress_controller: { enabled: false, ingress_num_replicas: 5 } },
    });
  });

  /** Settings in the vendor's sample report on the page on compatibility checks. */
  const sample =
    `auth.default_new_user_role auth.managedPasswordFallbackUser auth.external_identity_provider.caBundle
    auth.external_identity_provider.httpProxy auth.external_identity_provider.httpsProxy auth.external_identity_provider.userServiceId
    auth.external_identity_provider.usernameClaim auth.sessions.per_user_limit cluster_config.azure_ip_count cluster_config.calico_kdd
    cluster_config.calico_strict_affinity cluster_config.containerd_root cluster_config.controller_port
    cluster_config.cpu_usage_banner_scrape_interval cluster_config.cpu_usage_banner_threshold cluster_config.exclude_server_identity_headers
    cluster_config.hide_swarm_ui cluster_config.image_prune_schedule cluster_config.image_scan_cvss_version cluster_config.iscsi_enabled
    cluster_config.iscsiadm_path cluster_config.iscsidb_path cluster_config.kube_apiserver_port cluster_config.kv_snapshot_count
    cluster_config.kv_timeout cluster_config.metrics_retention_time cluster_config.metrics_scrape_interval
    cluster_config.networks_quota_per_collection cluster_config.prometheus_memory_request cluster_config.rethinkdb_cache_size
    cluster_config.storage_expt_enabled cluster_config.swarm_only cluster_config.swarm_polling_disabled cluster_config.swarm_port
    cluster_config.swarm_strategy cluster_config.unauthenticated_http2_dos_mitigation cluster_config.use_flex_volume_driver
    cluster_config.windows_containerd_root cluster_config.windows_kubelet_data_root cluster_config.policy_enforcement.pod_security_policy
    license_configuration.auto_refresh license_configuration.omit_telemetry pki.client_ca_bundle
    scheduling_configuration.default_node_orchestrator`.split(/\s+/);
  /** Settings in the vendor's sample, in which both features are on. */
  const parts = ['auth.samlProxy.', 'backup_schedule_config.'];

  it('lists the 44 settings of the vendor as "Not supported" for a configuration with MKE 3 defaults', () => {
    const standards = Object.entries(documented).map(([key, { standard }]) => [key, standard]);
    const { source, conversion } = settings({
      ...(Object.fromEntries(standards) as Settings),
      'cluster_config.calico_kdd': false,
    });
    const { unsupported, supported, disabled } = compatibility(source, conversion);
    const found = pathsIn(unsupported);
    expect(sample).toHaveLength(44);
    expect(sample.filter((key) => !found.includes(key))).toEqual([]);
    expect(found.filter((key) => !sample.includes(key)).sort()).toEqual([
      // From the vendor's second list, or not in a default configuration.
      'cluster_config.node_exporter_port',
      'cluster_config.windows_gmsa',
      'custom_api_server_headers',
      'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.delay.value',
      'user_workload_defaults.swarm_defaults.tasktemplate.restartpolicy.maxattempts.value',
    ]);
    const off = Object.keys(documented).filter((key) => parts.some((part) => key.startsWith(part)));
    expect(off.filter((key) => !pathsIn(disabled).includes(key))).toEqual([]);
    expect(pathsIn(supported)).toContain('cluster_config.kubelet_max_pods');
  });

  it('lists unsupported settings of a feature that is on as "Not supported" with any value', () => {
    const { source, conversion } = settings({
      'backup_schedule_config.enabled': true,
      'backup_schedule_config.no_passphrase': false,
      'backup_schedule_config.passphrase': '',
    });
    expect(pathsIn(compatibility(source, conversion).unsupported)).toEqual([
      'backup_schedule_config.enabled',
      'backup_schedule_config.no_passphrase',
      'backup_schedule_config.passphrase',
    ]);
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
