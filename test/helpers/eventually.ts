import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Polls until the check is true. @throws Error when it is still false after the limit */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await check())) {
    if (Date.now() > deadline)
      throw new Error(`Still false after ${String(limitMs / 1000)} s: ${check.toString()}`);
    await sleep(POLL_MS);
  }
}
