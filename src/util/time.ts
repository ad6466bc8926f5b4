import type { Clock } from '../core/ports.ts';

/** A timer of the system that is set for longer ends at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Does the work after any time, infinity included. Returns what ends the wait. */
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
    const onAbort = () => {
      cancel();
      if (signal) reject(abortReason(signal));
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
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

/** Such as "3 h", by the largest unit that fits. */
export function ageInWords(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ];
  const [length, unit] = units.find(([one]) => ms >= one) ?? [1000, 's'];
  return `${String(Math.max(0, Math.floor(ms / length)))} ${unit}`;
}
