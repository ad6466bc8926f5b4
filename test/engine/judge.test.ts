import { describe, expect, it } from 'vitest';
import { TaskError } from '../../src/core/errors.ts';
import type { Failure } from '../../src/core/failure.ts';
import { Condition } from '../../src/core/value.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { hasChanged, messageOf, needsRealRun, type Outcome } from '../../src/core/outcome.ts';
import {
  judge,
  simulated,
  untilUnmet,
  verdict,
  wantsRetry,
  type Holds,
} from '../../src/engine/judge.ts';

const refused: Failure = { kind: 'refused', message: 'said' };
const timeout: Failure = { kind: 'timeout', message: 'too long' };
const template: Failure = { kind: 'template', message: 'no such name' };
const command: Failure = { kind: 'command', action: 'exec /bin/false', code: 1, output: '' };
const outcomes = {
  ok: { is: 'ok', result: { msg: 'said' } },
  changed: { is: 'changed', result: {} },
  failed: { is: 'failed', failure: refused, result: { msg: 'said' }, changed: false },
  unreachable: { is: 'unreachable', failure: refused, result: {} },
  unknown: { is: 'unknown', failure: timeout, result: {} },
  'timed out': { is: 'failed', failure: timeout, result: {}, changed: false },
  predicted: { is: 'predicted', change: true, result: {} },
  skipped: { is: 'skipped' },
} satisfies Record<string, Outcome>;

const always: Holds = () => true;
const never: Holds = () => false;
const broken: Holds = () => {
  throw new TaskError('no such name', { at: { file: 'p.yml', line: 3, column: 7 } });
};

describe('changed_when, failed_when and read_only', () => {
  type Said = Parameters<typeof verdict>[0];
  const silent: Said = { changedWhen: undefined, failedWhen: undefined, readOnly: false };
  const failedWhen = { ...silent, failedWhen: [new Condition('bad')] };
  const changedWhen = { ...silent, changedWhen: [new Condition('new')] };
  const readOnly = { ...silent, readOnly: true };

  it.each<[string, keyof typeof outcomes, Said, Holds, string]>([
    ['failed_when', 'ok', failedWhen, always, 'failed'],
    ['failed_when', 'failed', failedWhen, always, 'failed'],
    ['failed_when', 'failed', failedWhen, never, 'ok'],
    ['changed_when', 'ok', changedWhen, always, 'changed'],
    ['changed_when', 'changed', changedWhen, never, 'ok'],
    ['changed_when', 'failed', changedWhen, always, 'failed changed'],
    ['read_only', 'changed', readOnly, never, 'ok'],
    ['no condition', 'changed', silent, never, 'changed'],
    // Without a result there is nothing to judge.
    ['failed_when', 'unreachable', failedWhen, never, 'unreachable'],
    ['failed_when', 'unknown', failedWhen, never, 'unknown'],
    ['failed_when', 'timed out', failedWhen, never, 'failed'],
    ['failed_when', 'predicted', failedWhen, always, 'predicted changed'],
    ['changed_when', 'predicted', changedWhen, never, 'predicted changed'],
    ['failed_when', 'skipped', failedWhen, always, 'skipped'],
  ])('%s for the outcome "%s"', (_title, said, task, holds, expected) => {
    const judged = verdict(task, outcomes[said], { holds });
    const changed = judged.is !== 'changed' && hasChanged(judged) ? ' changed' : '';
    expect(`${judged.is}${changed}`).toBe(expected);
  });

  it('read the result, and set its "changed" and "failed"', () => {
    const seen: JsonObject[] = [];
    const holds: Holds = (_conditions, result) => seen.push(result) > 0;
    const task = {
      ...silent,
      changedWhen: [new Condition('new')],
      failedWhen: [new Condition('bad')],
    };
    expect(verdict(task, outcomes.ok, { holds })).toEqual({
      ...{ is: 'failed', changed: true, result: { msg: 'said', changed: true, failed: true } },
      failure: { kind: 'condition', of: 'failed_when', text: 'bad', tries: 1, said: 'said' },
    });
    expect(seen).toEqual([{ msg: 'said' }, { msg: 'said' }]);
  });

  it('keep the failure of the module if they are true', () => {
    const judged = verdict(failedWhen, outcomes.failed, { holds: always });
    expect(judged).toMatchObject({ is: 'failed', failure: refused });
  });

  it.each([changedWhen, failedWhen])('fail the task if they cannot be evaluated', (task) => {
    const judged = verdict(task, outcomes.changed, { holds: broken });
    expect(judged).toMatchObject({
      ...{ is: 'failed', changed: true, result: { msg: 'p.yml:3:7: no such name', failed: true } },
      failure: { kind: 'condition', error: { kind: 'refused', message: 'no such name' } },
    });
    const lost = verdict(task, outcomes.changed, { holds: broken, isLost: true });
    expect(messageOf(lost)).toBe(
      'The step finished before the run was interrupted, but its output was lost: p.yml:3:7: no such name',
    );
  });
});

