import { expect, it } from 'vitest';
import { FailAt } from '../../src/engine/fail-at.ts';

it('fails the --fail-at step once, in a loop at the first item', () => {
  const failAt = new FailAt('p/nodes/each/drain');
  expect(failAt.isNow('p/nodes/1-w1/uncordon')).toBe(false);
  expect(failAt.hasFailed).toBe(false);
  expect(failAt.isNow('p/nodes/1-w1/drain')).toBe(true);
  expect(failAt.isNow('p/nodes/2-w2/drain')).toBe(false);
  expect(failAt.hasFailed).toBe(true);
});

it('fails no step without --fail-at', () => {
  const failAt = new FailAt(undefined);
  expect([failAt.isNow(''), failAt.isNow('p/a'), failAt.hasFailed]).toEqual([false, false, false]);
});
