import { describe, expect, it } from 'vitest';
import { readRun, type RecordedRun } from '../../src/journal/recorded-run.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { listData, listLines, runLines } from '../../src/output/history.ts';
import { failedRun, isSignal } from '../helpers/entries.ts';
import { intentRecord, runRecord, storedRecord } from '../helpers/records.ts';

const recorded = (...more: JournalRecord[]): RecordedRun =>
  readRun([...failedRun.filter((entry) => !isSignal(entry)), ...more].map(storedRecord));
const started = readRun([storedRecord(runRecord({ run: 'r2', hosts: ['h1'] }))]);
const lost = {
  ...{ output: 'standard output', code: 'EIO', reason: 'input/output error' },
  at: '2026-01-01T00:00:00Z',
};

const lossRecord: JournalRecord = { t: 'output-lost', ...lost };

describe('a list of runs', () => {
  const lossy = recorded({ t: 'output-lost', ...lost });
  const runs = [
    { id: 'r1', run: lossy, running: false },
    { id: 'r2', run: started, running: true },
    { id: 'r3', run: started, running: false },
    { id: 'r4', error: 'The journal is damaged.' },
  ];

  it('says how each run ended, whether it goes on, and which journal cannot be read', () => {
    expect(listLines(runs)).toEqual([
      'r1  rolled back            2 hosts  playbook.yml  (standard output lost at 2026-01-01T00:00:00Z: EIO)',
      'r2  running                1 hosts  playbook.yml',
      'r3  cut off                1 hosts  playbook.yml',
      'r4  unreadable           The journal is damaged.',
    ]);
    expect(listLines([])).toEqual(['No runs yet.']);
  });

  it('has the same as data for programs', () => {
    const run = { playbook: 'playbook.yml', startedAt: '1970-01-01T00:00:00Z' };
    expect(listData(runs)).toEqual([
      { id: 'r1', ...run, state: 'rolled back', exitCode: 3, lostOutputs: [lost] },
      { id: 'r2', ...run, state: 'running', exitCode: null, lostOutputs: [] },
      { id: 'r3', ...run, state: 'cut off', exitCode: null, lostOutputs: [] },
      { id: 'r4', state: 'unreadable', error: 'The journal is damaged.' },
    ]);
  });
});

describe('a run that is shown', () => {
  it('has its steps, with the state and the undo of each change', () => {
    const run = recorded(intentRecord(3, 1, 'h2'), { t: 'output-lost', ...lost });
    expect([...runLines({ run, running: false })]).toEqual([
      'Run r1: rolled back',
      'Playbook playbook.yml, started 1970-01-01T00:00:00Z',
      'Failed.',
      'Standard output could not be written at 2026-01-01T00:00:00Z: input/output error (EIO).',
      'The run continued; its journal is complete.',
      'Last commit point: found',
      '',
      'p › s1   p/1',
      '    changed  h1 7ms [unit 1, undo undo-skipped]',
      '    failed   h2 8ms: no',
      '    unknown  h2 unit 3 has no result',
    ]);
  });

  it('says whether a run that lost its output goes on', () => {
    const run = readRun([runRecord({ run: 'r2' }), lossRecord].map(storedRecord));
    const last = (running: boolean) => [...runLines({ run, running })].at(-2);
    expect(last(true)).toBe('The run continues.');
    expect(last(false)).toBe('The run continued, and was interrupted later.');
  });
});
