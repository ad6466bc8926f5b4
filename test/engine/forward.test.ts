import { describe, expect, it } from 'vitest';
import {
  JournalError,
  LockedError,
  PlaybookError,
  TaskError,
  TimeLimitError,
} from '../../src/core/errors.ts';
import type { Forward } from '../../src/core/endings.ts';
import { forward } from '../../src/engine/forward.ts';
import { Interrupted } from '../../src/engine/interrupted.ts';

let recovered = 0;
const end = (error: Error, hasIntents: boolean): Promise<Forward> => {
  recovered = 0;
  const recover = () => {
    recovered++;
    return Promise.resolve();
  };
  return forward({ hasIntents, recover }, () => Promise.reject(error));
};

describe('a run of a playbook', () => {
  it.each([
    ['an interruption', new Interrupted(), 'interrupted', 'interrupted'],
    ['the time limit', new TimeLimitError('late'), 'failed', 'failed'],
    ['a refused lock', new LockedError('held'), 'failed', 'locked'],
    ['an error of a step', new TaskError('no'), 'failed', undefined],
    ['a playbook error', new PlaybookError([{ message: 'no' }]), 'failed', undefined],
    ['an internal error', new Error('a bug'), undefined, undefined],
  ])('ends after %s, with or without earlier changes', async (_, error, after, before) => {
    for (const [hasIntents, status] of [
      [true, after],
      [false, before],
    ] as const) {
      const ended = end(error, hasIntents);
      if (status === undefined) await expect(ended).rejects.toBe(error);
      else await expect(ended).resolves.toMatchObject({ status });
      expect(recovered).toBe(0);
    }
  });

  it('reports whether it changed anything, and why it failed', async () => {
    expect(await end(new TimeLimitError('late'), false)).toEqual({
      ...{ status: 'failed', message: 'late', changedAnything: false },
    });
    expect(await end(new TaskError('no', { hint: 'Try.' }), true)).toEqual({
      ...{ status: 'failed', message: 'no Try.', changedAnything: true },
    });
  });

  it('recovers the journal after a write error, so that the rollback can write to it', async () => {
    expect(await end(new JournalError('full'), true)).toMatchObject({ status: 'failed' });
    expect(recovered).toBe(1);
    await expect(end(new JournalError('full'), false)).rejects.toThrow('full');
  });
});
