import { describe, expect, it } from 'vitest';
import { ConnectError, JournalError } from '../../src/core/errors.ts';
import type { Control, ControlAnswers, UnitRecord } from '../../src/core/host.ts';
import { resolveUnknown, type ResolveParts } from '../../src/engine/resolve.ts';
import { Log } from '../../src/journal/log.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { Redactor } from '../../src/util/redact.ts';
import { changedRecord, intentRecord, runRecord, stepRecord } from '../helpers/records.ts';
import { SteppingClock } from '../helpers/stepping-clock.ts';
import { taskOf } from '../helpers/tasks.ts';

interface World {
  /** Answers of the host, in this order; the last one is repeated. */
  answers?: (UnitRecord | 'busy' | Error)[];
  /** Exit code of the probe of the task. */
  probe?: number;
  stopsAfter?: number;
  records?: JournalRecord[];
}

/** Resolves the outcome of change 1 on h1. */
async function ask({ answers = [], probe, stopsAfter = Infinity, records = [] }: World) {
  const log = Log.inMemory(new Redactor());
  const plain = intentRecord(1, 1, 'h1');
  const { undo } = plain;
  const intent = { ...plain, undo: probe === undefined ? undo : { ...undo, probe: taskOf() } };
  for (const record of [runRecord({ hosts: ['h1'] }), stepRecord(1, ['h1']), intent, ...records])
    log.write(record);
  const clock = new SteppingClock();
  const asked: Control[] = [];
  const answer = (control: Control): ControlAnswers => {
    const one = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(control);
    if (one instanceof Error) throw one;
    return one === 'busy' || one === undefined ? { fence: 'busy' } : { fence: 'clear', unit: one };
  };
  const parts: ResolveParts = {
    ...{ clock, log, redactor: new Redactor(), signal: new AbortController().signal },
    settings: { forks: 5, becomePassword: undefined },
    isStopping: () => asked.length >= stopsAfter,
    connections: {
      session: () =>
        Promise.resolve({
          exchange: async ({ control = {} }) =>
            Promise.resolve({ reads: [], control: answer(control) }),
        }),
    },
  };
  const found = await resolveUnknown(parts, log.state, [...log.state.units.values()], {
    probe: () => Promise.resolve(probe),
  });
  const [unit] = log.state.units.values();
  return { found: found.get(1), state: unit?.state, asked, clock };
}

describe('the outcome of a change without a result', () => {
  it.each([
    ['never started', { state: 'never_started' }, 'planned'],
    ['finished with exit code 0', { state: 'finished', code: 0 }, 'changed'],
    ['finished with another exit code', { state: 'finished', code: 3 }, 'failed'],
    ['was interrupted', { state: 'interrupted' }, 'unknown'],
  ] as [string, UnitRecord, string][])(
    'is recorded on the host: it %s',
    async (_, answer, state) => {
      const { found, state: recorded, asked } = await ask({ answers: [answer] });
      expect({ found, recorded }).toEqual({ found: state, recorded: state });
      expect(asked).toEqual([{ fence: true, unit: 1 }]);
    },
  );

  it.each([
    [0, 'changed'],
    [1, 'planned'],
    [2, 'unknown'],
  ])('comes from the probe if the host has none: exit code %i', async (probe, state) => {
    expect(await ask({ answers: [{ state: 'interrupted' }], probe })).toMatchObject({
      ...{ found: state, state },
    });
    const known = await ask({ answers: [{ state: 'finished', code: 0 }], probe });
    expect(known.found).toBe('changed');
  });

  it('is queried again while it runs, or while another connection of the run is active', async () => {
    const { found, clock } = await ask({
      answers: ['busy', { state: 'running' }, 'busy', { state: 'finished', code: 0 }],
    });
    expect({ found, sleeps: clock.sleeps }).toEqual({ found: 'changed', sleeps: [500, 1000, 500] });
  });

  it.each([
    ['ten minutes', {}, 600],
    ['an interruption', { stopsAfter: 3 }, 2],
  ])('is unknown when it is still running after %s', async (_, wishes, pauses) => {
    const { found, state, clock } = await ask({ answers: [{ state: 'running' }], ...wishes });
    expect({ found, state }).toEqual({ found: 'running', state: 'unknown' });
    expect(clock.sleeps).toHaveLength(pauses);
  });

  it('is unknown when the host is unreachable, and journal errors are thrown', async () => {
    const lost = new ConnectError('no route', { host: 'h1', stage: 'connect', retryable: true });
    expect(await ask({ answers: [lost], probe: 0 })).toMatchObject({
      ...{ found: 'unreachable', state: 'unknown' },
    });
    for (const error of [new JournalError('full'), new Error('a bug')])
      await expect(ask({ answers: [error] })).rejects.toBe(error);
  });

  it.each([
    ['its result is recorded', changedRecord(1, 1, 'h1')],
    ['its undo has started', { t: 'undo-intent', unit: 1 }],
    ['it was undone', { t: 'undo-result', unit: 1, state: 'undone', durationMs: 1 }],
  ] as [string, JournalRecord][])('is not queried if %s', async (_, record) => {
    const { found, asked } = await ask({ records: [record] });
    expect({ found, asked }).toEqual({ found: undefined, asked: [] });
  });
});
