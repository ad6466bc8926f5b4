import { describe, expect, it } from 'vitest';
import type { Effect, Module } from '../../src/core/module.ts';
import { finishedOutcome, runsAgain } from '../../src/engine/finished.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { conditionsOf, taskOf } from '../helpers/tasks.ts';

const moduleOf = (effect: Effect): Module => ({
  ...{ name: 'copy', summary: '', args: { type: 'object' }, effect },
  plan: () => ({ actions: [] }),
});
const scope = new Scope([]);

describe('a change that finished before the run was interrupted', () => {
  it.each([
    [{}, false],
    [{ register: 'r' }, true],
    [{ changedWhen: conditionsOf('true') }, true],
    [{ failedWhen: conditionsOf('false') }, true],
    [{ breakWhen: conditionsOf('true') }, true],
  ] as [Partial<TaskNode>, boolean][])(
    'runs again if its result is needed and the module is idempotent: %j',
    (task, again) => {
      expect(runsAgain(taskOf(task), moduleOf('restores'), false)).toBe(again);
      expect(runsAgain(taskOf(task), moduleOf('changes'), false)).toBe(false);
      // Steps after a point of no return must be repeatable.
      expect(runsAgain(taskOf(task), moduleOf('changes'), true)).toBe(again);
    },
  );

  it('runs again if the task has retries', () => {
    const module = moduleOf('changes');
    expect(runsAgain(taskOf({ retries: 2 }), module, false)).toBe(true);
    expect(runsAgain(taskOf({ until: conditionsOf('true') }), module, false)).toBe(true);
  });

  it('has the exit code 0 and no output', () => {
    const outcome = finishedOutcome(taskOf(), scope);
    expect(outcome).toMatchObject({ is: 'changed', result: { rc: 0, changed: true } });
    expect(outcome).toMatchObject({ why: expect.stringContaining('not run again') as string });
    expect(finishedOutcome(taskOf({ changedWhen: conditionsOf('result.rc == 1') }), scope).is).toBe(
      'ok',
    );
  });

  it('fails if a condition reads its output, which is lost', () => {
    const task = taskOf({ failedWhen: conditionsOf('"x" in result.stdout') });
    expect(finishedOutcome(task, scope)).toMatchObject({
      is: 'failed',
      failure: { kind: 'condition', of: 'failed_when', answer: 'lost' },
    });
  });
});
