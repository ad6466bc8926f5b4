import { describe, expect, it } from 'vitest';
import { JournalError } from '../../src/core/errors.ts';
import { messageOf } from '../../src/core/outcome.ts';
import { hostError } from '../../src/engine/host-error.ts';
import { emptyStep, type HostStep } from '../../src/engine/host-step.ts';
import { onHost } from '../../src/engine/on-host.ts';
import type { TaskNode } from '../../src/language/document.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { refusal, stepInfo } from '../helpers/records.ts';
import { conditionsOf, hostOf, placeOf, taskOf } from '../helpers/tasks.ts';

type Work = (item: string) => Promise<HostStep>;

/** A change that sets a fact with the name of the item. */
const change: Work = (item) =>
  Promise.resolve({
    ...emptyStep({ is: 'changed', result: { rc: 0, changed: true } }),
    ...{ hasChanged: true, setFacts: { [item]: true } },
  });
const boom = (): never => {
  throw new RangeError('boom');
};

/** Runs a loop on h1, and returns which of its items started. */
async function overItems(
  task: Partial<TaskNode>,
  work: Work,
  scope: () => Scope = () => new Scope([]),
): Promise<{ part: HostStep; began: string[] }> {
  const began: string[] = [];
  const part = await onHost(
    {
      items: {
        run: ({ item }) => {
          began.push(String(item));
          return work(String(item));
        },
        include: boom,
        end: () => undefined,
        notRun: (step, _host, error) => {
          const failure = refusal(hostError(error, step).message);
          return emptyStep({ is: 'failed', failure, result: {}, changed: false });
        },
      },
      ...{ variables: { scope }, redactor: new Redactor(), sealer: undefined },
      pause: () => Promise.resolve(),
    },
    { task: taskOf(task), step: stepInfo(1), place: placeOf(), entry: undefined },
    hostOf('h1'),
  );
  return { part, began };
}

const loop = ['a', 'b', 'c'];

describe('an unexpected error', () => {
  const failsOnB: Work = (item) =>
    item === 'b' ? Promise.reject(new Error('boom')) : change(item);

  it('in one item fails that item, and the others run', async () => {
    const { part, began } = await overItems({ loop }, failsOnB);
    expect(began).toEqual(loop);
    expect(messageOf(part.outcome)).toContain('Internal error in "copy": boom.');
    expect(part).toMatchObject({ hasChanged: true, setFacts: { a: true, c: true } });
  });

  it('in one item ends a loop with "on_error: stop"', async () => {
    const { began } = await overItems({ loop, loopStops: true }, failsOnB);
    expect(began).toEqual(['a', 'b']);
  });

  it('before the items fails the step on the host', async () => {
    const { part, began } = await overItems({ loop }, change, boom);
    expect(began).toEqual([]);
    expect(messageOf(part.outcome)).toContain('Internal error in "copy": boom.');
  });

  it('of the journal is thrown', async () => {
    const full = overItems({ loop }, () => Promise.reject(new JournalError('full')));
    await expect(full).rejects.toThrow('full');
  });
});

it('fails the step and ends the loop if break_when cannot be evaluated, and keeps finished items', async () => {
  const breakWhen = conditionsOf('result.nothing.deeper == 1');
  const { part, began } = await overItems({ loop, breakWhen }, change);
  expect(began).toEqual(['a']);
  expect(messageOf(part.outcome)).toContain('nothing');
  expect(part).toMatchObject({ hasChanged: true, setFacts: { a: true } });
});
