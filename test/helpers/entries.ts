import { Log } from '../../src/journal/log.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import type { Signal } from '../../src/journal/signals.ts';
import { plainTask } from '../../src/language/document.ts';
import { eventReader, type RunEvent } from '../../src/output/events.ts';
import { intentRecord, refusal, runRecord, stepRecord } from './records.ts';

const at = { file: 'p.yml', line: 1, column: 1 };
export const { step } = stepRecord(1, ['h1', 'h2']) as Extract<JournalRecord, { t: 'step' }>;
const ports = { host: 'h1', id: 'f', name: 'Ports' };
const fingerprint = (text: string): JournalRecord => {
  const become = { enabled: false, user: 'root', method: 'sudo' as const };
  const task = plainTask({ id: 'f', name: 'Ports', at, module: 'command', args: {}, become });
  return { t: 'fingerprint', phase: 'before', ...ports, text, task, vars: {} };
};

/** A run that fails and is rolled back, with records and signals. */
export const failedRun: (JournalRecord | Signal)[] = [
  runRecord({ run: 'r1', hosts: ['h1', 'h2'] }),
  { t: 'play', id: 'p', batches: [['h1', 'h2']] },
  { t: 'batch', play: 'Play', hosts: ['h1', 'h2'], batch: 1, batches: 2, left: ['h3'] },
  fingerprint('port 22'),
  { t: 'step', step: { ...step, number: 9 }, hosts: ['h1'], key: 'block', silent: true },
  { t: 'step', step, hosts: ['h1', 'h2'], key: 'k' },
  intentRecord(1, 1, 'h1', { item: 'a' }),
  { t: 'output', step, host: 'h1', of: '1.1.stdout', text: 'working', isCut: false },
  { t: 'retry', step, host: 'h1', attempt: 1, attempts: 3, message: 'not yet' },
  {
    ...{ t: 'details', unit: 1, label: 'A', undo: 'auto', actions: ['write /etc/a'] },
    ...{ diff: undefined, stdout: 'done', stderr: '' },
  },
  { t: 'result', unit: 1, step: 1, host: 'h1', item: 'a', state: 'changed', durationMs: 7 },
  {
    t: 'result',
    unit: 2,
    step: 1,
    host: 'h2',
    state: 'failed',
    failed: refusal('no'),
    durationMs: 8,
  },
  { t: 'learnt', step: 1, host: 'h1' },
  { t: 'step-end', step, durationMs: 9 },
  { t: 'commit', name: 'gate', key: 'c', unit: 0, irreversible: false },
  { t: 'commit', name: 'found', key: 'f', unit: 0, irreversible: true, silent: true },
  { t: 'message', level: 'warning', text: 'careful' },
  { t: 'document', title: 'Report', text: 'all of it' },
  { t: 'rollback', reason: 'failed', attempt: 1 },
  { t: 'undo-start', reason: 'failed', units: 1 },
  { t: 'undo-result', unit: 1, state: 'undone', durationMs: 3 },
  { t: 'undo-result', unit: 1, state: 'undo-skipped', durationMs: 0, silent: true },
  { t: 'undo-step-end', step },
  { t: 'verified', host: 'h1', of: 'undos', count: 1, different: [] },
  { t: 'fingerprint', phase: 'after', ...ports, text: 'port 23', equal: false },
  { t: 'end', outcome: 'rolled_back', exitCode: 3, message: 'Failed.', at: '' },
  { t: 'over', next: ['runner show r1'], durationMs: 20 },
];

export const isSignal = (entry: JournalRecord | Signal): entry is Signal =>
  new Set(
    'batch output retry details step-end message document undo-start undo-step-end not-verified over'.split(
      ' ',
    ),
  ).has(entry.t);

/** Writes the entries, and returns what displays show of them. */
export function showEntries(log: Log, entries: readonly (JournalRecord | Signal)[]): RunEvent[] {
  const events: RunEvent[] = [];
  const faults: unknown[] = [];
  log.subscribe(
    eventReader((event) => events.push(event)),
    (error) => faults.push(error),
  );
  for (const entry of entries)
    if (isSignal(entry)) log.signal(entry);
    else log.write(entry);
  if (faults.length > 0) throw faults[0];
  return events;
}
