import { describe, expect, it } from 'vitest';
import { ConnectError } from '../../src/core/errors.ts';
import type { Answer, Exchange, HostAddress } from '../../src/core/host.ts';
import { withoutUnfinished } from '../../src/engine/unfinished.ts';
import { readRun } from '../../src/journal/recorded-run.ts';
import type { JournalRecord } from '../../src/journal/records.ts';
import { intentRecord, runRecord, stepRecord, storedRecord } from '../helpers/records.ts';

const address = { name: 'h1' } as HostAddress;
const identity = { user: undefined, method: 'sudo', password: undefined } as const;
const question: Exchange = { reads: [{ script: ':' }] };
const change: Exchange = { change: { actions: [], unit: 1 } };
const nothing: Answer = { control: {}, reads: [] };
const busy: Answer = { control: { fence: 'busy' }, reads: [] };
const clear: Answer = { control: { fence: 'clear' }, reads: [] };
const lost = new ConnectError('lost', { host: 'h1', stage: 'lost', retryable: true });

/** A session on a host that returns these answers one after the other, and the requests to it. */
async function open(answers: (Answer | ConnectError)[], records: JournalRecord[] = []) {
  const asked: string[] = [];
  let now = 0;
  const lines = {
    session: () =>
      Promise.resolve({
        exchange: ({ control, change: changes }: Exchange) => {
          asked.push(control?.fence ? 'fence' : changes ? 'change' : 'question');
          const answer = answers.shift() ?? nothing;
          return answer instanceof ConnectError ? Promise.reject(answer) : Promise.resolve(answer);
        },
      }),
    reset: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const connections = withoutUnfinished(lines, {
    clock: { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) },
    log: { state: readRun([runRecord({ hosts: ['h1'] }), ...records].map(storedRecord)) },
    isStopping: () => false,
  });
  const session = await connections.session(address, identity);
  const ask = (request: Exchange) => session.exchange(request, { timeoutMs: 1000 });
  return { ask, asked };
}

describe('a host', () => {
  it('is not queried for unfinished changes if every answer arrived', async () => {
    const { ask, asked } = await open([]);
    for (const request of [question, change, question]) await ask(request);
    expect(asked).toEqual(['question', 'change', 'question']);
  });

  it('gets no other request after a lost change until the change has ended', async () => {
    const { ask, asked } = await open([lost, busy, busy, clear]);
    await expect(ask(change)).rejects.toBe(lost);
    await ask(question);
    await ask(change);
    expect(asked).toEqual(['change', 'fence', 'fence', 'fence', 'question', 'change']);
  });

  it('stays unreachable until it reports that the change has ended', async () => {
    const { ask, asked } = await open([lost, lost, clear]);
    await expect(ask(change)).rejects.toBe(lost);
    await expect(ask(question)).rejects.toBe(lost);
    await ask(question);
    expect(asked).toEqual(['change', 'fence', 'fence', 'question']);
  });

  it('has a time limit to finish the change', async () => {
    const { ask } = await open([lost, ...Array.from({ length: 2000 }, () => busy)]);
    await expect(ask(change)).rejects.toBe(lost);
    await expect(ask(question)).rejects.toThrow('still running on "h1"');
  });

  it('is queried first by a process that continues after a change or undo without a result', async () => {
    const began = [stepRecord(1, ['h1']), intentRecord(1, 1, 'h1')];
    const result = { t: 'result', unit: 1, step: 1, host: 'h1', durationMs: 1 } as const;
    const changed: JournalRecord[] = [...began, { ...result, state: 'changed' }];
    const undoing: JournalRecord[] = [...changed, { t: 'undo-intent', unit: 1 }];
    const firstAsked = async (records: JournalRecord[]) => {
      const { ask, asked } = await open([clear], records);
      await ask(question);
      return asked[0];
    };
    expect(await firstAsked(began)).toBe('fence');
    expect(await firstAsked(changed)).toBe('question');
    expect(await firstAsked(undoing)).toBe('fence');
  });
});
