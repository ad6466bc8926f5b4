import { describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/core/errors.ts';
import type { Clock } from '../../../src/core/ports.ts';
import { UnreachableHosts } from '../../../src/engine/undo/unreachable.ts';
import { Log } from '../../../src/journal/log.ts';
import { Redactor } from '../../../src/util/redact.ts';
import { perform } from '../../helpers/scripted-hosts.ts';
import { intentRecord, runRecord, stepRecord } from '../../helpers/records.ts';

/** A host with a working connection that answers queries with the given function. */
function hostThat(exchange: () => Promise<{ control: object; reads: [] }>) {
  const redactor = new Redactor();
  const log = Log.inMemory(redactor);
  for (const record of [
    runRecord({ hosts: ['h1'] }),
    stepRecord(1, ['h1']),
    intentRecord(1, 1, 'h1'),
  ])
    log.write(record);
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    every: () => () => undefined,
  };
  const hosts = new UnreachableHosts({
    ...{ log, redactor, clock, isStopping: () => false, signal: new AbortController().signal },
    connections: { session: () => Promise.resolve({ exchange }) },
    settings: { becomePassword: undefined },
  });
  return { hosts, clock };
}

const unresolved = { kind: 'unresolved', host: 'h1' } as const;
const answer = () => Promise.resolve({ control: {}, reads: [] as [] });

describe('an unreachable host', () => {
  it('counts as reachable only after it answers a query, not when a connection opens', async () => {
    let queries = 0;
    const { hosts, clock } = hostThat(() =>
      ++queries < 3
        ? Promise.reject(
            new ConnectError('no shell', { host: 'h1', stage: 'shell', retryable: true }),
          )
        : answer(),
    );
    hosts.park('h1', unresolved);
    expect(await hosts.waitForAny(60_000)).toEqual(['h1']);
    expect({ queries, now: clock.now() }).toEqual({ queries: 3, now: 6000 });
  });

  it('is retried at growing intervals if it answers but fails again at each undo', async () => {
    const { hosts, clock } = hostThat(answer);
    let rounds = 0;
    for (;;) {
      hosts.park('h1', unresolved);
      if ((await hosts.waitForAny(300_000)).length === 0) break;
      rounds++;
    }
    expect(clock.now()).toBeGreaterThanOrEqual(300_000);
    expect(rounds).toBeLessThan(12);
  });
});

it('does not retry an undo that fails with a wrong password', async () => {
  const { recording } = await perform({
    text: `
- { name: Work, command: ok, undo: [{ name: Undo, command: refused-on h1 }] }
- { name: Fail, command: fail, undo: { none: harmless } }`,
    inventory: 'all: { hosts: { h1: {} } }',
    settings: { rollbackBudgetSeconds: 30 },
  });
  const failure = { kind: 'connect', message: 'The password is wrong.' };
  const wanted = new Set(['undo-intent', 'undo-result', 'parked', 'unparked']);
  expect(recording.records.filter(({ t }) => wanted.has(t))).toMatchObject([
    { t: 'undo-intent', unit: 1 },
    { t: 'undo-result', unit: 1, state: 'undo-failed', why: { kind: 'failed', failure } },
  ]);
});
