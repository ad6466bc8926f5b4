import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.ts';
import {
  conceal,
  exitCode,
  failureIn,
  hasChanged,
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
    [needsRealRun, 'unknown', false, 'depends on a value that only a real run can give'],
  ])('%j is %s in displays; changed: %s; says: %s', (outcome, state, changed, message) => {
    expect(stateOf(outcome)).toBe(state);
    expect(hasChanged(outcome)).toBe(changed);
    expect(messageOf(outcome)).toBe(message);
  });

  it('registers its result, that it was skipped, or nothing', () => {
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
    // Without an exit code the module or runner itself has refused.
    expect(conceal({ is: 'unreachable', failure, result: {} })).toMatchObject({ failure });
  });

  it('has the failure and the exit code of its last action', () => {
    expect(failureIn({ is: 'unreachable', failure, result: {} })).toBe(failure);
    expect(failureIn({ is: 'ok', result })).toBeUndefined();
    expect(exitCode({ is: 'ok', result })).toBe(2);
    expect(exitCode({ is: 'ok', result: { rc: '2' } })).toBeUndefined();
  });
});
