import { describe, expect, it } from 'vitest';
import { schemaProblems } from '../../../src/mke/mke4-schema.ts';
import { convert, kdd, specOf } from '../../helpers/mke3-config.ts';

const schedule = (enabled: boolean): string => `${kdd}[etcd_cleanup_schedule_config]
cleanup_enabled = ${String(enabled)}
min_ttl_to_keep_seconds = 86400
cron_expression = "@every 72h"
defrag_enabled = true
defrag_pause_seconds = 0
defrag_timeout_seconds = 120
`;

describe('scheduled etcd maintenance', () => {
  it('is converted to etcd.maintenanceService of MKE 4.1', () => {
    const { config, unconverted } = convert(schedule(true), { target: '4.1' });
    expect(config).toMatchObject({
      spec: {
        etcd: {
          maintenanceService: {
            cleanupEnabled: true,
            minTTLToKeepSeconds: 86400,
            cronExpression: '@every 72h',
            defragEnabled: true,
            defragTimeoutSeconds: 120,
          },
        },
      },
    });
    expect(
      specOf(schedule(true), { target: '4.1' })['etcd']?.['maintenanceService'],
    ).not.toHaveProperty('defragPauseSeconds');
    expect(unconverted).toEqual([]);
    expect(schemaProblems(config)).toEqual([]);
  });

  it('is reported for MKE 4.0, which does not support it', () => {
    const { config, unconverted } = convert(schedule(true));
    expect(config).not.toHaveProperty('spec.etcd.maintenanceService');
    expect(unconverted.map(({ key }) => key.replace('etcd_cleanup_schedule_config.', ''))).toEqual([
      'cleanup_enabled',
      'min_ttl_to_keep_seconds',
      'cron_expression',
      'defrag_enabled',
      'defrag_timeout_seconds',
    ]);
    for (const { what } of unconverted) expect(what).toContain('4.1.3 and later');
  });

  it.each(['4.0', '4.1'] as const)('is reported as without effect if it is off (%s)', (target) => {
    const { config, unconverted } = convert(schedule(false), { target });
    expect(config).not.toHaveProperty('spec.etcd.maintenanceService');
    expect(new Set(unconverted.map(({ why }) => why))).toEqual(
      new Set([
        'it has no effect because etcd_cleanup_schedule_config.cleanup_enabled is off in MKE 3',
      ]),
    );
  });
});
