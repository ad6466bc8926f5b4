import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';
import type { StepInfo } from '../../src/core/states.ts';
import type { RunEvent } from '../../src/output/events.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { storedRecord } from '../helpers/records.ts';
import { printTrace } from '../helpers/trace.ts';
import { TraceFile } from '../helpers/trace-file.ts';

const at = { file: '/tmp/abc/playbook.yml', line: 1, column: 2 };
const info = (number: number): StepInfo => ({
  id: `play/step-${String(number)}`,
  number,
  play: 'Play',
  name: `Step ${String(number)}`,
  module: 'command',
  at,
  handler: false,
});
const end = (host: string, number = 1, message?: string): RunEvent => ({
  type: 'unit-end',
  step: info(number),
  host,
  state: 'ok',
  durationMs: Math.random(),
  message,
});
const start = (number = 1, hosts = ['h1', 'h2']): RunEvent => ({
  type: 'step-start',
  step: info(number),
  hosts,
});
const result = (unit: number, host: string, item?: string): JournalRecord => ({
  t: 'result',
  unit,
  step: 1,
  host,
  ...(item === undefined ? {} : { item }),
  state: 'changed',
  durationMs: Math.random(),
});
const step = (number: number): JournalRecord => ({
  t: 'step',
  step: info(number),
  hosts: ['h1', 'h2'],
  key: '',
});

function print(
  { events = [], records = [] }: { events?: RunEvent[]; records?: JournalRecord[] },
  playbook = '',
): string[] {
  const placeholders = new Map([['/tmp/abc', '<dir>']]);
  return printTrace({ events, records: records.map(storedRecord), playbook, placeholders });
}

describe('a trace', () => {
  it('does not depend on which host of a step answers first', () => {
    const one = print({ events: [start(), end('h1'), end('h2')] });
    expect(print({ events: [start(), end('h2'), end('h1')] })).toEqual(one);
    const units = print({ records: [step(1), result(1, 'h1'), result(2, 'h2')] });
    expect(print({ records: [step(1), result(1, 'h2'), result(2, 'h1')] })).toEqual(units);
  });

  it('differs when the lines of one host change places', () => {
    const one = print({ events: [start(), end('h1', 1, 'a'), end('h1', 1, 'b')] });
    expect(print({ events: [start(), end('h1', 1, 'b'), end('h1', 1, 'a')] })).not.toEqual(one);
  });

  it('differs when a host starts a step before the previous step has ended', () => {
    const ended: RunEvent = { type: 'step-end', step: info(1), durationMs: 1 };
    const linear = [start(), end('h1'), ended, start(2), end('h2', 2)];
    const early = [start(), end('h1'), start(2), ended, end('h2', 2)];
    expect(print({ events: early })).not.toEqual(print({ events: linear }));
  });

  it('with "strategy: free" does not depend on which host is faster', () => {
    const h1 = [start(1, ['h1']), end('h1', 1), start(2, ['h1']), end('h1', 2)];
    const h2 = [start(3, ['h2']), end('h2', 3), start(4, ['h2']), end('h2', 4)];
    const renamed = h2.map((event) =>
      'step' in event ? { ...event, step: { ...event.step, id: 'of-h2', name: 'of h2' } } : event,
    );
    const one = print({ events: [...h1, ...renamed] }, 'strategy: free');
    expect(print({ events: [...renamed, ...h1] }, 'strategy: free')).toEqual(one);
    expect(print({ events: [...renamed, ...h1] })).not.toEqual(one);
  });

  it('depends on which item ends first only if items are not parallel', () => {
    const one = [step(1), result(1, 'h1', 'a'), result(2, 'h1', 'b')];
    const other = [step(1), result(1, 'h1', 'b'), result(2, 'h1', 'a')];
    expect(print({ records: other }, 'parallel: 2')).toEqual(
      print({ records: one }, 'parallel: 2'),
    );
    expect(print({ records: other })).not.toEqual(print({ records: one }));
  });

  it('joins output that arrived in pieces, and replaces the directory of the run', () => {
    const output = (text: string): RunEvent => ({
      type: 'output',
      step: info(1),
      host: 'h1',
      text,
    });
    const lines = print({ events: [start(), output('a\n'), output('/tmp/abc/b\n')] });
    expect(lines.at(-1)).toBe('output #1 {"host":"h1","text":"a\\n<dir>/b\\n"}');
    expect(lines[1]).toContain('"at":"<dir>/playbook.yml:1:2"');
  });
});

describe('a file of traces', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'runner-traces-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Writes the traces of two cases, and reads them for a comparison. */
  function written(): TraceFile {
    const file = new TraceFile('some', { directory, updates: true });
    for (const title of ['First', 'Second']) {
      file.add(title);
      file.compare(title, ['events', `step-start {"of":"${title}"}`, 'step-end {}']);
    }
    file.save();
    return new TraceFile('some', { directory, updates: false });
  }

  it('names the case and shows the first line that differs', () => {
    const file = written();
    file.add('Second');
    expect(() => {
      file.compare('Second', ['events', 'step-start {"of":"Second"}', 'step-end {}']);
    }).not.toThrow();
    expect(() => {
      file.compare('Second', ['events', 'step-start {"of":"other"}', 'step-end {}']);
    }).toThrow(
      /trace of "Second" differs from .*some\.txt:\nfirst at line 2 .*\n events\n-step-start {"of":"Second"}\n\+step-start {"of":"other"}\n step-end {}\n/,
    );
  });

  it('refuses a case without a trace, and names traces without a case', () => {
    const file = written();
    file.add('First');
    expect(() => {
      file.compare('Third', ['events']);
    }).toThrow('has no trace of "Third". If the change is intended, run "npm run traces"');
    expect(file.leftOver()).toEqual(['Second']);
  });

  it('keeps the traces of cases that did not run when it is rewritten, and drops removed cases', () => {
    written();
    const file = new TraceFile('some', { directory, updates: true });
    file.add('First');
    file.add('Third');
    file.compare('Third', ['events']);
    file.save();
    const text = readFileSync(join(directory, 'some.txt'), 'utf8');
    expect(text).toContain('=== First\nevents\n');
    expect(text).toContain('=== Third\nevents\n');
    expect(text).not.toContain('Second');
  });

  it('refuses two cases of one title', () => {
    const file = written();
    file.add('First');
    expect(() => {
      file.add('First');
    }).toThrow('Two cases have the title "First".');
  });

  it('belongs to the rules of one subject, or to the samples', () => {
    const names = (directory: string, ending: string) =>
      readdirSync(join(packageRoot(), 'test', directory)).map((name) => name.replace(ending, ''));
    const subjects = new Set(names('behaviour', '.test.ts'));
    const unknown = names('traces', '.txt').filter((name) => !subjects.has(name));
    expect(unknown).toEqual(['loaded-playbooks']);
  });
});
