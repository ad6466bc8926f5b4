import type { Clock } from '../core/ports.ts';
import { onAbort } from './abort.ts';

/** Longest delay of a system timer; a longer one fires immediately. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Runs the function after a delay of any length, including infinity. Returns a function that cancels it. */
export function after(ms: number, work: () => void): () => void {
  let left = ms;
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    const part = Math.min(left, LONGEST_TIMER_MS);
    left -= part;
    timer = setTimeout(left > 0 ? next : work, part);
  };
  next();
  return () => {
    clearTimeout(timer);
  };
}

/** Resolves after the delay, or rejects with the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const forget = onAbort(signal, () => {
      cancel();
      if (signal) reject(abortReason(signal));
    });
    const cancel = after(ms, () => {
      forget();
      resolve();
    });
  });
}

/** The time of this machine. */
export const systemClock: Clock = { now: () => Date.now(), sleep, every };

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms).unref();
  return () => {
    clearInterval(timer);
  };
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('Interrupted.');
}

/** Text such as "3 h", in the largest unit that fits. */
export function ageInWords(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ];
  const [length, unit] = units.find(([one]) => ms >= one) ?? [1000, 's'];
  return `${String(Math.max(0, Math.floor(ms / length)))} ${unit}`;
}
