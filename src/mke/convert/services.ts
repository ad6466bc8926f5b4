import { isJsonObject } from '../../core/json.ts';
import type { Draft } from './draft.ts';
import type { Section } from './row.ts';

const C = 'cluster_config';
const GATEKEEPER = `${C}.policy_enforcement.gatekeeper`;
const METALLB = `${C}.metallb_config`;
const NVIDIA = `${C}.nvidia_device_plugin`;
const PARTITIONER = `${C}.nvidia_device_partitioner`;
const CLOUD = `${C}.cloud_provider`;
const TRACKING = 'tracking_configuration';

/** Namespaces that MKE 4 exempts by default, and MKE 3 namespaces that the upgrade removes. */
const exempt = new Set([
  'mke',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'k0s-system',
  'k0s-autopilot',
  'flux-system',
  'blueprint-system',
  'gatekeeper-system',
  'node-feature-discovery',
]);

const noNodeLocalDns = {
  '4.0': {
    why: 'MKE 4.0 has no node-local DNS',
    what: 'set nodeLocalDNS after you update to 4.1.3 or later',
  },
};

/** Services that MKE installs in addition to Kubernetes. */
export const services: Section = [
  {
    key: `${C}.core_dns_lameduck_config.enabled`,
    type: 'boolean',
    to: 'dns.lameduck.enabled',
    feature: 'CoreDNS lameduck',
  },
  {
    key: `${C}.core_dns_lameduck_config.duration`,
    type: 'text',
    to: 'dns.lameduck.duration',
    feature: 'CoreDNS lameduck',
  },
  {
    key: `${METALLB}.enabled`,
    type: 'boolean',
    to: { '4.0': 'addons[metallb].enabled', '4.1': 'metallb.enabled' },
    feature: 'MetalLB',
  },
  {
    rows: [
      {
        key: `${METALLB}.metallb_ip_addr_pool`,
        type: 'list',
        fields: ['name', 'external_ip'],
        needs: `${METALLB}.enabled`,
        elsewhere: 'the upgrade summary',
        feature: 'MetalLB',
      },
    ],
    convert: convertPools,
  },
  {
    key: `${GATEKEEPER}.enabled`,
    type: 'boolean',
    to: 'policyController.opaGatekeeper.enabled',
    feature: 'OPA Gatekeeper',
  },
  {
    key: `${GATEKEEPER}.excluded_namespaces`,
    type: 'list',
    to: 'policyController.opaGatekeeper.exemptNamespaces',
    as: (names) => names.filter((one) => !exempt.has(String(one))),
    feature: 'OPA Gatekeeper',
  },
  {
    key: `${C}.policy_enforcement.pod_security_policy`,
    type: 'boolean',
    advice: {
      why: 'Kubernetes 1.25 removed PodSecurityPolicy',
      what: 'use Gatekeeper or Pod Security Admission',
    },
  },
  {
    rows: [
      {
        key: NVIDIA,
        type: 'boolean',
        to: 'devicePlugins.nvidiaGPU.enabled',
        feature: 'NVIDIA device plugin',
      },
      {
        key: PARTITIONER,
        type: 'boolean',
        defaults: [true],
        needs: NVIDIA,
        to: 'devicePlugins.nvidiaGPU.mig.enabled',
        feature: 'NVIDIA device plugin',
      },
    ],
    convert: convertNvidia,
  },
  {
    key: `${C}.cadvisor_enabled`,
    type: 'boolean',
    to: 'monitoring.enableCAdvisor',
    feature: 'cAdvisor',
  },
  {
    key: `${TRACKING}.ops_care`,
    type: 'boolean',
    to: { '4.0': 'monitoring.enableOpscare' },
    advice: {
      '4.1': { why: 'MKE 4.1 has no OpsCare', what: 'send alerts from your own Prometheus' },
    },
    feature: 'OpsCare',
  },
  { rows: [{ key: CLOUD, type: 'text', to: 'cloudProvider' }], convert: convertCloudProvider },
  {
    rows: [
      { key: `${TRACKING}.disable_tracking`, type: 'boolean', to: 'tracking.enabled' },
      { key: `${TRACKING}.disable_usageinfo`, type: 'boolean', to: 'tracking.enabled' },
    ],
    convert: convertTracking,
  },
  {
    key: `${TRACKING}.cluster_label`,
    type: 'text',
    to: 'tracking.clusterLabel',
    feature: 'cluster label',
  },
  {
    key: `${C}.node_local_dns`,
    type: 'boolean',
    to: { '4.1': 'nodeLocalDNS.enabled' },
    advice: noNodeLocalDns,
    feature: 'node-local DNS',
  },
  {
    key: `${C}.node_local_dns_config_persist`,
    type: 'boolean',
    to: { '4.1': 'nodeLocalDNS.nodeLocalConfigPersist' },
    advice: noNodeLocalDns,
    feature: 'node-local DNS',
  },
  {
    key: 'backup_schedule_config.enabled',
    type: 'boolean',
    advice: {
      '4.0': {
        why: 'MKE 4.0 has no scheduled backups',
        what: 'schedule "mkectl backup create" yourself',
      },
      '4.1': {
        why: 'MKE 4.1 has no scheduled backups',
        what: 'schedule "mkectl backup" yourself',
      },
    },
  },
];

function convertPools({ from, metallbPools }: Draft): void {
  if (!from.flag(`${METALLB}.enabled`)) return;
  for (const pool of from.list(`${METALLB}.metallb_ip_addr_pool`)) {
    if (!isJsonObject(pool)) continue;
    const addresses = Array.isArray(pool['external_ip']) ? pool['external_ip'].map(String) : [];
    // Without pools, a downloaded configuration has one entry without name and addresses.
    if ((pool['name'] ?? '') === '' && addresses.length === 0) continue;
    metallbPools.push({ name: String(pool['name'] ?? ''), addresses });
  }
}

/** The partitioner setting has no effect without the plugin. */
function convertNvidia(draft: Draft): void {
  if (!draft.from.flag(NVIDIA)) return;
  draft.set('devicePlugins.nvidiaGPU.enabled', true);
  draft.set('devicePlugins.nvidiaGPU.mig.enabled', draft.from.flag(PARTITIONER));
}

function convertCloudProvider(draft: Draft): void {
  const cloud = draft.from.text(CLOUD);
  if (cloud === undefined) return;
  const aws = cloud === 'aws';
  draft.set('cloudProvider', { enabled: true, provider: aws ? 'aws' : 'external' });
  draft.report(
    CLOUD,
    cloud,
    aws
      ? {
          why: 'k0s starts without a cloud provider, so cloud volumes and load balancers do not work until you apply the configuration',
          what: 'apply it soon after the upgrade',
        }
      : {
          why: 'MKE 4 supports only aws and external, and k0s starts without a cloud provider',
          what: 'install the external cloud provider yourself',
        },
  );
}

function convertTracking(draft: Draft): void {
  const tracking = draft.from.flag(`${TRACKING}.disable_tracking`);
  const usage = draft.from.flag(`${TRACKING}.disable_usageinfo`);
  draft.set('tracking.enabled', !tracking && !usage);
}
