import { ConnectError, TaskError, TimeoutError } from '../core/errors.ts';
import type { Answer, Connections, Exchange, HostSession, Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';
import type { RecordedRun } from '../journal/recorded-run.ts';
import { FACT_TIMEOUT_MS } from './sessions.ts';

/** Maximum time to wait for a change that may still be running. */
const LIMIT_MS = 10 * 60_000;
const PAUSE_MS = 500;

export interface UnfinishedParts {
  clock: Pick<Clock, 'now' | 'sleep'>;
  /** Its state is read when the run first contacts a host. */
  log: { readonly state: Pick<RecordedRun, 'units'> };
  isStopping: () => boolean;
}

/**
 * Connections that never run two changes of a run on a host at the same time. If the answer to a
 * change was lost, now or in an earlier process, the change may still be under way. The next query
 * or change waits until the host reports that nothing of the run is active there.
 */
export function withoutUnfinished(connections: Connections, parts: UnfinishedParts): Connections {
  let hosts: Set<string> | undefined;
  const session = async (...[address, identity]: Parameters<Connections['session']>) => {
    const opened = await connections.session(address, identity);
    return {
      exchange: async (request: Exchange, limits: Limits) => {
        hosts ??= unfinishedOn(parts.log.state);
        const asks = request.change !== undefined || (request.reads ?? []).length > 0;
        if (asks && request.control?.fence === undefined && hosts.has(address.name)) {
          await waitUntilIdle(opened, address.name, limits, parts);
          hosts.delete(address.name);
        }
        return exchange(opened, address.name, request, limits, hosts);
      },
    };
  };
  return {
    session,
    reset: (address) => connections.reset(address),
    close: () => connections.close(),
  };
}

async function exchange(
  session: HostSession,
  host: string,
  request: Exchange,
  limits: Limits,
  hosts: Set<string>,
): Promise<Answer> {
  try {
    const answer = await session.exchange(request, limits);
    if (answer.control.fence === 'clear') hosts.delete(host);
    return answer;
  } catch (error) {
    const isLost = error instanceof ConnectError || error instanceof TimeoutError;
    if (request.change && isLost) hosts.add(host);
    throw error;
  }
}

/**
 * Waits until nothing of the run is active on the host.
 *
 * @throws TaskError when that takes too long; ConnectError
 */
async function waitUntilIdle(
  session: HostSession,
  host: string,
  { signal }: Limits,
  { clock, isStopping }: UnfinishedParts,
): Promise<void> {
  const deadline = clock.now() + LIMIT_MS;
  for (;;) {
    const limits = { timeoutMs: FACT_TIMEOUT_MS, signal };
    const { control } = await session.exchange({ control: { fence: true } }, limits);
    if (control.fence !== 'busy') return;
    if (clock.now() >= deadline || isStopping())
      throw new TaskError(
        `An earlier step, whose connection was lost, is still running on "${host}". No other step runs there.`,
        { hint: 'Wait until it has ended, then run "runner resume" or "runner rollback".' },
      );
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** Hosts on which the last process may have left a change or an undo without an answer. */
function unfinishedOn({ units }: Pick<RecordedRun, 'units'>): Set<string> {
  const open = [...units.values()].filter(
    (unit) => unit.undo === undefined && (unit.state === 'unknown' || unit.undoStarted),
  );
  return new Set(open.map(({ intent }) => intent.target));
}
