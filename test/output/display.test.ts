import { expect, it } from 'vitest';
import { Log } from '../../src/journal/log.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { readerFor } from '../../src/output/display.ts';
import { jsonDisplay } from '../../src/output/json.ts';
import { Redactor } from '../../src/util/redact.ts';
import { failedRun, isSignal, step } from '../helpers/entries.ts';
import { refusal, runRecord, stepRecord } from '../helpers/records.ts';

const unexpected = (error: unknown): void => {
  throw error;
};

it('gets no secret, neither from a record nor from a signal', () => {
  const redactor = new Redactor();
  redactor.add('password', 'hunter22');
  const log = Log.inMemory(redactor);
  const seen: unknown[] = [];
  const display = { show: (event: unknown) => seen.push(event), finish: () => Promise.resolve() };
  log.subscribe(readerFor(display, redactor), unexpected);
  log.write(runRecord({ hosts: ['h1'] }));
  const named = stepRecord(1, ['h1']) as Extract<JournalRecord, { t: 'step' }>;
  log.write({ ...named, step: { ...named.step, name: 'Use hunter22' } });
  log.signal({ t: 'output', step, host: 'h1', text: 'with hunter22' });
  log.signal({
    ...{ t: 'details', unit: 1, label: 'hunter22', undo: undefined, actions: ['login hunter22'] },
    diff: [{ path: '/etc/a', before: '', after: Buffer.from('hunter22').toString('base64') }],
    ...{ stdout: 'hunter22', stderr: 'hunter22' },
  });
  const result = { t: 'result', unit: 1, step: 1, host: 'h1', durationMs: 1 } as const;
  log.write({ ...result, state: 'failed', failed: refusal('no hunter22') });
  log.write({ t: 'end', outcome: 'done', exitCode: 0, message: 'Did hunter22.', at: '' });
  log.signal({ t: 'over', next: [], durationMs: 1 });
  expect(seen).toHaveLength(5);
  expect(JSON.stringify(seen)).not.toMatch(/hunter22|aHVudGVyMjI/);
  expect(seen.at(-2)).toMatchObject({
    ...{ message: 'no ***', item: '***', stdout: '***' },
    step: { name: 'Use ***' },
  });
  expect(seen.at(-1)).toMatchObject({ type: 'run-end', message: 'Did ***.' });
});

it('for programs writes one event a line, with version and time', () => {
  const log = Log.inMemory(new Redactor());
  let text = '';
  const display = jsonDisplay((line) => (text += line));
  log.subscribe(readerFor(display, new Redactor()), unexpected);
  for (const entry of failedRun)
    if (isSignal(entry)) log.signal(entry);
    else log.write(entry);
  const lines = text.trimEnd().split('\n');
  expect(lines).toHaveLength(17);
  expect(lines.at(-1)?.replace(/"at":"[^"]+"/, '"at":"T"')).toBe(
    '{"v":1,"at":"T","type":"run-end","run":"r1","outcome":"rolled_back","message":"Failed.","next":["runner show r1"],"durationMs":20}',
  );
});
