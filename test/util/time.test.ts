import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { after, LONGEST_TIMER_MS, sleep } from '../../src/util/time.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a delay that is longer than a system timer supports', () => {
  const long = 3 * LONGEST_TIMER_MS + 5;

  it('ends after its full time', async () => {
    const work = vi.fn();
    after(long, work);
    await vi.advanceTimersByTimeAsync(long - 1);
    expect(work).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledOnce();
  });

  it('can be canceled at any time', async () => {
    const work = vi.fn();
    const cancel = after(long, work);
    await vi.advanceTimersByTimeAsync(2 * LONGEST_TIMER_MS);
    cancel();
    await vi.advanceTimersByTimeAsync(long);
    expect(work).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be infinite', async () => {
    const work = vi.fn();
    after(Number.POSITIVE_INFINITY, work);
    await vi.advanceTimersByTimeAsync(long);
    expect(work).not.toHaveBeenCalled();
  });

  it('also works for pauses', async () => {
    const done = vi.fn();
    void sleep(long).then(done);
    await vi.advanceTimersByTimeAsync(long - 1);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledOnce();
  });
});
