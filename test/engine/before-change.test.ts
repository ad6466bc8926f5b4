import { describe, expect, it } from 'vitest';
import { JournalError, LockedError, TaskError } from '../../src/core/errors.ts';
import { beforeChange } from '../../src/engine/before-change.ts';
import { placeOf, taskOf } from '../helpers/tasks.ts';

const hosts = ['h1', 'h2'];
const change = taskOf();
const look = taskOf({ name: 'Look', readOnly: true });

function given({ lock, fingerprint }: { lock?: Error; fingerprint?: Error } = {}) {
  const calls: string[] = [];
  const note = (text: string, error?: Error) => () => {
    calls.push(text);
    return error ? Promise.reject(error) : Promise.resolve();
  };
  const step = beforeChange(
    (node) => {
      calls.push(node.kind === 'task' ? node.name : node.kind);
      return Promise.resolve({ failed: new Map(), included: new Map() });
    },
    { lock: note('lock', lock), takeFingerprint: note('fingerprint', fingerprint) },
  );
  return { calls, step };
}

describe('before the first change', () => {
  it('locks hosts and takes fingerprints, but not before read-only steps', async () => {
    const { calls, step } = given();
    for (const task of [look, change, look, change]) await step(task, hosts, placeOf());
    expect(calls).toEqual(['Look', 'lock', 'fingerprint', 'Copy', 'Look', 'lock', 'Copy']);
  });

  it('locks hosts also for a read-only step with "undo_on: always"', async () => {
    const gate = taskOf({
      ...{ name: 'Look', readOnly: true, undoOn: 'always' as const },
      undo: { kind: 'tasks', tasks: [change] },
    });
    const { calls, step } = given();
    await step(gate, hosts, placeOf());
    expect(calls).toEqual(['lock', 'fingerprint', 'Look']);
  });

  it('takes one fingerprint that all hosts wait for', async () => {
    const { calls, step } = given();
    await Promise.all(hosts.map((host) => step(change, [host], placeOf({ own: host }))));
    expect(calls.filter((one) => one === 'fingerprint')).toHaveLength(1);
    expect(calls.indexOf('fingerprint')).toBeLessThan(calls.indexOf('Copy'));
  });

  it('takes no fingerprint if an earlier process has started a change', async () => {
    const calls: string[] = [];
    const step = beforeChange(() => Promise.resolve({ failed: new Map(), included: new Map() }), {
      lock: () => Promise.resolve(void calls.push('lock')),
      takeFingerprint: undefined,
    });
    await step(change, hosts, placeOf());
    expect(calls).toEqual(['lock']);
  });

  it('fails this step and each later one on all hosts if a fingerprint fails', async () => {
    const { calls, step } = given({ fingerprint: new TaskError('no answer') });
    for (let time = 0; time < 2; time++) {
      const { failed } = await step(change, hosts, placeOf());
      expect([...failed]).toEqual(
        hosts.map((host) => [
          host,
          {
            ...{ task: 'Copy', id: 'p/copy', notBegun: true },
            failure: { kind: 'refused', message: 'no answer' },
          },
        ]),
      );
    }
    expect(calls).toEqual(['lock', 'fingerprint', 'lock']);
  });

  it('ends the run after a refused lock, a journal error or an internal error', async () => {
    const locked = new LockedError('held');
    await expect(given({ lock: locked }).step(change, hosts, placeOf())).rejects.toBe(locked);
    for (const error of [new JournalError('full'), new Error('a bug')])
      await expect(given({ fingerprint: error }).step(change, hosts, placeOf())).rejects.toBe(
        error,
      );
  });
});
