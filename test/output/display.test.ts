import { expect, it } from 'vitest';
import { Log } from '../../src/journal/log.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import type { Signal } from '../../src/journal/signals.ts';
import { readerFor, type Display } from '../../src/output/display.ts';
import { jsonDisplay } from '../../src/output/json.ts';
import { plainDisplay, TextWriter } from '../../src/output/plain.ts';
import { Redactor } from '../../src/util/redact.ts';
import { failedRun, isSignal, step } from '../helpers/entries.ts';
import { refusal, runRecord, stepRecord } from '../helpers/records.ts';

const unexpected = (error: unknown): void => {
  throw error;
};

it('a display gets no secret, neither from a record nor from a signal', () => {
  const redactor = new Redactor();
  redactor.add('password', 'hunter22');
  const log = Log.inMemory(redactor);
  const seen: unknown[] = [];
  const display = { show: (event: unknown) => seen.push(event), finish: () => Promise.resolve() };
  log.subscribe(readerFor(display, redactor), unexpected);
  log.write(runRecord({ hosts: ['h1'] }));
  const named = stepRecord(1, ['h1']) as Extract<JournalRecord, { t: 'step' }>;
  log.write({ ...named, step: { ...named.step, name: 'Use hunter22' } });
  log.signal({
    t: 'output',
    step,
    host: 'h1',
    of: '1.1.stdout',
    text: 'with hunter22',
    isCut: false,
  });
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

/** A run with a control sequence that clears the screen in every text. */
function hostileRun(display: Display): void {
  const evil = 'a\u001b[2J\u009b2J';
  const log = Log.inMemory(new Redactor());
  log.subscribe(readerFor(display, new Redactor()), unexpected);
  log.write(runRecord({ hosts: ['h1'] }));
  log.write(stepRecord(1, ['h1']));
  log.signal({ t: 'output', step, host: 'h1', of: '1.1.stdout', text: `${evil}\n`, isCut: false });
  log.signal({ t: 'message', level: 'warning', text: evil });
  log.signal({ t: 'document', title: evil, text: evil });
  log.signal({ t: 'retry', step, host: 'h1', attempt: 1, attempts: 2, message: evil });
  const signal: Signal = {
    t: 'details',
    unit: 1,
    label: evil,
    undo: 'auto',
    actions: [evil],
    diff: [{ path: evil, before: 'same\r\n', after: `same\n${evil}\n` }],
    stdout: evil,
    stderr: evil,
  };
  log.signal(signal);
  const result = { t: 'result', unit: 1, step: 1, host: 'h1', durationMs: 1 } as const;
  log.write({ ...result, state: 'changed' });
  log.signal({ ...signal, unit: 2 });
  log.write({ ...result, unit: 2, state: 'failed', failed: refusal(evil) });
  log.signal({ t: 'step-end', step, durationMs: 1 });
  log.write({ t: 'verified', host: 'h1', of: 'task', name: 'n', failed: refusal(evil) });
  log.write({ t: 'end', outcome: 'done', exitCode: 0, message: evil, at: '' });
  log.signal({ t: 'over', next: [evil], durationMs: 1 });
}

const same = (text: string) => text;
const palette = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

it.each([
  { diff: true, undo: false, verbose: true },
  { diff: true, undo: true, verbose: false },
])('the plain display escapes control characters in all texts with %j', (options) => {
  let text = '';
  hostileRun(plainDisplay(new TextWriter({ ...options, palette }), (one) => (text += one)));
  // eslint-disable-next-line no-control-regex -- this test searches for control characters
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(text.split(String.raw`\x1b[2J\x9b2J`).length).toBeGreaterThan(7);
  expect(text).toContain(String.raw`-same\r`);
});

it('JSON output contains texts unchanged', () => {
  let text = '';
  hostileRun(jsonDisplay((one) => (text += one)));
  const messages = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { message?: string });
  expect(messages.map(({ message }) => message)).toContain('a\u001b[2J\u009b2J');
});

it('JSON output has one event per line, with version and time', () => {
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
