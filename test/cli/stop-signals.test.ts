import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StopSignals } from '../../src/cli/stop-signals.ts';

let source: EventEmitter;
let first: number;
let stop: StopSignals;
beforeEach(() => {
  vi.useFakeTimers();
  source = new EventEmitter();
  first = 0;
  stop = new StopSignals(source, () => first++);
});
afterEach(() => {
  stop.dispose();
  vi.useRealTimers();
});

const state = () => ({ stopping: stop.stopping, aborted: stop.signal.aborted, first });

describe('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM'])(
    'starts no new steps, and the second one aborts tasks: %s',
    (signal) => {
      expect(state()).toEqual({ stopping: false, aborted: false, first: 0 });
      source.emit(signal);
      expect(state()).toEqual({ stopping: true, aborted: false, first: 1 });
      source.emit(signal);
      expect(state()).toEqual({ stopping: true, aborted: true, first: 1 });
      expect(stop.signal.reason).toMatchObject({ code: 'TIMED_OUT', message: 'Interrupted.' });
    },
  );

  it('aborts running tasks after ten minutes', () => {
    stop.request();
    vi.advanceTimersByTime(10 * 60_000 - 1);
    expect(stop.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(state()).toEqual({ stopping: true, aborted: true, first: 1 });
  });

  it('counts as the first one again after the prompt was answered', () => {
    stop.request();
    stop.request();
    const before = stop.signal;
    stop.rearm();
    expect(state()).toEqual({ stopping: false, aborted: false, first: 1 });
    expect(before.aborted).toBe(true);
    stop.request();
    expect(state()).toEqual({ stopping: true, aborted: false, first: 2 });
  });

  it('does not abort tasks later if the prompt was answered', () => {
    stop.request();
    stop.rearm();
    vi.advanceTimersByTime(20 * 60_000);
    expect(stop.signal.aborted).toBe(false);
  });
});

it('a closed terminal does not end the run', () => {
  source.emit('SIGHUP');
  expect(state()).toEqual({ stopping: false, aborted: false, first: 0 });
  stop.dispose();
  expect(source.eventNames()).toEqual(['SIGHUP']);
});
