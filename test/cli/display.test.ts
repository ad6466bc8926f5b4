import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { follow } from '../../src/cli/run/display.ts';
import { Log } from '../../src/journal/log.ts';
import type { Display } from '../../src/output/display.ts';
import { OutputWriter } from '../../src/util/output-writer.ts';
import { Redactor } from '../../src/util/redact.ts';
import { runRecord, stepRecord } from '../helpers/records.ts';

const message = { t: 'message', level: 'info', text: 'm' } as const;

function following(show: Display['show']): { log: Log; stdout: OutputWriter } {
  const target = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const stdout = new OutputWriter('standard output', target, () => 0);
  const redactor = new Redactor();
  const log = Log.inMemory(redactor);
  follow({ stdout, redactor }, log, { show, finish: () => Promise.resolve() });
  return { log, stdout };
}

describe('a display that follows a run', () => {
  it('ends the output if it throws, but not the recording of the run', () => {
    let calls = 0;
    const { log, stdout } = following(() => {
      calls++;
      throw new Error('broken');
    });
    log.write(runRecord({ hosts: ['h1'] }));
    log.write(stepRecord(1, ['h1']));
    log.signal(message);
    expect(calls).toBe(1);
    expect(stdout.lost).toMatchObject({ output: 'standard output', reason: 'broken' });
    expect(log.state.steps.size).toBe(1);
  });

  it('gets no events after the output is lost', () => {
    const shown: string[] = [];
    const { log, stdout } = following(({ type }) => shown.push(type));
    log.signal(message);
    stdout.fail(new Error('closed'));
    log.signal(message);
    expect(shown).toEqual(['message']);
  });
});
