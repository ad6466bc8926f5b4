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

  it('shows which runs have ended, which still run, and which journals cannot be read', () => {
    expect(listLines(runs)).toEqual([
      'r1  rolled back            2 hosts  playbook.yml  (standard output lost at 2026-01-01T00:00:00Z: EIO)',
      'r2  running                 1 host  playbook.yml',
      'r3  interrupted             1 host  playbook.yml',
      'r4  unreadable           The journal is damaged.',
    ]);
    expect(listLines([])).toEqual(['No runs yet.']);
  });

  it('contains the same data with --json', () => {
    const run = { playbook: 'playbook.yml', startedAt: '1970-01-01T00:00:00Z' };
    expect(listData(runs)).toEqual([
      { id: 'r1', ...run, state: 'rolled back', exitCode: 3, lostOutputs: [lost] },
      { id: 'r2', ...run, state: 'running', exitCode: null, lostOutputs: [] },
      { id: 'r3', ...run, state: 'interrupted', exitCode: null, lostOutputs: [] },
      { id: 'r4', state: 'unreadable', error: 'The journal is damaged.' },
    ]);
  });
});

describe('runner show', () => {
  it('lists the steps of a run, with the state and the undo of each change', () => {
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
      '    changed  h1 7ms [change 1, undo skipped]',
      '    failed   h2 8ms: no',
      '    unknown  h2 [change 3]: no result was recorded',
    ]);
  });

  it('reports whether a run continued after it lost its output', () => {
    const run = readRun([runRecord({ run: 'r2' }), lossRecord].map(storedRecord));
    const last = (running: boolean) => [...runLines({ run, running })].at(-2);
    expect(last(true)).toBe('The run continues.');
    expect(last(false)).toBe('The run continued, and was interrupted later.');
  });
});
