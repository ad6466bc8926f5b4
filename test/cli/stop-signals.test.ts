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

const state = () => ({ stopping: stop.stopping, givenUp: stop.signal.aborted, first });

describe('an interrupt', () => {
  it.each(['SIGINT', 'SIGTERM'])('begins no new step, and the second gives up: %s', (signal) => {
    expect(state()).toEqual({ stopping: false, givenUp: false, first: 0 });
    source.emit(signal);
    expect(state()).toEqual({ stopping: true, givenUp: false, first: 1 });
    source.emit(signal);
    expect(state()).toEqual({ stopping: true, givenUp: true, first: 1 });
    expect(stop.signal.reason).toMatchObject({ code: 'TIMED_OUT', message: 'Interrupted.' });
  });

  it('gives up running steps after ten minutes', () => {
    stop.request();
    vi.advanceTimersByTime(10 * 60_000 - 1);
    expect(stop.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(state()).toEqual({ stopping: true, givenUp: true, first: 1 });
  });

  it('counts as the first again once it was answered', () => {
    stop.request();
    stop.request();
    const before = stop.signal;
    stop.rearm();
    expect(state()).toEqual({ stopping: false, givenUp: false, first: 1 });
    expect(before.aborted).toBe(true);
    stop.request();
    expect(state()).toEqual({ stopping: true, givenUp: false, first: 2 });
  });

  it('that was answered gives up nothing later', () => {
    stop.request();
    stop.rearm();
    vi.advanceTimersByTime(20 * 60_000);
    expect(stop.signal.aborted).toBe(false);
  });
});

it('a terminal that is closed does not end the run', () => {
  source.emit('SIGHUP');
  expect(state()).toEqual({ stopping: false, givenUp: false, first: 0 });
  stop.dispose();
  expect(source.eventNames()).toEqual(['SIGHUP']);
});
