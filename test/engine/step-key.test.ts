import { expect, it } from 'vitest';
import { keyText, StepKeys, withinPlay } from '../../src/engine/step-key.ts';
import { placeOf, playOf } from '../helpers/tasks.ts';

const place = placeOf({ play: playOf({ id: 'upgrade' }), number: 2 });

it('identifies an execution of a step by play, batch, position and host', () => {
  const key = {
    play: 'upgrade',
    batch: 2,
    at: 'section',
    step: 'upgrade/copy',
    ordinal: 1,
  } as const;
  expect(keyText(key)).toBe('upgrade/2/copy#1');
  expect(keyText({ ...key, own: 'h1', at: 'flush:tasks', ordinal: 3 })).toBe(
    'upgrade/2/flush:tasks/copy@h1#3',
  );
  expect(keyText({ ...key, step: 'upgrade-more/copy' })).toBe('upgrade/2/upgrade-more/copy#1');
  expect(withinPlay('upgrade', 'upgrade')).toBe('upgrade');
});

it('counts the executions at the same position', () => {
  const keys = new StepKeys();
  const next = (more = {}, once = false) =>
    keys.next('upgrade/copy', { ...place, ...more }, { once });
  expect([
    next(),
    next(),
    next({ number: 3 }),
    next({ own: 'h1' }),
    next({ at: 'commit:done' }),
    next(),
  ]).toEqual([
    'upgrade/2/copy#1',
    'upgrade/2/copy#2',
    'upgrade/3/copy#1',
    'upgrade/2/copy@h1#1',
    'upgrade/2/commit:done/copy#1',
    'upgrade/2/copy#3',
  ]);
  expect(new StepKeys().next('upgrade/copy', place)).toBe('upgrade/2/copy#1');
});

it('assigns the same key in each batch to a step that runs once for all batches', () => {
  const keys = new StepKeys();
  const next = (number: number) => keys.next('upgrade/copy', { ...place, number }, { once: true });
  expect([next(1), next(2), next(2)]).toEqual(Array(3).fill('upgrade/once/copy#1'));
});
