import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { after, LONGEST_TIMER_MS, sleep } from '../../src/util/time.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a wait that is longer than a timer of the system', () => {
  const long = 3 * LONGEST_TIMER_MS + 5;

  it('ends when its time has come', async () => {
    const work = vi.fn();
    after(long, work);
    await vi.advanceTimersByTimeAsync(long - 1);
    expect(work).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledOnce();
  });

  it('can be ended at any time', async () => {
    const work = vi.fn();
    const cancel = after(long, work);
    await vi.advanceTimersByTimeAsync(2 * LONGEST_TIMER_MS);
    cancel();
    await vi.advanceTimersByTimeAsync(long);
    expect(work).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may have no end', async () => {
    const work = vi.fn();
    after(Number.POSITIVE_INFINITY, work);
    await vi.advanceTimersByTimeAsync(long);
    expect(work).not.toHaveBeenCalled();
  });

  it('holds for pauses, too', async () => {
    const done = vi.fn();
    void sleep(long).then(done);
    await vi.advanceTimersByTimeAsync(long - 1);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledOnce();
  });
});
