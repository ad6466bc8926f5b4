import { describe, expect, it } from 'vitest';
import {
  finishedUnits,
  mayBeInPlace,
  replay,
  stepEntry,
  type Replay,
} from '../../src/engine/replay.ts';
import { Log } from '../../src/journal/log.ts';
import type { IntentRecord, JournalRecord, LearntRecord } from '../../src/journal/records.ts';
import { Redactor } from '../../src/util/redact.ts';
import { refusal, runRecord } from '../helpers/records.ts';

const become = { enabled: false, user: 'root', method: 'sudo' as const };
const step = (number: number, key = 'k'): JournalRecord => ({
  t: 'step',
  step: {
    ...{ id: 'p/s', number, play: 'p', name: 'S', module: 'shell', handler: false },
    at: { file: 'p.yml', line: 1, column: 1 },
  },
  hosts: ['h1', 'h2'],
  key,
});
const intent = (unit: number, number: number, host: string, index?: number): IntentRecord => ({
  ...{ t: 'intent', unit, step: number, host, target: host, module: 'shell', args: {} },
  ...{ actions: [], become, ...(index === undefined ? {} : { index }) },
  undo: {
    ...{ body: { kind: 'uncovered' }, when: [], error: 'block', captured: {} },
    on: ['changed', 'failed', 'unknown'],
  },
});
const result = (
  unit: number,
  number: number,
  host: string,
  state: 'changed' | 'failed' | 'unreachable',
  index?: number,
): JournalRecord => ({ t: 'result', unit, step: number, host, state, durationMs: 1, index });
const learnt = (number: number, host: string, failed?: string): LearntRecord => ({
  t: 'learnt',
  step: number,
  host,
  failed: failed === undefined ? undefined : refusal(failed),
});
const logOf = (records: JournalRecord[], redactor = new Redactor()): Log => {
  const log = Log.inMemory(redactor);
  for (const record of records) log.write(record);
  return log;
};
const entryOf = (...records: JournalRecord[]) =>
  stepEntry(logOf([runRecord({ hosts: ['h1', 'h2'] }), ...records]), 'k');
const replayed = (...records: JournalRecord[]): Replay<{ host: string }> =>
  replay(entryOf(...records), ['h1', 'h2'], {
    rolledBack: new Set(),
    rescued: logOf([runRecord({ hosts: ['h1', 'h2'] }), ...records]).rescued('k'),
    read: (record) => record,
  });
const plain = ({ done, ask, todo }: Replay<{ host: string }>) => ({
  done: [...done.keys()],
  ask,
  todo,
});