describe('a retry', () => {
  const until = { until: [new Condition('ready')] };
  const once = { until: [] };

  it.each<[keyof typeof outcomes, typeof until | typeof once, number, Holds, boolean]>([
    ['ok', until, 0, never, true],
    ['ok', until, 0, always, false],
    ['ok', until, 0, broken, true],
    ['failed', until, 3, always, false],
    ['failed', once, 3, always, true],
    ['failed', once, 0, always, false],
    ['ok', once, 3, never, false],
    ['timed out', until, 3, never, false],
    ['unreachable', until, 3, never, false],
    ['unknown', once, 3, never, false],
    ['skipped', until, 3, never, false],
  ])('follows the outcome "%s" with %j and %i retries', (said, task, retries, holds, expected) => {
    expect(wantsRetry(task, outcomes[said], { retries, holds })).toBe(expected);
  });

  it('throws internal errors of conditions', () => {
    const holds: Holds = () => {
      throw new Error('a bug');
    };
    expect(() => wantsRetry(until, outcomes.ok, { retries: 1, holds })).toThrow('a bug');
    expect(() =>
      verdict(
        { changedWhen: [new Condition('x')], failedWhen: undefined, readOnly: false },
        outcomes.ok,
        {
          holds,
        },
      ),
    ).toThrow('a bug');
  });

  it('reports the last answer if "until" stays false', () => {
    const after = (outcome: Outcome) =>
      messageOf(untilUnmet({ until: [new Condition('a'), new Condition('b')] }, outcome, 5));
    const sentence = 'Condition still false after 5 attempts: a and b.';
    expect(after(outcomes.ok)).toBe(`${sentence} Last result: said`);
    expect(after(outcomes.changed)).toBe(sentence);
    expect(after({ ...outcomes.failed, failure: command })).toBe(
      `${sentence} Last result: Command failed with exit code 1 and no output: /bin/false`,
    );
  });

  it.each(['unreachable', 'unknown', 'predicted'] as const)(
    'does not change the outcome "%s"',
    (said) => {
      expect(untilUnmet(until, outcomes[said], 5)).toBe(outcomes[said]);
    },
  );

  it('counts as success if "failed_when" is false', () => {
    const unmet = untilUnmet(until, outcomes.changed, 2);
    const task = { changedWhen: undefined, failedWhen: [new Condition('false')], readOnly: false };
    expect(verdict(task, unmet, { holds: never })).toMatchObject({
      ...{
        is: 'changed',
        result: { msg: 'Condition still false after 2 attempts: ready.', failed: false },
      },
    });
  });
});

describe('check_mode: true in a real run', () => {
  it('registers the predicted change, and reports the host as unchanged', () => {
    expect(simulated({ is: 'predicted', change: true, result: { changed: true } })).toEqual({
      ...{ is: 'ok', result: { changed: true } },
    });
    expect(simulated({ ...outcomes.failed, changed: true })).toEqual(outcomes.failed);
    expect(simulated(needsRealRun)).toBe(needsRealRun);
  });
});

describe('the outcome of a step', () => {
  const strict = { ignoreErrors: false, ignoreUnreachable: false };
  const live = { predicted: false, injected: false, stopping: false };

  it.each([
    ['failed', { ...strict, ignoreErrors: true }, true],
    ['failed', { ...strict, ignoreUnreachable: true }, false],
    ['unreachable', { ...strict, ignoreErrors: true }, false],
    ['unreachable', { ...strict, ignoreUnreachable: true }, true],
    ['unknown', { ...strict, ignoreErrors: true }, true],
    ['ok', { ignoreErrors: true, ignoreUnreachable: true }, false],
  ] as const)('"%s" with %j is ignored: %s', (said, task, ignored) => {
    expect(judge(task, outcomes[said], live)).toEqual({ outcome: outcomes[said], ignored });
  });

  it.each<[string, Failure]>([
    ['a template error', template],
    [
      'a template error in the last attempt',
      { kind: 'condition', of: 'until', text: 'ready', tries: 2, last: template },
    ],
  ])('is never ignored for a playbook error: %s', (_title, failure) => {
    const task = { ...strict, ignoreErrors: true };
    expect(judge(task, { ...outcomes.failed, failure }, live).ignored).toBe(false);
  });

  it('is never ignored during an interruption, which may be why the step failed', () => {
    const lenient = { ignoreErrors: true, ignoreUnreachable: true };
    for (const said of ['failed', 'unreachable', 'unknown'] as const)
      expect(judge(lenient, outcomes[said], { ...live, stopping: true }).ignored).toBe(false);
  });

  it('is always failed for the --fail-at step', () => {
    const injected = { ...live, injected: true };
    expect(judge(strict, outcomes.changed, injected)).toEqual({
      outcome: { is: 'failed', failure: { kind: 'injected' }, result: {}, changed: true },
      ignored: false,
    });
  });

  it('is unknown in check mode if a step fails after a predicted change', () => {
    const predicted = { ...live, predicted: true };
    expect(judge(strict, outcomes.failed, predicted)).toEqual({
      outcome: {
        ...{ is: 'predicted', change: 'cannot tell' },
        why: 'cannot be predicted: said',
      },
      ignored: false,
    });
    for (const said of ['unreachable', 'unknown', 'ok'] as const)
      expect(judge(strict, outcomes[said], predicted).outcome).toBe(outcomes[said]);
  });
});
