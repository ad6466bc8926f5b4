import { ConnectError, errorMessage, type ConnectStage } from '../core/errors.ts';
import type { Clock, Random } from '../core/ports.ts';
import { trace } from '../util/trace.ts';
import type { Line } from './line.ts';

/** Retries a host that refuses or is busy for this many connect timeouts. A host that does not answer is retried once. */
const RETRY_TIMEOUTS = 3;
const PAUSE_MS = { first: 250, longest: 8000 };
/** Retries for a name that does not resolve or a closed port, which seldom recover quickly. */
const REFUSED_RETRIES = 3;
const slowToRecover: readonly ConnectStage[] = ['resolve', 'connect'];

/**
 * Connects to a host and retries errors that can be temporary.
 * @param signal stops further attempts
 * @throws ConnectError of the last attempt
 */
export async function connectWithRetries(
  host: string,
  connect: () => Promise<Line>,
  {
    clock,
    random,
    connectTimeoutMs,
    signal,
  }: {
    clock: Clock;
    random: Random;
    connectTimeoutMs: number;
    signal: AbortSignal;
  },
): Promise<Line> {
  trace('ssh', () => `${host}: connecting`);
  const deadline = clock.now() + RETRY_TIMEOUTS * connectTimeoutMs;
  let timeouts = 0;
  for (let attempt = 0; ; attempt++) {
    const began = clock.now();
    try {
      const line = await connect();
      const ms = String(clock.now() - began);
      trace('ssh', () => `${host}: connected, attempt ${String(attempt + 1)}, ${ms} ms`);
      return line;
    } catch (error) {
      trace('ssh', () => `${host}: ${errorMessage(error)}`);
      if (clock.now() - began >= connectTimeoutMs) timeouts++;
      const again =
        error instanceof ConnectError && error.retryable && timeouts < 2 && clock.now() < deadline;
      if (!again || (slowToRecover.includes(error.stage) && attempt >= REFUSED_RETRIES))
        throw error;
      // Random delays, so that many hosts behind one gateway do not retry at the same time.
      const pause = Math.min(PAUSE_MS.first * 2 ** attempt, PAUSE_MS.longest);
      await clock
        .sleep(pause * (0.5 + random.bytes(1).readUInt8() / 510), signal)
        .catch(() => undefined);
      if (signal.aborted) throw error;
    }
  }
}
