import { describe, expect, it } from 'vitest';
import type { Plan, RunEffect } from '../../src/core/module.ts';
import { actOnRun, runChanges, runEffect } from '../../src/engine/run-effects.ts';
import type { Signal } from '../../src/journal/signals.ts';
import { SteppingClock } from '../helpers/stepping-clock.ts';

const host = { name: 'h9', groups: [], vars: {} };
const question = { text: 'Continue?', hidden: false };

async function act(
  run: RunEffect[],
  {
    check = false,
    answer,
    stops = false,
  }: { check?: boolean; answer?: string | null; stops?: boolean } = {},
) {
  const clock = new SteppingClock();
  const signals: Signal[] = [];
  const keys: string[] = [];
  const plan: Plan = { actions: [], result: { a: 1 }, run };
  const ask = (key: string) => {
    keys.push(key);
    return Promise.resolve(answer ?? undefined);
  };
  const context = {
    ...{ clock, isStopping: () => stops, signal: new AbortController().signal },
    ask: answer === null ? undefined : ask,
    log: { signal: (one: Signal) => signals.push(one) },
  };
  await actOnRun(context, plan, { check, key: '3_1' });
  return { sleeps: clock.sleeps, result: plan.result, shown: signals, keys };
}

describe('a plan', () => {
  it('pauses the run, but not in check mode', async () => {
    const run: RunEffect[] = [{ kind: 'pause', seconds: 2 }];
    expect((await act(run)).sleeps).toEqual([2000]);
    expect((await act(run, { check: true })).sleeps).toEqual([]);
  });

  it('prompts with one key, and adds the answer to the result', async () => {
    const run: RunEffect[] = [{ kind: 'ask', question }];
    expect(await act(run, { answer: 'yes' })).toMatchObject({
      ...{ result: { a: 1, user_input: 'yes' }, keys: ['3_1'] },
    });
    expect((await act(run, { answer: '' })).result).toMatchObject({ user_input: '' });
    expect((await act(run, { answer: 'yes', check: true })).result).toEqual({ a: 1 });
  });

  it('fails without an answer, and is interrupted if the operator interrupts the prompt', async () => {
    const run: RunEffect[] = [{ kind: 'ask', question }];
    await expect(act(run, { answer: null })).rejects.toThrow('Cannot prompt for input: Continue?');
    await expect(act(run)).rejects.toMatchObject({ code: 'TASK_FAILED' });
    await expect(act(run, { stops: true })).rejects.toMatchObject({ code: 'TIMED_OUT' });
    await expect(act(run, { answer: null, stops: true })).rejects.toMatchObject({
      code: 'TASK_FAILED',
    });
  });

  it('shows a text, in check mode only if the effect allows it', async () => {
    const show = { kind: 'show', title: 'Report', text: 'all' } as const;
    const document = [{ t: 'document', title: 'Report', text: 'all' }];
    expect((await act([show])).shown).toEqual(document);
    expect((await act([show], { check: true })).shown).toEqual([]);
    expect((await act([{ ...show, inCheckMode: true }], { check: true })).shown).toEqual(document);
  });
});

it('collects the changes of a plan in the run by kind', () => {
  const plan: Plan = {
    actions: [],
    run: [
      { kind: 'set-facts', facts: { a: 1 } },
      { kind: 'join-groups', groups: ['web'], leave: ['db'] },
      { kind: 'add-host', host },
      { kind: 'add-host', host: { ...host, name: 'h8' } },
    ],
  };
  expect(runChanges(plan)).toEqual({
    ...{ setFacts: { a: 1 }, joinGroups: ['web'], leaveGroups: ['db'] },
    addHosts: [host, { ...host, name: 'h8' }],
  });
  expect(Object.values(runChanges(undefined)).every((one) => one === undefined)).toBe(true);
  expect(runEffect(plan, 'pause')).toBeUndefined();
});
