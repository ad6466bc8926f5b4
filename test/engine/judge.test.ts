import { describe, expect, it } from 'vitest';
import { judge } from '../../src/engine/judge.ts';
import type { UnitOutcome } from '../../src/engine/unit.ts';
import { unknownValue } from '../../src/template/scope.ts';

const outcome = (state: UnitOutcome['state'], more: Partial<UnitOutcome> = {}): UnitOutcome => ({
  ...{ state, result: {}, changed: false, message: 'said', rc: undefined, actions: [] },
  failed: state === 'failed' || state === 'unreachable' || state === 'unknown',
  ...{ setFacts: undefined, joinGroups: undefined, leaveGroups: undefined, addHosts: undefined },
  ...{ diff: undefined, undo: undefined, ...more },
});
const strict = { ignoreErrors: false, ignoreUnreachable: false };
const live = { predicted: false, injected: false };

describe('the verdict on a step', () => {
  it.each([
    ['failed', { ...strict, ignoreErrors: true }, true],
    ['failed', { ...strict, ignoreUnreachable: true }, false],
    ['unreachable', { ...strict, ignoreErrors: true }, false],
    ['unreachable', { ...strict, ignoreUnreachable: true }, true],
    ['unknown', { ...strict, ignoreErrors: true }, true],
    ['ok', { ignoreErrors: true, ignoreUnreachable: true }, false],
  ] as const)('of %s with %j ignores the failure: %s', (state, task, ignored) => {
    expect(judge(task, outcome(state), live)).toMatchObject({ state, ignored });
  });

  it('never ignores a mistake of the playbook', () => {
    const task = { ...strict, ignoreErrors: true };
    const verdict = judge(task, outcome('failed', { mistake: true }), live);
    expect(verdict).toMatchObject({ failed: true, ignored: false });
  });

  it('fails the step of --fail-at, whatever it did', () => {
    const verdict = judge(strict, outcome('changed', { changed: true }), {
      ...live,
      injected: true,
    });
    expect(verdict).toMatchObject({ state: 'failed', failed: true, changed: true });
  });

  it('cannot tell in check mode whether a step fails after one that was only predicted', () => {
    const predicted = { ...live, predicted: true };
    expect(judge(strict, outcome('failed'), predicted)).toMatchObject({
      ...{ state: 'unknown', failed: false, result: unknownValue },
      message: 'cannot be told before the run: said',
    });
    expect(judge(strict, outcome('unreachable'), predicted)).toMatchObject({ failed: true });
    expect(judge(strict, outcome('ok'), predicted)).toMatchObject({ state: 'ok' });
  });

  it('leaves the outcome as the unit gave it', () => {
    const said = outcome('failed');
    judge(strict, said, { predicted: true, injected: true });
    expect(said).toEqual(outcome('failed'));
  });
});
