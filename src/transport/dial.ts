import { ConnectError, errorMessage, type ConnectStage } from '../core/errors.ts';
import type { Clock, Random } from '../core/ports.ts';
import { trace } from '../util/trace.ts';
import type { Line } from './line.ts';

/** A host that refuses or is busy is tried again for so many connect time limits; one that answers nothing, once more. */
const PATIENCE = 3;
const PAUSE_MS = { first: 250, longest: 8000 };
/** A name that does not resolve or a port where nothing listens seldom comes back at once. */
const REFUSED_TRIES = 3;
const unanswered: readonly ConnectStage[] = ['resolve', 'connect'];

/**
 * Connects to a host, again while that can help.
 * @param signal no further attempt is made once it is given
 * @throws ConnectError of the last attempt
 */
export async function dialPatiently(
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
  const deadline = clock.now() + PATIENCE * connectTimeoutMs;
  let silent = 0;
  for (let attempt = 0; ; attempt++) {
    const began = clock.now();
    try {
      const line = await connect();
      const ms = String(clock.now() - began);
      trace('ssh', () => `${host}: connected, attempt ${String(attempt + 1)}, ${ms} ms`);
      return line;
    } catch (error) {
      trace('ssh', () => `${host}: ${errorMessage(error)}`);
      if (clock.now() - began >= connectTimeoutMs) silent++;
      const again =
        error instanceof ConnectError && error.retryable && silent < 2 && clock.now() < deadline;
      if (!again || (unanswered.includes(error.stage) && attempt >= REFUSED_TRIES)) throw error;
      // Spread, so that many hosts behind one gate do not come back together.
      const pause = Math.min(PAUSE_MS.first * 2 ** attempt, PAUSE_MS.longest);
      await clock
        .sleep(pause * (0.5 + random.bytes(1).readUInt8() / 510), signal)
        .catch(() => undefined);
      if (signal.aborted) throw error;
    }
  }
}