describe('a step of a resumed run', () => {
  it('runs on all hosts if nothing is recorded', () => {
    expect(plain(replayed())).toEqual({ done: [], ask: [], todo: ['h1', 'h2'] });
    expect(plain(replayed(step(1, 'other'), learnt(1, 'h1')))).toMatchObject({ done: [] });
  });

  it('is done on the hosts with a record of it, in that order', () => {
    expect(plain(replayed(step(1), learnt(1, 'h2'), learnt(1, 'h1')))).toEqual({
      ...{ done: ['h2', 'h1'], ask: [], todo: [] },
    });
  });

  it('runs again on a host on which it failed', () => {
    expect(plain(replayed(step(1), learnt(1, 'h1', 'no'), learnt(1, 'h2')))).toEqual({
      ...{ done: ['h2'], ask: [], todo: ['h1'] },
    });
  });

  it('stays failed on a host on which its rescue has started', () => {
    const records = [step(1), learnt(1, 'h1', 'no'), learnt(1, 'h2', 'no')];
    const rescue: JournalRecord = { t: 'rescue', failed: 'k', hosts: ['h2'] };
    const { done, todo } = replayed(...records, rescue);
    expect(done).toEqual(new Map([['h2', learnt(1, 'h2', 'no')]]));
    expect(todo).toEqual(['h1']);
  });

  it('runs again after a rollback even if its rescue had started, unless that was before the commit point', () => {
    const records: JournalRecord[] = [
      ...[step(1), result(1, 1, 'h1', 'failed'), learnt(1, 'h1', 'no')],
      { t: 'rescue', failed: 'k', hosts: ['h1'] },
    ];
    const commit: JournalRecord = {
      ...{ t: 'commit', name: 'c', key: 'c', unit: 1, irreversible: true },
    };
    const back: JournalRecord[] = [
      { t: 'rollback', reason: 'failed', attempt: 1 },
      { t: 'resume', pid: 1, bootId: 'b' },
    ];
    expect(replayed(...records, ...back).todo).toContain('h1');
    expect(replayed(...records, commit, ...back).todo).not.toContain('h1');
  });

  it('runs again on a host with an incomplete record', () => {
    const entry = entryOf(step(1), learnt(1, 'h1'));
    expect(replay(entry, ['h1'], { rolledBack: new Set(), read: () => undefined })).toMatchObject({
      todo: ['h1'],
    });
  });

  it('asks for the outcome of a change without a result, or whose host was unreachable', () => {
    const records = [step(1), intent(1, 1, 'h1'), intent(2, 1, 'h2')];
    const lost = [result(2, 1, 'h2', 'unreachable'), learnt(1, 'h2', 'gone')];
    expect(plain(replayed(...records, ...lost))).toEqual({
      ...{ done: [], ask: [1, 2], todo: ['h1', 'h2'] },
    });
  });

  it('asks for no outcome if the step failed or the outcome was resolved before', () => {
    const records = [step(1), intent(1, 1, 'h1'), intent(2, 1, 'h2')];
    const more = [result(1, 1, 'h1', 'failed'), learnt(1, 'h1', 'no')];
    const resolved = { t: 'resolved', unit: 2, state: 'planned' } as const;
    expect(plain(replayed(...records, ...more, resolved))).toEqual({
      ...{ done: [], ask: [], todo: ['h1', 'h2'] },
    });
  });

  it('uses the last attempt on each host', () => {
    const attempts = [step(1), learnt(1, 'h1'), learnt(1, 'h2', 'no'), step(2), learnt(2, 'h2')];
    expect(plain(replayed(...attempts))).toEqual({ done: ['h1', 'h2'], ask: [], todo: [] });
  });

  it('runs again if a rollback undid a change that a second attempt found finished', () => {
    const finished: JournalRecord = { t: 'resolved', unit: 1, state: 'changed' };
    const attempts = [step(1), intent(1, 1, 'h1'), finished, step(2), learnt(2, 'h1')];
    const undo: JournalRecord = { t: 'undo-intent', unit: 1 };
    expect(plain(replayed(...attempts))).toMatchObject({ done: ['h1'] });
    expect(plain(replayed(...attempts, undo))).toMatchObject({ done: [] });
    const again = [step(3), intent(2, 3, 'h1'), learnt(3, 'h1')];
    expect(plain(replayed(...attempts, undo, ...again))).toMatchObject({ done: ['h1'] });
  });

  it('runs again if a rollback undid it', () => {
    const records = [step(1), intent(1, 1, 'h1'), learnt(1, 'h1'), learnt(1, 'h2')];
    const undo = { t: 'undo-intent', unit: 1 } as const;
    expect(plain(replayed(...records, undo))).toEqual({ done: ['h2'], ask: [], todo: ['h1'] });
    const skipped = { t: 'undo-result', unit: 1, state: 'undo-skipped', durationMs: 0 } as const;
    expect(plain(replayed(...records, undo, skipped))).toMatchObject({ todo: [] });
  });
});

describe('a tolerated host that was rolled back', () => {
  const rolledBack = new Set(['h1']);
  const partial: JournalRecord = {
    ...{ t: 'rollback', reason: 'failed', attempt: 1, hosts: ['h1'], partial: true },
  };
  const of = (...records: JournalRecord[]) =>
    replay(entryOf(...records, partial), ['h1', 'h2'], { rolledBack, read: (record) => record });

  it('fails again at the same step although its changes are undone, and runs nothing', () => {
    const records = [step(1), intent(1, 1, 'h1'), learnt(1, 'h1', 'no'), learnt(1, 'h2')];
    const { done, ask, todo } = of(...records, { t: 'undo-intent', unit: 1 });
    expect(done.get('h1')).toMatchObject({ failed: refusal('no') });
    expect({ ask, todo }).toEqual({ ask: [], todo: [] });
    expect(of(step(1), intent(1, 1, 'h1'))).toMatchObject({ ask: [], todo: ['h2'] });
  });
});

