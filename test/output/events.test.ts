import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiskFile } from '../../src/journal/disk-file.ts';
import { readJournal } from '../../src/journal/journal-file.ts';
import { Log } from '../../src/journal/log.ts';
import { applyRecord, beginRun } from '../../src/journal/recorded-run.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { eventReader, type RunEvent } from '../../src/output/events.ts';
import { Redactor } from '../../src/util/redact.ts';
import { failedRun, showEntries, step } from '../helpers/entries.ts';
import { runRecord } from '../helpers/records.ts';

it('translates the entries of a log that people read to events, in order', () => {
  expect(showEntries(Log.inMemory(new Redactor()), failedRun)).toEqual([
    {
      ...{ type: 'run-start', run: 'r1', playbook: 'playbook', check: false },
      ...{ hosts: ['h1', 'h2'], changes: [] },
    },
    {
      ...{ type: 'play-start', play: 'Play', hosts: ['h1', 'h2'], batch: 1, batches: 2 },
      left: ['h3'],
    },
    { type: 'step-start', step, hosts: ['h1', 'h2'] },
    { type: 'output', step, host: 'h1', text: 'working' },
    { type: 'unit-retry', step, host: 'h1', attempt: 1, attempts: 3, message: 'not yet' },
    {
      ...{ type: 'unit-end', step, host: 'h1', item: 'A', state: 'changed', durationMs: 7 },
      ...{ undo: 'auto', actions: ['write /etc/a'], stdout: 'done', stderr: '' },
    },
    { type: 'unit-end', step, host: 'h2', state: 'failed', message: 'no', durationMs: 8 },
    { type: 'step-end', step, durationMs: 9 },
    { type: 'commit', name: 'gate', irreversible: false },
    { type: 'message', level: 'warning', text: 'careful' },
    { type: 'document', title: 'Report', text: 'all of it' },
    { type: 'rollback-start', run: 'r1', reason: 'failed', units: 1 },
    { type: 'undo-end', step, host: 'h1', item: 'a', state: 'undone', durationMs: 3 },
    { type: 'undo-step-end', step },
    { type: 'fingerprint', host: 'h1', name: '1 automatic undo', equal: true },
    {
      ...{ type: 'fingerprint', host: 'h1', name: 'Ports', equal: false },
      diff: { path: 'h1: Ports', before: 'port 22\n', after: 'port 23\n' },
    },
    {
      ...{ type: 'run-end', run: 'r1', outcome: 'rolled_back', message: 'Failed.' },
      ...{ next: ['runner show r1'], durationMs: 20 },
    },
  ]);
});

it('translates the records of a file to the same events as live, except for details from signals', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'runner-events-'));
  try {
    const log = Log.create(DiskFile.create(join(dir, 'journal')), new Redactor());
    const live = showEntries(log, failedRun);
    await log.close();
    const { records } = readJournal(join(dir, 'journal'));
    const run = beginRun(records[0]);
    const fromFile: RunEvent[] = [];
    const read = eventReader((event) => fromFile.push(event));
    for (const record of records) {
      applyRecord(run, record, () => record);
      // Both forms of a record are equal if it contains no secrets.
      read(record as unknown as JournalRecord, run);
    }
    const ofRecords = ['run-start', 'step-start', 'unit-end', 'commit', 'undo-end', 'fingerprint'];
    const details = ['item', 'undo', 'actions', 'stdout', 'stderr'];
    const kept = (event: RunEvent): unknown =>
      event.type === 'unit-end'
        ? Object.fromEntries(Object.entries(event).filter(([key]) => !details.includes(key)))
        : event;
    expect(fromFile.map((event) => JSON.stringify(kept(event)))).toEqual(
      live
        .filter(({ type }) => ofRecords.includes(type))
        .map((event) => JSON.stringify(kept(event))),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

it('starts a run with the hosts that its limit allows', () => {
  const record = runRecord({ hosts: ['h1', 'h2', 'h3'] }) as Extract<JournalRecord, { t: 'run' }>;
  const start = (limit: string) =>
    showEntries(Log.inMemory(new Redactor()), [
      {
        ...record,
        options: { limit },
        inventory: { ...record.inventory, groups: { web: ['h2', 'h3'] } },
      },
    ])[0];
  expect(start('web')).toMatchObject({ hosts: ['h2', 'h3'] });
  expect(start('all:!web')).toMatchObject({ hosts: ['h1'] });
});
