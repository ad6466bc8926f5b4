import { describe, expect, it } from 'vitest';
import { runEffect } from '../../../src/engine/run-effects.ts';
import type { Finding } from '../../../src/mke/findings/finding.ts';
import { finding } from '../../../src/mke/modules/finding.ts';
import { fakeHost, testModule } from '../../helpers/module-tester.ts';

const args = { id: 'raid', evidence: 'A disk is lost.\n', remedy: 'cat /proc/mdstat' };
const made: Finding = {
  ...{ id: 'raid', severity: 'error', blocking: true, object: 'host host1' },
  ...{ evidence: 'A disk is lost.', remedy: 'cat /proc/mdstat' },
};
const other: Finding = { ...made, id: 'docker_socket', severity: 'warning', blocking: false };

testModule(finding, {
  settled: [
    { title: 'no finding if all conditions hold', args: { ...args, that: [true, true] } },
    { title: 'by default a blocking finding on the host', args },
    { title: 'records findings of a module', args: { findings: [{ ...other }] } },
  ],
  refused: [{ title: 'without a remedy', args: { id: 'raid', evidence: '' }, code: 'TASK_FAILED' }],
});

describe('finding', () => {
  const notedBy = async (given: Parameters<typeof finding.plan>[0]) =>
    runEffect(await finding.plan(given, fakeHost({})), 'append-facts')?.lists;

  it('adds a finding to the host if a condition does not hold', async () => {
    expect(await notedBy({ ...args, that: [true, 'disks == 2'] })).toEqual({
      preflight_findings: [made],
    });
    expect(await notedBy({ ...args, that: [true] })).toBeUndefined();
    expect(await notedBy({ findings: [made, other] })).toEqual({
      preflight_findings: [made, other],
    });
  });

  it('blocks only for errors, unless "blocking" is set', async () => {
    const of = async (more: object) =>
      (await notedBy({ ...args, ...more }))?.['preflight_findings'];
    expect(await of({ severity: 'warning' })).toMatchObject([{ blocking: false }]);
    expect(await of({ severity: 'warning', blocking: true })).toMatchObject([{ blocking: true }]);
    expect(await of({ blocking: false, object: 'cluster' })).toMatchObject([
      { severity: 'error', blocking: false, object: 'cluster' },
    ]);
  });
});