describe('finished changes of an unfinished step', () => {
  it('are those that the host reports as finished, by loop position', () => {
    const finished = { t: 'resolved', unit: 2, state: 'changed' } as const;
    const records = [step(1), intent(1, 1, 'h1', 0), intent(2, 1, 'h1', 1), intent(3, 1, 'h2')];
    const entry = entryOf(...records, result(1, 1, 'h1', 'changed', 0), finished);
    expect([...finishedUnits(entry, 'h1').keys()]).toEqual([0, 1]);
    expect(finishedUnits(entry, 'h2').size).toBe(0);
    expect(entry?.items.get('h1')?.size).toBe(1);
  });

  it('do not include those that never started, failed or are still unknown', () => {
    const records = [step(1), intent(1, 1, 'h1', 0), intent(2, 1, 'h1', 1), intent(3, 1, 'h1', 2)];
    const entry = entryOf(
      ...records,
      { t: 'resolved', unit: 1, state: 'planned' },
      { t: 'resolved', unit: 2, state: 'failed' },
    );
    expect(finishedUnits(entry, 'h1').size).toBe(0);
  });
});

describe('a change of a step that runs again', () => {
  const inPlace = (...records: JournalRecord[]) =>
    mayBeInPlace(entryOf(step(1), intent(1, 1, 'h1', 2), ...records), 'h1', 2);
  const undo: JournalRecord = { t: 'undo-intent', unit: 1 };
  const undone = (state: 'undone' | 'undo-failed'): JournalRecord => ({
    ...{ t: 'undo-result', unit: 1, state, durationMs: 1 },
  });

  it('may be in place unless it never started or was undone', () => {
    expect(inPlace()).toBe(true);
    expect(inPlace(result(1, 1, 'h1', 'failed', 2))).toBe(true);
    expect(inPlace({ t: 'resolved', unit: 1, state: 'planned' })).toBe(false);
    expect(inPlace(result(1, 1, 'h1', 'changed', 2), undo)).toBe(true);
    expect(inPlace(result(1, 1, 'h1', 'changed', 2), undo, undone('undo-failed'))).toBe(true);
    expect(inPlace(result(1, 1, 'h1', 'changed', 2), undo, undone('undone'))).toBe(false);
  });

  it('belongs to its host and item, and is not a step that only has an undo that always runs', () => {
    const entry = entryOf(step(1), intent(1, 1, 'h1', 2));
    expect(mayBeInPlace(entry, 'h2', 2)).toBe(false);
    expect(mayBeInPlace(entry, 'h1', undefined)).toBe(false);
    expect(mayBeInPlace(undefined, 'h1', undefined)).toBe(false);
    const looks = intent(1, 1, 'h1', 2);
    const always = { ...looks, undo: { ...looks.undo, on: 'always' as const } };
    expect(mayBeInPlace(entryOf(step(1), always), 'h1', 2)).toBe(false);
  });
});

describe('a step whose key contains a secret', () => {
  const known = (redactor: Redactor, records: JournalRecord[], key: string) => {
    const log = logOf([runRecord({ hosts: ['h1', 'h2'] })], redactor);
    for (const record of records) log.write(record);
    return [...(stepEntry(log, key)?.learnt.keys() ?? [])];
  };
  const key = 'p/1/install-docker#1';

  it('is found by the name of the secret', () => {
    const redactor = new Redactor();
    redactor.add('docker_password', 'docker');
    expect(known(redactor, [step(1, key), learnt(1, 'h1')], key)).toEqual(['h1']);
    expect(known(redactor, [step(1, key), learnt(1, 'h1')], 'p/1/install-podman#1')).toEqual([]);
  });

  it('is found if the secret was added after the step was recorded', () => {
    const redactor = new Redactor();
    const log = logOf(
      [runRecord({ hosts: ['h1', 'h2'] }), step(1, key), learnt(1, 'h1')],
      redactor,
    );
    redactor.add('docker_password', 'docker');
    for (const record of [step(2, key), learnt(2, 'h2')]) log.write(record);
    expect([...(stepEntry(log, key)?.learnt.keys() ?? [])]).toEqual(['h1', 'h2']);
  });
});
