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

describe('the maintenance of etcd by schedule', () => {
  it('is that of MKE 4.1', () => {
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

  it('is reported for MKE 4.0, which has none', () => {
    const { config, unconverted } = convert(schedule(true));
    expect(config).not.toHaveProperty('spec.etcd.maintenanceService');
    expect(unconverted.map(({ key }) => key.replace('etcd_cleanup_schedule_config.', ''))).toEqual([
      'cleanup_enabled',
      'min_ttl_to_keep_seconds',
      'cron_expression',
      'defrag_enabled',
      'defrag_timeout_seconds',
    ]);
    for (const { what } of unconverted) expect(what).toContain('from 4.1.3 on');
  });

  it.each(['4.0', '4.1'] as const)('has no effect while it is off (%s)', (target) => {
    const { config, unconverted } = convert(schedule(false), { target });
    expect(config).not.toHaveProperty('spec.etcd.maintenanceService');
    expect(new Set(unconverted.map(({ why }) => why))).toEqual(
      new Set([
        'etcd_cleanup_schedule_config.cleanup_enabled is off in MKE 3, so it has no effect',
      ]),
    );
  });
});
