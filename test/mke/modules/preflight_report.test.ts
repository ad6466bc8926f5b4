import { expect, it } from 'vitest';
import { runEffect } from '../../../src/engine/run-effects.ts';
import type { Finding } from '../../../src/mke/findings/finding.ts';
import { preflight_report } from '../../../src/mke/modules/preflight_report.ts';
import { fakeHost, testModule } from '../../helpers/module-tester.ts';

const finding = (object: string): Finding => ({
  ...{ id: 'no_k0s', severity: 'error', blocking: true, object },
  ...{ evidence: 'Left of an earlier k0s.', remedy: 'k0s reset' },
});
const report = { checks: ['no_k0s'], today: '2026-11-27' };
const accepted = { id: 'no_k0s', object: 'host a', reason: 'a test', until: '2026-11-27' };

testModule(preflight_report, {
  settled: [
    { title: 'shows that there are no findings', args: { ...report, findings: [] } },
    {
      title: 'returns blocking findings and valid acknowledgements',
      args: {
        ...{ ...report, findings: [[{ ...finding('host a') }], [{ ...finding('host b') }]] },
        acknowledged: [accepted, { ...accepted, id: 'sysinfo', until: '2026-11-26' }],
      },
      result: {
        counts: { error: 2, warning: 0, info: 0, blocking: 1, acknowledged: 1 },
        findings: [
          { ...finding('host a'), acknowledged: { reason: 'a test', until: '2026-11-27' } },
          { ...finding('host b') },
        ],
        blocking: ['no_k0s on host b'],
        message: '1 finding blocks the upgrade: no_k0s on host b',
        acknowledged: [{ id: 'no_k0s', object: 'host a' }],
      },
    },
  ],
});

it('shows the requested format, and writes all formats to output_dir', async () => {
  const args = { ...report, findings: [[finding('host a')]], output_dir: '/out' };
  const plan = await preflight_report.plan({ ...args, form: 'json' }, fakeHost({}));
  expect(JSON.parse(runEffect(plan, 'show')?.text ?? '')).toMatchObject({ version: 1 });
  const kept = (plan.run ?? []).flatMap((one) => (one.kind === 'keep' ? [one] : []));
  expect(kept.map(({ path, masked }) => [path, masked])).toEqual([
    ['/out/preChecks.txt', true],
    ['/out/preflight.json', true],
    ['/out/preflight.md', true],
  ]);
});

it('lists at most five findings in its message', async () => {
  const many = Array.from({ length: 7 }, (_, index) => finding(`host ${String(index)}`));
  const plan = await preflight_report.plan({ ...report, findings: [many] }, fakeHost({}));
  expect(plan.result?.['message']).toMatch(/^7 findings block the upgrade: .*host 4; 2 more$/);
});
