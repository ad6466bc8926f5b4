import { describe, expect, it } from 'vitest';
import { exitCodes, type RunOutcome } from '../../src/core/states.ts';
import { allows, ends, lifeOf, type LifeState } from '../../src/journal/lifecycle.ts';
import { readRun } from '../../src/journal/recorded-run.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import {
  changedRecord,
  intentRecord,
  runRecord,
  stepRecord,
  storedRecord,
} from '../helpers/records.ts';

const changed = [stepRecord(1, ['h1']), intentRecord(1, 1, 'h1'), changedRecord(1, 1, 'h1')];
const rollback: JournalRecord = { t: 'rollback', reason: 'failed', attempt: 1 };
const partial: JournalRecord = { ...rollback, hosts: ['h1'], partial: true };
const resume: JournalRecord = { t: 'resume', pid: 1, bootId: 'b' };
const point: JournalRecord = { t: 'commit', name: 'c', key: 'c', unit: 0, irreversible: true };
const after: JournalRecord = { ...point, name: 'd', key: 'd', irreversible: false };
const end = (
  outcome: RunOutcome,
  exitCode: number = exitCodes[outcome as 'done'],
): JournalRecord => ({
  ...{ t: 'end', outcome, exitCode, message: '', at: '1970-01-01T00:00:00Z' },
});

const inPart = end('done_in_part', exitCodes.rollback_incomplete);

/**
 * The resulting state, the records after the first one, and whether the run can be resumed and
 * rolled back.
 */
const histories: [LifeState, JournalRecord[], resume: boolean, rollback: boolean][] = [
  ['running', [], true, true],
  ['running', changed, true, true],
  ['running', [...changed, partial], true, true],
  ['rolling_back', [...changed, rollback], false, true],
  ['rolling_back', [point, ...changed, rollback], true, true],
  ['rolling_back', [point, after, ...changed, rollback], true, true],
  ['rolling_back', [...changed, rollback, resume], false, true],
  ['running', [point, ...changed, rollback, resume, stepRecord(2, ['h1'])], true, true],
  ['stopped', [...changed, end('interrupted')], true, true],
  ['stopped_early', [stepRecord(1, ['h1']), end('interrupted')], true, true],
  ['rollback_paused', [...changed, rollback, end('interrupted')], false, true],
  ['rollback_paused', [point, ...changed, rollback, end('interrupted')], true, true],
  [
    'stopped',
    [point, ...changed, rollback, resume, stepRecord(2, ['h1']), end('interrupted')],
    ...([true, true] as const),
  ],
  ['rollback_open', [...changed, rollback, end('rollback_incomplete')], false, true],
  ['past_no_return', [point, ...changed, rollback, end('past_no_return')], true, true],
  ['rolled_back', [...changed, rollback, end('rolled_back')], false, false],
  ['left_in_place', [...changed, end('left_in_place')], true, true],
  ['nothing_changed', [end('preflight_failed')], false, false],
  ['refused', [end('locked')], true, true],
  ['done', [...changed, end('done')], false, true],
  ['done_in_part', [...changed, partial, end('done_in_part', exitCodes.rolled_back)], false, true],
  [
    'done_open',
    [...changed, partial, end('done_in_part', exitCodes.rollback_incomplete)],
    ...([false, true] as const),
  ],
  // Another rollback of these hosts is interrupted, or fails again.
  ['done_open', [...changed, partial, inPart, resume, partial], false, true],
  ['done_open', [...changed, partial, inPart, partial, end('rollback_incomplete')], false, true],
  ['done_open', [...changed, partial, inPart, partial, end('interrupted')], false, true],
  ['rolling_back', [...changed, partial, inPart, rollback], false, true],
];

describe('the state of a run', () => {
  it.each(histories)('is %s for the records of case %#', (state, records, forward, back) => {
    const run = readRun([runRecord({ hosts: ['h1'] }), ...records].map(storedRecord));
    expect(lifeOf(run)).toBe(state);
    expect(allows(run, 'resume')).toBe(forward);
    expect(allows(run, 'rollback')).toBe(back);
  });

  it('has a test case for every end', () => {
    expect(new Set(histories.map(([state]) => state))).toEqual(
      new Set([...Object.keys(ends), 'running', 'rolling_back']),
    );
  });

  it('keeps hosts locked only if the operator must decide what to do', () => {
    const open = Object.entries(ends).filter(([, { isClosed }]) => !isClosed);
    expect(open.map(([state]) => state).sort()).toEqual([
      ...['done_open', 'past_no_return', 'rollback_open', 'rollback_paused', 'stopped'],
    ]);
  });
});
