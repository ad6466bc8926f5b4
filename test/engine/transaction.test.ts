import { describe, expect, it } from 'vitest';
import type { Forward, RollbackResult } from '../../src/core/endings.ts';
import {
  transaction,
  type AfterInterrupt,
  type TransactionParts,
} from '../../src/engine/transaction.ts';
import type { OnFailure } from '../../src/language/document.ts';

const undo: RollbackResult = {
  ...{ complete: true, interrupted: false, undone: 1, open: [], verified: true },
  ...{ different: [], pastNoReturn: undefined },
};
const done: Forward = { status: 'done', left: [], incomplete: false };
const failed: Forward = { status: 'failed', message: 'no', changedAnything: true };
const stopped: Forward = { status: 'interrupted', changedAnything: true };

interface Wishes {
  onFailure?: OnFailure;
  confirms?: boolean;
  then?: AfterInterrupt;
  lost?: boolean;
}

/** A transaction whose calls are recorded. */
function parts(
  results: Forward[],
  { onFailure = 'auto', confirms = false, then = 'leave', lost = false }: Wishes,
): { calls: string[]; parts: TransactionParts } {
  const calls: string[] = [];
  const left = [...results];
  const note = <T>(call: string, value: T): T => {
    calls.push(call);
    return value;
  };
  return {
    calls,
    parts: {
      forward: () => Promise.resolve(note('forward', left.shift() ?? done)),
      rollBack: ({ reason }) => Promise.resolve(note(`back: ${reason}`, undo)),
      hasLostHosts: () => lost,
      rearm: () => {
        calls.push('rearm');
      },
      confirmRollback: () => Promise.resolve(note('confirm', confirms)),
      afterInterrupt: () => Promise.resolve(note('ask', then)),
      onFailure: () => onFailure,
    },
  };
}

describe('a transaction', () => {
  it.each([
    ['succeeded', [done], {}, done, ['forward']],
    ['was refused', [{ status: 'locked', message: 'x' }], {}, { status: 'locked' }, ['forward']],
    [
      'failed before a change',
      ...([[{ ...failed, changedAnything: false }], {}, { status: 'nothing-changed' }] as const),
      ['forward'],
    ],
    [
      'failed',
      ...([[failed], {}, { status: 'rolled-back', why: 'no' }] as const),
      ['forward', 'rearm', 'back: failed'],
    ],
    [
      'failed and leaves its changes in place',
      ...([[failed], { onFailure: 'stop' }, { status: 'left-in-place' }] as const),
      ['forward'],
    ],
    [
      'failed and the operator declines a rollback',
      ...([[failed], { onFailure: 'ask' }, { status: 'left-in-place' }] as const),
      ['forward', 'confirm'],
    ],
    [
      'failed and the operator confirms the rollback',
      [failed],
      { onFailure: 'ask', confirms: true },
      { status: 'rolled-back', why: 'no' },
      ['forward', 'confirm', 'rearm', 'back: failed'],
    ],
    [
      'was interrupted before a change',
      [{ ...stopped, changedAnything: false }],
      { then: 'rollback' },
      { status: 'interrupted', changedAnything: false },
      ['forward'],
    ],
    ['was interrupted and is left', [stopped], {}, stopped, ['forward', 'ask']],
    [
      'was interrupted and is rolled back',
      [stopped],
      { then: 'rollback' },
      { status: 'rolled-back', why: undefined },
      ['forward', 'ask', 'rearm', 'back: interrupted'],
    ],
    [
      'was interrupted and continues',
      ...([[stopped, done], { then: 'continue' }, done] as const),
      ['forward', 'ask', 'rearm', 'forward'],
    ],
    [
      'was interrupted because another run took over its hosts',
      ...([[stopped], { then: 'rollback', lost: true }, stopped] as const),
      ['forward'],
    ],
  ] as [string, Forward[], Wishes, object, string[]][])(
    'that %s makes the expected calls',
    async (_name, results, options, end, calls) => {
      const { parts: given, calls: made } = parts(results, options);
      expect(await transaction(given)).toMatchObject(end);
      expect(made).toEqual(calls);
    },
  );
});
