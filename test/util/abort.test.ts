import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { onAbort } from '../../src/util/abort.ts';

describe('onAbort', () => {
  it('calls each function once, in order, except those that were removed', () => {
    const abort = new AbortController();
    const calls: string[] = [];
    onAbort(abort.signal, () => calls.push('first'));
    const forget = onAbort(abort.signal, () => calls.push('removed'));
    onAbort(abort.signal, () => calls.push('last'));
    forget();
    abort.abort();
    abort.abort();
    expect(calls).toEqual(['first', 'last']);
  });

  it('accepts the same function twice', () => {
    const abort = new AbortController();
    const work = vi.fn();
    onAbort(abort.signal, work);
    onAbort(abort.signal, work)();
    abort.abort();
    expect(work).toHaveBeenCalledOnce();
  });

  it('adds one listener to a signal', () => {
    const { signal } = new AbortController();
    for (let index = 0; index < 20; index++) onAbort(signal, () => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });

  it('ignores a signal that is aborted already, as a listener does', () => {
    const work = vi.fn();
    onAbort(AbortSignal.abort(), work)();
    onAbort(undefined, work)();
    expect(work).not.toHaveBeenCalled();
  });
});
