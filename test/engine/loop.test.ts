import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { Template } from '../../src/core/value.ts';
import { emptyStep, type HostStep } from '../../src/engine/host-step.ts';
import {
  combineItems,
  endsLoop,
  itemsOf,
  labelOf,
  recordedItem,
  withItem,
} from '../../src/engine/loop.ts';
import { storeRecord } from '../../src/journal/codec.ts';
import type { JournalRecord, ResultRecord } from '../../src/journal/records.ts';
import { Scope } from '../../src/template/scope.ts';
import { Redactor } from '../../src/util/redact.ts';
import { refusal } from '../helpers/records.ts';
import { conditionsOf, taskOf } from '../helpers/tasks.ts';

const scope = new Scope([{ name: 'play', values: { many: ['a', 'b'], one: 'a' } }]);
const ok: Outcome = { is: 'ok', result: { rc: 0 } };
const failed: Outcome = { is: 'failed', failure: refusal('no'), result: { rc: 1 }, changed: false };

describe('the items of a loop', () => {
  it('are the rendered list, and undefined without a loop', () => {
    expect(itemsOf(taskOf(), scope)).toBeUndefined();
    expect(itemsOf(taskOf({ loop: new Template('{{many}}') }), scope)).toEqual(['a', 'b']);
    expect(itemsOf(taskOf({ loop: [] }), scope)).toEqual([]);
  });

  it.each([
    [new Template('{{one}}'), '"loop" must be a list, not string.'],
    [null, '"loop" must be a list, not null.'],
    [new Template('{{none}}'), '"none" is not defined'],
  ])('fail the task if they are not a list: %j', (loop, message) => {
    expect(itemsOf(taskOf({ loop }), scope)).toMatchObject({
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([
    ['text', 'text'],
    [{ name: 'by its name', size: 1 }, 'by its name'],
    [{ size: 1 }, '{"size":1}'],
    [{ name: 7 }, '{"name":7}'],
    [[1], '[1]'],
    [7, '7'],
  ])('have a short label: %j', (item, label) => {
    expect(labelOf(taskOf(), item, scope)).toBe(label);
    expect(labelOf(taskOf({ label: new Template('of {{one}}') }), item, scope)).toBe('of a');
  });

  it('are added to their results', () => {
    expect(withItem(ok, 'item', 'a')).toEqual({ is: 'ok', result: { rc: 0, item: 'a' } });
    expect(withItem(ok, 'item', undefined)).toBe(ok);
    const unknown: Outcome = { is: 'predicted', change: 'cannot tell' };
    expect(withItem(unknown, 'item', 'a')).toBe(unknown);
  });

  it('after a failure are skipped with "on_error: stop", unless it is ignored', () => {
    const part = emptyStep(failed);
    expect(endsLoop(taskOf(), part, scope)).toBe(false);
    const task = taskOf({ loopStops: true });
    expect(endsLoop(task, part, scope)).toBe(true);
    expect(endsLoop(task, { ...part, ignored: true }, scope)).toBe(false);
    expect(endsLoop(task, emptyStep(ok), scope)).toBe(false);
  });

  it('after a result for which "break_when" is true are skipped', () => {
    const task = taskOf({ breakWhen: conditionsOf('result.rc == 0', 'r.rc == 0'), register: 'r' });
    expect(endsLoop(task, emptyStep(ok), scope)).toBe(true);
    expect(endsLoop(task, emptyStep(failed), scope)).toBe(false);
    const unknown: Outcome = { is: 'predicted', change: 'cannot tell' };
    expect(endsLoop(task, emptyStep(unknown), scope)).toBe(false);
  });
});

describe('a recorded item', () => {
  const secrets = new Redactor();
  const item = { item: 'a', secrets };
  const recorded = (more: Partial<ResultRecord>): ResultRecord<'stored'> => {
    const record: JournalRecord = {
      ...{ t: 'result', unit: 7, step: 1, host: 'h1', durationMs: 1, state: 'changed', item: 'a' },
      ...more,
    };
    return storeRecord(record, secrets) as ResultRecord<'stored'>;
  };

  it('does not run again, and keeps its result', () => {
    const known = recordedItem(taskOf(), recorded({ value: { rc: 0 } }), item);
    expect(known).toMatchObject({
      outcome: { is: 'changed', result: { rc: 0, item: 'a' } },
      hasChanged: true,
    });
    const plain = recordedItem(taskOf(), recorded({ state: 'ok' }), item);
    expect(plain).toMatchObject({ outcome: { is: 'ok' }, hasChanged: false });
    const skipped = recordedItem(taskOf(), recorded({ state: 'skipped' }), item);
    expect(skipped?.outcome).toMatchObject({ is: 'skipped', result: { skipped: true } });
  });

  it.each([
    ['it failed', { state: 'failed' }],
    ['its outcome is unknown', { state: 'unknown' }],
    ['its failure was ignored', { ignored: true }],
    ['another item has its position', { item: 'b' }],
    ['its item was not recorded', { item: undefined }],
  ] as [string, Partial<ResultRecord>][])('runs again if %s', (_, more) => {
    expect(recordedItem(taskOf(), recorded(more), item)).toBeUndefined();
  });

  it('runs if there is no record', () => {
    expect(recordedItem(taskOf(), undefined, item)).toBeUndefined();
  });
});

it('combines items into one step, in which the last value of a fact counts', () => {
  const part = (name: string, hasChanged: boolean): HostStep => ({
    ...emptyStep(ok),
    ...{ setFacts: { last: name, [name]: 1 }, hasChanged, groups: [name], leftGroups: ['old'] },
    addHosts: [{ name, groups: [], vars: {} }],
    delegatedFacts: [{ host: 'h2', facts: { of: name } }],
    included: [{ source: name, part: name }],
  });
  expect(combineItems([part('a', true), part('b', false)], ['a', 'b'])).toMatchObject({
    outcome: { is: 'changed', result: { count: 2 } },
    setFacts: { last: 'b', a: 1, b: 1 },
    hasChanged: true,
    groups: ['a', 'b'],
    leftGroups: ['old', 'old'],
    addHosts: [{ name: 'a' }, { name: 'b' }],
    delegatedFacts: [{ facts: { of: 'a' } }, { facts: { of: 'b' } }],
    included: ['a', 'b'].map((name) => ({ source: name, part: name })),
  });
  expect(combineItems([part('a', false)], ['a']).outcome.is).toBe('ok');
});
