import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.ts';
import {
  combine,
  conceal,
  exitCode,
  failureIn,
  hasChanged,
  isUncertain,
  messageOf,
  needsRealRun,
  resultOf,
  stateOf,
  type Outcome,
} from '../../src/core/outcome.ts';

const failure: Failure = { kind: 'refused', message: 'no' };
const result = { rc: 2, msg: 'said' };

describe('an outcome', () => {
  it.each<[Outcome, string, boolean, string | undefined]>([
    [{ is: 'ok', result }, 'ok', false, 'said'],
    [{ is: 'ok', result, why: 'left out' }, 'ok', false, 'left out'],
    [{ is: 'changed', result: {} }, 'changed', true, undefined],
    [{ is: 'skipped' }, 'skipped', false, undefined],
    [{ is: 'failed', failure, result, changed: true }, 'failed', true, 'no'],
    [{ is: 'failed', failure, result, changed: false }, 'failed', false, 'no'],
    [{ is: 'unreachable', failure, result }, 'unreachable', false, 'no'],
    [{ is: 'unknown', failure, result }, 'unknown', false, 'no'],
    [{ is: 'predicted', change: true, why: 'w' }, 'changed', true, 'w'],
    [{ is: 'predicted', change: false, result }, 'ok', false, 'said'],
    [needsRealRun, 'unknown', false, 'depends on a value that only a real run provides'],
  ])('%j is %s in displays; changed: %s; says: %s', (outcome, state, changed, message) => {
    expect(stateOf(outcome)).toBe(state);
    expect(hasChanged(outcome)).toBe(changed);
    expect(messageOf(outcome)).toBe(message);
  });

  it('registers its result, a skip, or nothing', () => {
    expect(resultOf({ is: 'ok', result })).toBe(result);
    expect(resultOf({ is: 'skipped' })).toEqual({ skipped: true, changed: false, failed: false });
    expect(resultOf(needsRealRun)).toBeUndefined();
  });

  it('of a task with no_log keeps its result for later steps, and does not show it', () => {
    const shown = conceal({ is: 'ok', result });
    expect(shown).toMatchObject({ is: 'ok', result });
    expect(messageOf(shown)).toBeUndefined();
    const failed = conceal({ is: 'failed', failure, result, changed: true });
    expect(failed).toMatchObject({ is: 'failed', failure: { kind: 'hidden' }, changed: true });
    const away: Failure = { kind: 'connect', stage: 'lost', retryable: true, message: 'no answer' };
    expect(conceal({ is: 'unreachable', failure: away, result: {} })).toMatchObject({
      failure: away,
    });
  });

  it('has the failure and the exit code of its last action', () => {
    expect(failureIn({ is: 'unreachable', failure, result: {} })).toBe(failure);
    expect(failureIn({ is: 'ok', result })).toBeUndefined();
    expect(exitCode({ is: 'ok', result })).toBe(2);
    expect(exitCode({ is: 'ok', result: { rc: '2' } })).toBeUndefined();
  });
});

describe('the combined items of a loop', () => {
  const part = (outcome: Outcome, ignored = false) => ({
    ...{ outcome, ignored: ignored && failureIn(outcome) !== undefined },
    changed: hasChanged(outcome),
  });
  const failed = (message: string): Outcome => ({
    ...{ is: 'failed', failure: { kind: 'refused', message }, result: {}, changed: false },
  });
  const ok: Outcome = { is: 'ok', result: { n: 1 } };
  const changed: Outcome = { is: 'changed', result: { n: 2 } };
  const lost: Outcome = { is: 'unknown', failure, result: {} };

  it('register all results', () => {
    expect(combine([part(ok), part(changed)], 2)).toEqual({
      ignored: false,
      outcome: {
        is: 'changed',
        result: {
          ...{ results: [{ n: 1 }, { n: 2 }], changed: true, failed: false },
          ...{ skipped: false, count: 2 },
        },
      },
    });
    expect(combine([], 0).outcome).toMatchObject({ is: 'skipped', result: { results: [] } });
  });

  it('fail with the last failure that is not ignored', () => {
    const all = [part(failed('a')), part(failed('b')), part(failed('c'), true), part(ok)];
    expect(combine(all, 4)).toMatchObject({
      outcome: { failure: { message: 'b' } },
      ignored: false,
    });
    expect(combine([part(failed('a'), true), part(ok)], 2)).toMatchObject({
      ...{ outcome: { is: 'failed', failure: { message: 'a' } }, ignored: true },
    });
  });

  it('have no result if one item has none, and are hidden if one item is hidden', () => {
    const predicted = part({ is: 'predicted', change: true });
    expect(combine([part(ok), predicted], 2).outcome).toEqual({ is: 'predicted', change: true });
    expect(combine([part(failed('a'), true), predicted], 2).outcome).not.toHaveProperty('result');
    expect(combine([part(conceal(ok))], 1).outcome.hidden).toBe(true);
  });

  it('combine the state and the flags of all items', () => {
    const outcomes = fc.constantFrom<Outcome>(
      ...[ok, changed, lost, failed('a'), needsRealRun, { is: 'skipped' } as const],
      ...([
        { is: 'unreachable', failure, result: {} },
        { is: 'predicted', change: true },
      ] as const),
    );
    const parts = fc.array(fc.record({ outcome: outcomes, ignored: fc.boolean() }));
    fc.assert(
      fc.property(parts, (list) => {
        const all = list.map(({ outcome, ignored }) => part(outcome, ignored));
        const { outcome, ignored } = combine(all, all.length);
        const failures = all.filter((one) => failureIn(one.outcome));
        expect(failureIn(outcome) !== undefined).toBe(failures.length > 0);
        expect(ignored).toBe(failures.length > 0 && failures.every((one) => one.ignored));
        const open = all.some((one) => ['unreachable', 'unknown'].includes(one.outcome.is));
        if (open || failures.length === 0)
          expect(isUncertain(outcome)).toBe(all.some((one) => isUncertain(one.outcome)));
        if (failures.length === 0 && !isUncertain(outcome))
          expect(hasChanged(outcome)).toBe(all.some((one) => one.changed));
        const known = all.every((one) => resultOf(one.outcome));
        expect(resultOf(outcome)?.['count']).toBe(known ? all.length : undefined);
      }),
    );
  });
});
