import { take } from './take.ts';
import type { Group, Row, Section } from './row.ts';

const C = 'cluster_config';
const CLEANUP = 'etcd_cleanup_schedule_config';
const SERVICE = 'etcd.maintenanceService';
const noMaintenance = {
  '4.0': {
    why: 'MKE 4.0 does not clean up or defragment etcd on a schedule',
    what: 'watch the size of the database; MKE 4.1.3 and later have etcd.maintenanceService',
  },
};
const feature = 'etcd maintenance';

const cleanupEnabled: Row = {
  key: `${CLEANUP}.cleanup_enabled`,
  type: 'boolean',
  to: { '4.1': `${SERVICE}.cleanupEnabled` },
  as: (on) => on || undefined,
  advice: noMaintenance,
  feature,
};
const count = (name: string, to: string, ...defaults: number[]): Row => ({
  key: `${CLEANUP}.${name}`,
  type: 'number',
  defaults,
  needs: cleanupEnabled.key,
  to: { '4.1': `${SERVICE}.${to}` },
  // 0 means the default, and MKE 4 has its own.
  as: (value) => (value === 0 ? undefined : value),
  advice: noMaintenance,
  feature,
});
const details: readonly Row[] = [
  count('min_ttl_to_keep_seconds', 'minTTLToKeepSeconds', 0),
  {
    key: `${CLEANUP}.cron_expression`,
    type: 'text',
    needs: cleanupEnabled.key,
    to: { '4.1': `${SERVICE}.cronExpression` },
    advice: noMaintenance,
    feature,
  },
  {
    key: `${CLEANUP}.defrag_enabled`,
    type: 'boolean',
    needs: cleanupEnabled.key,
    to: { '4.1': `${SERVICE}.defragEnabled` },
    as: (on) => on || undefined,
    advice: noMaintenance,
    feature,
  },
  count('defrag_pause_seconds', 'defragPauseSeconds', 60, 0),
  count('defrag_timeout_seconds', 'defragTimeoutSeconds', 300, 0),
];

/** Scheduled clean-up and defragmentation, which MKE 4.1.3 and later have. */
const maintenance: Group = {
  rows: [cleanupEnabled, ...details],
  convert(draft) {
    take(draft, cleanupEnabled);
    if (draft.from.flag(cleanupEnabled.key)) for (const row of details) take(draft, row);
  },
};

export const etcd: Section = [
  { key: `${C}.etcd_storage_quota`, type: 'text', to: 'etcd.storageQuota' },
  { key: `${C}.cipher_suites_for_etcd_server`, type: 'text', to: 'etcd.tlsCipherSuites' },
  maintenance,
];
